import { describe, expect, test } from 'vitest';
import { currency, drawdown, priceTrend, relativeStrength, volatilityRegime } from '../../../src/analytics/analysts.ts';
import { CONTEXT_FLAG } from '../../../src/protocol/finding.ts';
import { findingIn, gapIn, normals, seriesOf } from './series-of.ts';

const up = { polarity: 1 } as const;
const months = (count: number, price: (month: number) => number): number[] =>
  Array.from({ length: count }, (_, month) => price(month));
/** Rises by 3 %, falls by 1 %, and so on: about 1 % a month. */
const rising = months(36, (month) => 100 * 1.01 ** month * (month % 2 ? 1.02 : 1));

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
const moves = (prices: readonly number[]): number[] =>
  prices.slice(1).map((price, index) => Math.log(price / (prices[index] ?? 0)));

describe('trend', () => {
  test('a known answer', () => {
    const finding = findingIn(priceTrend(seriesOf(rising), up));
    // Month 34 against month 23: eleven months up, from an odd to an even one.
    const move = 11 * Math.log(1.01) - Math.log(1.02);
    const t = move / (deviation(moves(rising)) * Math.sqrt(11));
    const average = rising.slice(-10).reduce((sum, price) => sum + price, 0) / 10;
    const distance = (rising.at(-1) ?? 0) / average - 1;
    expect(finding.value).toBeCloseTo(100 * Math.expm1(move), 2);
    expect(finding.stance).toBeCloseTo(Math.tanh(0.5 * t + 4 * distance), 3);
    expect(finding).toMatchObject({ measure: 'trend', unit: '% 12-1 momentum', confidence: 0.48 }); // 36/60 · 0.8
    expect(finding.statement).toBe(
      'Test series (2002-12): 12-1 momentum is 9.4 %, the level 5.6 % above its 10-month average, ' +
        'at its 24-month high, 6-month volatility 1.08 times its own history',
    );
  });

  test('of a price that rises without a stop is as strong as can be', () => {
    const steady = seriesOf(months(30, (month) => 1.001 ** month));
    expect(findingIn(priceTrend(steady, up))).toMatchObject({ stance: 1, data: { t: 10 } });
  });

  test('is never critical: a crash is the drawdown analyst’s alarm', () => {
    const crash = seriesOf([...rising, 100, 60, 40]);
    expect(findingIn(priceTrend(crash, up)).critical).toBeUndefined();
    expect(findingIn(drawdown(crash, up)).critical).toBeDefined();
  });

  test('of a price that never moved is neutral', () => {
    expect(findingIn(priceTrend(seriesOf(months(30, () => 7)), up))).toMatchObject({ value: 0, stance: 0 });
  });
});

describe('drawdown', () => {
  const calm = months(30, (month) => 100 + (month % 2));

  test('from a fifth below the high on it votes; nervous as well, it is critical', () => {
    const finding = findingIn(drawdown(seriesOf([...calm, 101, 80.8]), up));
    expect(finding).toMatchObject({ value: -20, unit: '% from 24-month high', flags: [], stance: -0.664 }); // tanh(−0.8)
    expect(finding.critical).toMatchObject({
      rule: 'drawdown',
      reason: expect.stringMatching(
        /^down by at least 20 % \(20 % below its 24-month high\) and more volatile than usual \(6-month volatility [\d.]+ times its own history\)$/,
      ),
    });
    expect(finding.statement).toContain('20 % below its 24-month high with 6-month volatility ');
  });

  test('shallower, it is context', () => {
    const finding = findingIn(drawdown(seriesOf([...calm, 101, 82]), up));
    expect(finding).toMatchObject({ value: -18.81, flags: [CONTEXT_FLAG], stance: 0 });
    expect(finding.critical).toBeUndefined();
  });

  test('a deep one that is calm votes and is not critical', () => {
    const grinding = [
      ...months(20, (month) => 100 + 10 * (month % 2)),
      ...months(14, (month) => 0.98 ** month * (100 + 8 * (month % 2))),
    ];
    const finding = findingIn(drawdown(seriesOf(grinding), up));
    expect(finding.statement).toMatch(/volatility 0\.[89]/);
    expect(finding.stance).toBeLessThan(-0.6);
    expect(finding.critical).toBeUndefined();
  });

  test('forgets a high after 24 months', () => {
    const spike = [1000, ...months(24, () => 100)];
    expect(findingIn(drawdown(seriesOf(spike), up)).value).toBe(0);
  });
});

describe('volatility', () => {
  test('a known answer', () => {
    const next = normals(5);
    const prices = [100];
    for (let month = 0; month < 48; month += 1) prices.push((prices.at(-1) ?? 0) * Math.exp(0.05 * next()));
    const ratio = deviation(moves(prices).slice(-6)) / deviation(moves(prices));
    const finding = findingIn(volatilityRegime(seriesOf(prices), { polarity: -1 }));
    expect(finding.value).toBeCloseTo(ratio, 3);
    expect(finding.stance).toBeCloseTo(-Math.tanh((Math.log(ratio) * Math.sqrt(10)) / 2), 3);
  });

  test('six months without a move are calm, not an infinity', () => {
    const finding = findingIn(volatilityRegime(seriesOf([...rising, ...months(7, () => 150)]), { polarity: -1 }));
    expect(finding).toMatchObject({ value: 0, stance: 1 });
  });

  test('none at all is nothing to compare with', () => {
    expect(gapIn(volatilityRegime(seriesOf(months(30, () => 7)), up)).why).toContain('30 months without volatility');
  });
});

