import { describe, expect, test } from 'vitest';
import { yieldCurve } from '../../../src/analytics/analysts.ts';
import { findingIn, gapIn, seriesOf } from './series-of.ts';

const up = { polarity: 1 } as const;
const spread = (...last: number[]) => seriesOf([...Array.from({ length: 24 }, () => 1), ...last], { unit: 'pp' });

describe('the probability', () => {
  // Φ from a table of the normal distribution, at −0.533 − 0.633·spread.
  test.each([
    [0, 29.7], // Φ(−0.533)
    [1, 12.18], // Φ(−1.166)
    [-0.842, 50], // Φ(0)
    [2.42, 1.936], // Φ(−2.065)
  ])('at a spread of %d points is %d %', (points, probability) => {
    const finding = findingIn(yieldCurve(spread(points, points, points), up));
    expect(finding.value).toBeCloseTo(probability, 1);
  });
});

test('a known answer', () => {
  const finding = findingIn(yieldCurve(spread(0.2, -0.4, -0.7), up));
  expect(finding).toMatchObject({
    measure: 'yield-curve',
    unit: '% recession probability in 12 months',
    stance: -0.197, // tanh(−0.3/1.5)
    critical: { rule: 'yield-curve-inversion', reason: 'the spread is −0.3 points' },
    data: { spread: -0.3 },
  });
  expect(finding.statement).toBe(
    'Test series (2002-03): 3-month mean of −0.3 points gives an Estrella-Mishkin recession probability of 36.6 %',
  );
});

test('a curve that is flat up to rounding errors is not inverted', () => {
  const finding = findingIn(yieldCurve(spread(0.1, 0.2, -0.3), up));
  expect(finding).toMatchObject({ stance: 0, data: { spread: 0 } });
  expect(finding.critical).toBeUndefined();
});

test('daily yields are averaged by month', () => {
  const series = spread(0.3, 0.3, 0.3);
  const observations = series.observations.flatMap((each) => [
    { ...each, value: each.value - 0.1 },
    { ...each, date: each.date.replace(/01$/, '15'), value: each.value + 0.1 },
  ]);
  const last = observations.at(-1) ?? series.last;
  const finding = findingIn(yieldCurve({ ...series, frequency: 'daily', observations, last }, up));
  expect(finding.data).toEqual({ spread: 0.3 });
});

test('too short, or with holes at the end: a gap', () => {
  expect(gapIn(yieldCurve(seriesOf([1, 1, 1]), up)).why).toBe('Test series: 3 observations, needs 8');
  const holed = [...Array.from({ length: 20 }, () => 1), undefined, undefined, 1];
  expect(gapIn(yieldCurve(seriesOf(holed), up)).gap).toBe('insufficient');
});
