import { describe, expect, test } from 'vitest';
import { growth } from '../../../src/analytics/analysts.ts';
import { dateAt, findingIn, gapIn, normals, seriesOf } from './series-of.ts';

/** A year of 100, then x_t = x_{t − 1 year}·e^g: so the log growth on a year earlier is exactly `rates`. */
function levelsFrom(rates: readonly number[], periodsPerYear = 12): number[] {
  const levels = Array.from({ length: periodsPerYear }, () => 100);
  for (const rate of rates) levels.push((levels.at(-periodsPerYear) ?? 0) * Math.exp(rate));
  return levels;
}
const zOf = ({ statement }: { statement: string }): number =>
  Number(/robust z (\u2212?[\d.]+)/.exec(statement)?.[1]?.replace('\u2212', '-'));
const up = { polarity: 1 } as const;

test('a known answer', () => {
  // Median 0.04, MAD 0.01, latest 0.05: z = 1/1.4826.
  const rates = [0.02, 0.03, 0.04, 0.05, 0.06, 0.03, 0.04, 0.05, 0.02, 0.04, 0.03, 0.06, 0.05];
  const finding = findingIn(growth(seriesOf(levelsFrom(rates), { seasonallyAdjusted: false }), up));
  expect(finding).toMatchObject({
    key: 'growth',
    measure: 'growth',
    value: 5.127, // 100·(e^0.05 − 1)
    unit: '% y/y',
    statement: 'Test series (2002-01): 5.1 % above a year earlier (robust z 0.7), y/y change 4.1 % 3 months before',
    confidence: 0.459, // 25/49 · 0.9
    flags: [],
    data: { z: 0.674, inflection: 0.01 }, // 1/1.4826
    source: { kind: 'test', ref: 'test#series', sha256: 'ab', asOf: '2002-01-01' },
  });
  // Inflection +0.01 in deviations of 0.0134: score = (0.6745 + 0.5·0.7463)/2.
  const deviation = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - 0.04) ** 2, 0) / 12);
  expect(deviation).toBeCloseTo(0.01354, 4);
  expect(finding.stance).toBeCloseTo(Math.tanh((1 / 1.4826 + (0.5 * 0.01) / deviation) / 2), 3);
});

describe('inflection', () => {
  test('of an adjusted series is the annualised pace of three months less growth', () => {
    // One percent a month for two years, then three months without: 9 of 12 months grew.
    const steady = Array.from({ length: 25 }, (_, month) => 100 * Math.exp(0.01 * month));
    const top = steady.at(-1) ?? 0;
    const finding = findingIn(growth(seriesOf([...steady, top, top, top]), up));
    expect(finding.data).toMatchObject({ inflection: -0.09 });
    expect(finding.statement).toContain('9.4 % above a year earlier');
    expect(finding.statement).toContain('the last 3 months at an annual 0 %');
  });

  test('of an unadjusted series does not see the season', () => {
    const seasonal = Array.from({ length: 48 }, (_, month) => 100 * Math.exp(0.2 * Math.sin((month / 6) * Math.PI)));
    const finding = findingIn(growth(seriesOf(seasonal, { seasonallyAdjusted: false }), up));
    expect(finding).toMatchObject({ stance: 0, data: { inflection: 0 } });
  });
});

/** The last `months` rates three points lower. */
const fallen = (rates: readonly number[], months: number): number[] =>
  rates.map((rate, index) => (index >= rates.length - months ? rate - 0.03 : rate));

test('an inflection counts as two deviations at most', () => {
  // Growth at its median, after ten deviations more three months before.
  const rates = Array.from({ length: 40 }, (_, month) => 0.01 * (month % 3));
  const finding = findingIn(
    growth(seriesOf(levelsFrom([...rates, 0.5, 0, 0, 0.01]), { seasonallyAdjusted: false }), { polarity: -1 }),
  );
  expect(finding.stance).toBe(0.462); // tanh(0.5·2/2)
});