const wave = (month: number): number => (month % 2 ? 1.01 : 1);
describe('relative strength', () => {
  const market = { id: 'market', title: 'Market' };

  test('a known answer: two percent a month against one', () => {
    const share = seriesOf(months(30, (month) => 1.02 ** month * wave(month)));
    const benchmark = seriesOf(
      months(30, (month) => 1.01 ** month),
      market,
    );
    const finding = findingIn(relativeStrength(share, { ...up, benchmark }));
    // From month 17, an odd one, to month 28, an even one.
    expect(finding.value).toBeCloseTo(100 * ((1.02 / 1.01) ** 11 / 1.01 - 1), 2);
    expect(finding.statement).toMatch(/^Test series \(2002-06\): 10.3 % ahead of Market from 12 months to 1 month ago/);
    expect(finding.data).toMatchObject({ benchmark: 'market' });
  });

  test('is as late as the later of the two', () => {
    const benchmark = seriesOf(rising, { ...market, staleMonths: 3 });
    // 36/60 · 2^(−3/3) · 0.8
    expect(findingIn(relativeStrength(seriesOf(rising), { ...up, benchmark })).confidence).toBe(0.24);
  });

  test('matches by date, not by position', () => {
    const index = months(40, (month) => 100 + month + (month % 3));
    const late = seriesOf([...Array.from({ length: 10 }, () => undefined), ...index.slice(10)]);
    const finding = findingIn(relativeStrength(late, { ...up, benchmark: seriesOf(index, market) }));
    expect(finding).toMatchObject({ value: 0, stance: 0 });
  });

  test('ends with the last month both have', () => {
    const share = seriesOf(rising);
    const finding = findingIn(relativeStrength(share, { ...up, benchmark: seriesOf(rising.slice(0, -2), market) }));
    expect(finding.statement).toContain('(2002-10)');
    expect(finding.source?.asOf).toBe('2002-10-01');
  });

  test('a benchmark that ended or does not overlap is a gap that names it', () => {
    const stale = seriesOf(rising, { ...market, staleMonths: 7 });
    expect(gapIn(relativeStrength(seriesOf(rising), { ...up, benchmark: stale }))).toMatchObject({
      gap: 'stale',
      why: expect.stringContaining('of Market'),
    });
    const later = seriesOf([...rising.map(() => undefined), ...rising], market);
    expect(gapIn(relativeStrength(seriesOf(rising), { ...up, benchmark: later })).why).toContain('Market');
  });

  test('of a series against itself is neutral', () => {
    const share = seriesOf(rising);
    expect(findingIn(relativeStrength(share, { ...up, benchmark: share })).stance).toBe(0);
  });
});

describe('currency', () => {
  const quote = 'USD per EUR';

  test('a known answer', () => {
    const next = normals(9);
    const rates = [...months(32, () => 1.2 + 0.01 * next()), 1.24];
    const all = rates.slice(3).map((rate, index) => Math.log(rate / (rates[index] ?? 0)));
    const sorted = all.toSorted((a, b) => a - b);
    const center = ((sorted[14] ?? 0) + (sorted[15] ?? 0)) / 2;
    const away = all.map((move) => Math.abs(move - center)).sort((a, b) => a - b);
    const z = ((all.at(-1) ?? 0) - center) / ((1.4826 * ((away[14] ?? 0) + (away[15] ?? 0))) / 2);
    const finding = findingIn(currency(seriesOf(rates), { ...up, quote }));
    expect(finding.value).toBeCloseTo(100 * Math.expm1(all.at(-1) ?? 0), 2);
    expect(finding.data).toEqual({ z: Math.round(z * 1000) / 1000 });
    expect(finding.statement).toMatch(/up in 3 months .*, quoted in USD per EUR, so a rise is a stronger EUR$/);
    expect(finding.stance).toBeCloseTo(Math.tanh(z / 2), 3);
    expect(finding.critical).toBeUndefined();
    expect(findingIn(currency(seriesOf([...rates, 1.4]), { ...up, quote })).critical?.rule).toBe('currency-extreme');
  });

  test('a peg that holds is neutral', () => {
    const finding = findingIn(currency(seriesOf(months(30, () => 7.8)), { ...up, quote: 'HKD per USD' }));
    expect(finding).toMatchObject({ value: 0, stance: 0 });
  });
});

/** 36 months, a hole, two more. */
const holed = (length: number) => [...rising, ...Array.from({ length }, () => undefined), 150, 151];
describe('every price', () => {
  test('must be positive, monthly or daily, and two years long', () => {
    expect(gapIn(priceTrend(seriesOf([...rising, -37]), up)).why).toContain('not positive');
    expect(gapIn(priceTrend(seriesOf(rising, { frequency: 'quarterly' }), up)).why).toContain('quarterly prices');
    expect(gapIn(priceTrend(seriesOf(rising.slice(0, 23)), up)).why).toBe('Test series: 23 months in a row, needs 24');
  });

  test('a short hole is bridged, a long one starts the history anew', () => {
    expect(findingIn(priceTrend(seriesOf(holed(3)), up)).confidence).toBe(0.505); // 41/65 · 0.8
    expect(gapIn(priceTrend(seriesOf(holed(4)), up)).why).toContain('2 months in a row');
  });
});
