import { describe, expect, test } from 'vitest';
import { meanUpTo, periodNumber, timelineOf } from '../../../src/analytics/calendar.ts';
import { seriesWith } from './series-of.ts';

const day = (date: string, value: number) => ({ date, value, availableAt: date });

describe('periods', () => {
  test('run on over the year', () => {
    for (const [frequency, dates] of [
      ['monthly', ['2007-11-01', '2007-12-01', '2008-01-01', '2008-02-29']],
      ['quarterly', ['2007-07-01', '2007-10-01', '2008-01-01', '2008-04-01']],
      ['yearly', ['2005-10-01', '2006-10-01', '2007-10-01', '2008-10-01']],
    ] as const) {
      const numbers = dates.map((date) => periodNumber(frequency, date));
      const first = numbers[0] ?? 0;
      expect(numbers).toEqual([first, first + 1, first + 2, first + 3]);
    }
  });

  test('of a 52-week year neither collide nor leave holes', () => {
    const starts = ['2010-09-26', '2010-12-26', '2011-04-03', '2011-07-03', '2011-10-02', '2012-01-01', '2012-04-01'];
    const numbers = starts.map((date) => periodNumber('quarterly', date));
    expect(numbers.map((number) => number - (numbers[0] ?? 0))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

test('several observations of a month: the last, or their mean', () => {
  const daily = seriesWith([day('2008-01-02', 1), day('2008-01-31', 3), day('2008-02-01', 9)], { frequency: 'daily' });
  const values = (within: 'last' | 'mean') => [...timelineOf(daily, within).periods.values()].map((each) => each.value);
  expect(values('last')).toEqual([3, 9]);
  expect(values('mean')).toEqual([2, 9]);
});

const read = (missing: number[]) => (period: number) => (missing.includes(period) ? undefined : period);
test('a mean over periods needs more than half of them', () => {
  expect(meanUpTo(3, 3, read([]))).toBe(2);
  expect(meanUpTo(3, 3, read([3]))).toBe(1.5);
  expect(meanUpTo(3, 3, read([2, 3]))).toBeUndefined();
  expect(meanUpTo(4, 4, read([1, 2]))).toBeUndefined();
});
