/** Matches observations by calendar period, so that a missing month never shifts "a year earlier". */
import { mean } from 'simple-statistics';
import type { Frequency, Observation, Series } from '../protocol/series.ts';

/** A series by period number (months, quarters or years since the year 0). Daily series are read as monthly. */
export type Timeline = {
  readonly periodsPerYear: 12 | 4 | 1;
  /** The period of the last observation. */
  readonly end: number;
  /** In order of time. */
  readonly periods: ReadonlyMap<number, Observation>;
};

const PERIODS_PER_YEAR: Readonly<Record<Frequency, 12 | 4 | 1>> = { daily: 12, monthly: 12, quarterly: 4, yearly: 1 };

/** Months since the year 0 of a `YYYY-MM-DD` date. */
export const monthNumber = (date: string): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1;

/** The month, quarter or year a date lies in, as a running number. */
export function periodNumber(frequency: Frequency, date: string): number {
  const periodsPerYear = PERIODS_PER_YEAR[frequency];
  if (periodsPerYear === 12) return monthNumber(date);
  // Fiscal quarters of 52-week years start some days before or after the first of a month: the nearest start counts.
  const months = monthNumber(date) + Number(date.slice(8, 10)) / 31;
  return Math.round((months * periodsPerYear) / 12);
}

/** Of several observations in a period the last counts, or with `'mean'` their average. */
export function timelineOf(series: Series, within: 'last' | 'mean' = 'last'): Timeline {
  const grouped = new Map<number, Observation[]>();
  for (const observation of series.observations) {
    const period = periodNumber(series.frequency, observation.date);
    const group = grouped.get(period);
    if (group) group.push(observation);
    else grouped.set(period, [observation]);
  }
  const periods = new Map<number, Observation>();
  for (const [period, group] of grouped) {
    const last = group.at(-1) ?? series.last;
    const value = within === 'mean' ? mean(group.map((each) => each.value)) : last.value;
    periods.set(period, { ...last, value });
  }
  const end = periodNumber(series.frequency, series.last.date);
  return { periodsPerYear: PERIODS_PER_YEAR[series.frequency], end, periods };
}

/** The mean of `read` over the `count` periods up to `end`; undefined unless more than half of them are there. */
export function meanUpTo(end: number, count: number, read: (period: number) => number | undefined): number | undefined {
  const present: number[] = [];
  for (let period = end - count + 1; period <= end; period += 1) {
    const value = read(period);
    if (value !== undefined) present.push(value);
  }
  return present.length * 2 > count ? mean(present) : undefined;
}

/** Three months in periods: 3 months, 1 quarter, and for yearly data the year itself. */
export const periodsInThreeMonths = (timeline: Timeline): number => (timeline.periodsPerYear === 12 ? 3 : 1);