describe('critical', () => {
  const next = normals(3);
  const usual = Array.from({ length: 71 }, () => 0.03 + 0.01 * next());

  test('from three robust deviations on, in either direction', () => {
    for (const rate of [0.03 - 0.04, 0.03 + 0.04]) {
      const finding = findingIn(growth(seriesOf(levelsFrom([...usual, rate])), up));
      expect(finding.critical?.rule).toBe('growth-extreme');
      expect(Math.abs(zOf(finding))).toBeLessThan(3.7);
      expect(Math.sign(finding.stance ?? 0)).toBe(Math.sign(rate - 0.03));
    }
    expect(findingIn(growth(seriesOf(levelsFrom([...usual, 0.05])), up)).critical).toBeUndefined();
  });

  test('from two on when growth broke within the year', () => {
    const finding = findingIn(growth(seriesOf(levelsFrom([...fallen(usual, 9), -0.005])), up));
    const month = dateAt(12 + 71 - 9).slice(0, 7);
    expect(finding.statement).toContain(`, mean break at ${month} (sup-F `);
    expect(finding.critical?.rule).toBe('growth-break');
    expect(finding.critical?.reason).toContain(month);
    expect(Math.abs(zOf(finding))).toBeLessThan(3);
  });

  test('not when it broke earlier', () => {
    const finding = findingIn(growth(seriesOf(levelsFrom([...fallen(usual, 24), -0.01])), up));
    expect(finding.statement).not.toContain('break');
    expect(finding.critical).toBeUndefined();
  });

  test('not on a confidence below 0.4', () => {
    const series = seriesOf(levelsFrom([...usual, -0.03]), { staleMonths: 4 });
    // 84/108 · 2^(−4/3) · 0.9
    expect(findingIn(growth(series, up))).toMatchObject({ confidence: 0.278 });
    expect(findingIn(growth(series, up)).critical).toBeUndefined();
  });
});

describe('a series that is not always positive', () => {
  test('is measured in differences, in its unit', () => {
    const balance = Array.from({ length: 30 }, (_, month) => (month % 2 ? -40 : 10) + month);
    const finding = findingIn(growth(seriesOf(balance, { unit: 'bn USD' }), up));
    expect(finding).toMatchObject({ value: 12, unit: 'bn USD y/y', stance: expect.any(Number) });
    expect(finding.statement).toContain('12 bn USD above a year earlier');
  });

  test('and rises evenly is neutral, whatever its rounding errors', () => {
    const even = Array.from({ length: 60 }, (_, month) => 1e6 * (0.1 * month - 3));
    expect(findingIn(growth(seriesOf(even, { seasonallyAdjusted: false }), up)).stance).toBe(0);
  });
});

describe('other frequencies', () => {
  test('quarterly looks four quarters back', () => {
    const rates = [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.3];
    const finding = findingIn(growth(seriesOf(levelsFrom(rates, 4), { frequency: 'quarterly' }), up));
    expect(finding).toMatchObject({ value: 34.99, source: { asOf: '2003-01-01' } });
  });

  test('yearly looks one year back, and at the year before', () => {
    const rates = [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2];
    const finding = findingIn(growth(seriesOf(levelsFrom(rates, 1), { frequency: 'yearly' }), up));
    expect(finding.statement).toContain('Test series (2008): 22.1 % above');
    expect(finding.statement).toContain('y/y change 10.5 % the year before');
  });

  test('daily is read by its last day of each month', () => {
    const monthly = levelsFrom(Array.from({ length: 13 }, (_, index) => 0.01 * index));
    const series = seriesOf(monthly);
    const days = series.observations.flatMap((each) => [
      { ...each, value: 1 },
      { ...each, date: each.date.replace(/01$/, '28') },
    ]);
    const last = days.at(-1) ?? series.last;
    const daily = { ...series, frequency: 'daily', observations: days, last } as const;
    expect(findingIn(growth(daily, up)).value).toBe(findingIn(growth(series, up)).value);
  });
});

describe('holes', () => {
  const levels = levelsFrom(Array.from({ length: 24 }, (_, index) => 0.01 + 0.001 * (index % 5)));

  test('do not shift what a year earlier is', () => {
    const withHole = levels.map((level, index) => (index === 20 ? undefined : level));
    expect(findingIn(growth(seriesOf(withHole), up)).value).toBe(findingIn(growth(seriesOf(levels), up)).value);
  });

  test('a year before the last observation leave a gap', () => {
    const withHole = levels.map((level, index) => (index === levels.length - 13 ? undefined : level));
    expect(gapIn(growth(seriesOf(withHole), up)).why).toContain('no observation a year before 2002-12-01');
  });
});

test('too few observations are a gap that says how many are needed', () => {
  expect(gapIn(growth(seriesOf(levelsFrom([0.1, 0.2])), up))).toEqual({
    gap: 'insufficient',
    why: 'Test series: 2 observations with one a year before them, needs 12',
  });
});

test('a constant series is neutral', () => {
  const finding = findingIn(growth(seriesOf(Array.from({ length: 40 }, () => 0.1)), up));
  expect(finding).toMatchObject({ value: 0, stance: 0 });
  expect(finding.statement).toContain('unchanged from a year earlier (robust z 0)');
});
