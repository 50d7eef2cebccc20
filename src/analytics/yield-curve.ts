import { errorFunction } from 'simple-statistics';
import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, insufficient, tooFew, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { meanUpTo, periodsInThreeMonths, timelineOf } from './calendar.ts';
import { figure, percent, roundTo } from './rounding.ts';

/** P(recession) = Φ(−0.533 − 0.633·spread): the probit of Estrella & Mishkin, coefficients of the New York Fed. */
const INTERCEPT = -0.533;
const SLOPE = -0.633;
const NEEDED = 8;

/**
 * The slope of the yield curve as a recession probability four quarters ahead, in percent, from the 3-month mean of
 * the 10-year less 3-month spread in percentage points: Estrella & Mishkin (1998), "Predicting U.S. Recessions". The
 * stance goes with the spread, neutral at 0: a steeper curve supports at polarity +1. Critical: the mean is negative.
 */
export const yieldCurve = (series: Series, options: AnalystOptions): Analysis =>
  analyse(series, options, () => read(series));

function read(series: Series): Reading | GapDraft {
  const timeline = timelineOf(series, 'mean');
  const { end, periods } = timeline;
  if (periods.size < NEEDED) return tooFew(series, periods.size, NEEDED);
  const span = periodsInThreeMonths(timeline);
  const mean = meanUpTo(end, span, (period) => periods.get(period)?.value);
  if (mean === undefined) return insufficient(series, `too many holes before ${series.last.date}`);
  // Yields have two or three decimals; what is left below is the rounding error of averaging them.
  const spread = roundTo(mean, 6);

  const probability = normalCdf(INTERCEPT + SLOPE * spread);
  const points = figure(spread);
  const subject = span > 1 ? '3-month mean' : 'spread';
  return {
    measure: 'yield-curve',
    value: 100 * probability,
    unit: '% recession probability in 12 months',
    says: `${subject} of ${points} points gives an Estrella-Mishkin recession probability of ${percent(probability)}`,
    date: series.last.date,
    score: spread / 1.5,
    observations: periods.size,
    fit: 1,
    critical: spread < 0 ? { rule: 'yield-curve-inversion', reason: `the spread is ${points} points` } : undefined,
    data: { spread: roundTo(spread, 4) },
  };
}

const normalCdf = (x: number): number => (1 + errorFunction(x / Math.SQRT2)) / 2;
