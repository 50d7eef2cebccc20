import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, insufficient, tooFew, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { meanUpTo, periodsInThreeMonths, timelineOf } from './calendar.ts';
import { figure, roundTo } from './rounding.ts';

/** In points: the rise that came early in every US recession since 1970. */
const SAHM_THRESHOLD = 0.5;
/** Twice that for a change over a full year, which is larger and noisier than a distance to the low within it. */
const YEAR_ON_YEAR_THRESHOLD = 1;

/**
 * The rise of an unemployment rate, in percentage points: the 3-month mean above the lowest of the 12 months before
 * (Sahm 2019, "Direct Stimulus Payments to Individuals"). A series that is not seasonally adjusted has its low in the
 * season, so there it is the 3-month mean of the change on a year earlier. Quarterly and yearly rates stand for their
 * own mean. Critical: ≥ 0.5 points, year on year ≥ 1 point.
 */
export const unemployment = (series: Series, options: AnalystOptions): Analysis =>
  analyse(series, options, () => read(series));

function read(series: Series): Reading | GapDraft {
  const timeline = timelineOf(series);
  const { periodsPerYear, end, periods } = timeline;
  const span = periodsInThreeMonths(timeline);
  const needed = Math.max(8, periodsPerYear + span);
  if (periods.size < needed) return tooFew(series, periods.size, needed);

  const measured = series.seasonallyAdjusted
    ? riseAboveLow(end, periodsPerYear, (period) => meanUpTo(period, span, (each) => periods.get(each)?.value))
    : meanUpTo(end, span, (period) => {
        const now = periods.get(period)?.value;
        const then = periods.get(period - periodsPerYear)?.value;
        return now === undefined || then === undefined ? undefined : now - then;
      });
  if (measured === undefined) return insufficient(series, `too many holes in the year before ${series.last.date}`);
  // The data have one or two decimals: without rounding, 5.1 − 4.6 falls short of 0.5.
  const rise = roundTo(measured, 6);

  const comparison = series.seasonallyAdjusted ? 'the low of the 12 months before' : 'a year earlier';
  const threshold = series.seasonallyAdjusted ? SAHM_THRESHOLD : YEAR_ON_YEAR_THRESHOLD;
  const points = figure(Math.abs(rise));
  const subject = span > 1 ? '3-month average' : 'rate';
  const side = rise < 0 ? 'below' : 'above';
  return {
    measure: 'unemployment',
    value: rise,
    unit: 'percentage points',
    says: `${subject} is ${points} points ${side} ${comparison} (level ${figure(series.last.value)} ${series.unit})`,
    date: series.last.date,
    score: rise,
    observations: periods.size,
    fit: 1,
    critical:
      rise >= threshold
        ? { rule: 'unemployment-rise', reason: `${points} points above ${comparison}, threshold ${threshold}` }
        : undefined,
  };
}

function riseAboveLow(
  end: number,
  periodsPerYear: number,
  smoothed: (period: number) => number | undefined,
): number | undefined {
  const now = smoothed(end);
  const before: number[] = [];
  for (let period = end - periodsPerYear; period < end; period += 1) {
    const value = smoothed(period);
    if (value !== undefined) before.push(value);
  }
  if (now === undefined || before.length * 2 <= periodsPerYear) return undefined;
  return now - Math.min(...before);
}
