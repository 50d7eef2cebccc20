import { describe, expect, test } from 'vitest';
import { unemployment } from '../../../src/analytics/analysts.ts';
import { findingIn, gapIn, seriesOf } from './series-of.ts';

const hurts = { polarity: -1 } as const;
const flat = Array.from({ length: 21 }, () => 4.6);

describe('seasonally adjusted: above the low of the 12 months before', () => {
  test('a known answer', () => {
    // The 3-month mean of 4.8, 5.0, 5.2 is 5.0; its low before is 4.6.
    const finding = findingIn(unemployment(seriesOf([...flat, 4.8, 5, 5.2], { unit: '%' }), hurts));
    expect(finding).toMatchObject({
      measure: 'unemployment',
      value: 0.4,
      unit: 'percentage points',
      stance: -0.38, // −tanh 0.4
      confidence: 0.5, // 24/48
      statement:
        'Test series (2001-12): 3-month average is 0.4 points above the low of the 12 months before (level 5.2 %)',
    });
    expect(finding.critical).toBeUndefined();
  });

  test('critical at half a point, rounding errors forgiven', () => {
    const finding = findingIn(unemployment(seriesOf([...flat, 5.1, 5.1, 5.1]), hurts));
    expect(finding.critical).toEqual({
      rule: 'unemployment-rise',
      reason: '0.5 points above the low of the 12 months before, threshold 0.5',
    });
  });

  test('a fall supports', () => {
    // The low before is the mean of 4.6, 4.3, 4.3.
    const finding = findingIn(unemployment(seriesOf([...flat, 4.3, 4.3, 4.3]), hurts));
    expect(finding).toMatchObject({ value: -0.1, stance: 0.1 });
    expect(finding.statement).toContain('0.1 points below the low');
  });

  test('a low more than 12 months ago is forgotten', () => {
    const rates = [...Array.from({ length: 9 }, () => 4), ...Array.from({ length: 15 }, () => 5)];
    // Month 23 looks back to month 11, whose mean of 5, 5, 5 is the first without a 4.
    expect(findingIn(unemployment(seriesOf(rates), hurts)).value).toBe(0);
  });

  test('one missing month is bridged', () => {
    const finding = findingIn(unemployment(seriesOf([...flat, 5.1, undefined, 5.3]), hurts));
    expect(finding.value).toBe(0.6);
  });
});

describe('not seasonally adjusted: on a year earlier', () => {
  const year = [6, 6, 5, 5, 4, 5, 5, 4, 4, 4, 5, 6];

  test('a known answer', () => {
    const next = [...year.slice(0, 9), 5.5, 7, 8.5];
    // Changes 1.5, 2, 2.5.
    const finding = findingIn(
      unemployment(seriesOf([...year, ...next], { seasonallyAdjusted: false, unit: '%' }), hurts),
    );
    expect(finding).toMatchObject({ value: 2, stance: -0.964, critical: { rule: 'unemployment-rise' } });
    expect(finding.statement).toBe(
      'Test series (2001-12): 3-month average is 2 points above a year earlier (level 8.5 %)',
    );
  });

  test('the season is no rise', () => {
    const finding = findingIn(unemployment(seriesOf([...year, ...year], { seasonallyAdjusted: false }), hurts));
    expect(finding).toMatchObject({ value: 0, stance: 0 });
  });

  const raised = (by: number) => seriesOf([...year, ...year.map((rate) => rate + by)], { seasonallyAdjusted: false });
  test('critical from one point on', () => {
    expect(findingIn(unemployment(raised(0.9), hurts)).critical).toBeUndefined();
    expect(findingIn(unemployment(raised(1), hurts)).critical).toBeDefined();
  });
});

test('a quarter stands for its own mean', () => {
  const finding = findingIn(unemployment(seriesOf([5, 5, 5, 5, 5, 5, 5, 5.2], { frequency: 'quarterly' }), hurts));
  expect(finding.value).toBe(0.2);
  expect(finding.statement).toContain('rate is 0.2 points above');
});

test('less than 15 months are a gap', () => {
  expect(gapIn(unemployment(seriesOf(flat.slice(0, 14)), hurts)).why).toBe('Test series: 14 observations, needs 15');
  expect(unemployment(seriesOf(flat.slice(0, 15)), hurts)).not.toHaveProperty('gap');
});

test('a year full of holes is a gap', () => {
  const holed = [...flat, ...flat].map((rate, index) => (index > 29 && index < 41 ? undefined : rate));
  expect(gapIn(unemployment(seriesOf(holed), hurts)).why).toContain('too many holes in the year before 2003-06-01');
});
