import { sampleStandardDeviation } from 'simple-statistics';
import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, insufficient, tooFew, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { periodsInThreeMonths, timelineOf, type Timeline } from './calendar.ts';
import { scaleOf, type Scale } from './growth-scale.ts';
import { robustZ } from './robust.ts';
import { clamp, figure, roundTo } from './rounding.ts';
import { BREAK_CRITICAL_VALUE, meanBreak } from './structural-break.ts';

const FIT = 0.9;
const EXTREME_Z = 3;
const BREAK_Z = 2;
/** A longer window could not show a break of the last year: the outer 15 % of it are no place for one. */
const BREAK_WINDOW_YEARS = 5;

/**
 * Growth on a year earlier, and how unusual it is: g = ln(x_t/x_{t−1 year}), its robust z in its own history (Iglewicz
 * & Hoaglin 1993), the inflection, and a sup-F test for a shift of its mean (Andrews 1993) within the last five years.
 * Value in percent. A series that is ever zero or negative is measured in differences, in its own unit.
 *
 * The inflection is the pace of the last three months, annualised, less g; where that pace would be the season's
 * (unadjusted and yearly series) it is the change of g instead. Critical: |z| ≥ 3, or a break within the last year
 * with |z| ≥ 2.
 */
export const growth = (series: Series, options: AnalystOptions): Analysis =>
  analyse(series, options, () => read(series));

function read(series: Series): Reading | GapDraft {
  const timeline = timelineOf(series);
  const { periodsPerYear, end, periods } = timeline;
  const scale = scaleOf(series, timeline);
  const rates: { period: number; rate: number }[] = [];
  for (const period of periods.keys()) {
    const rate = scale.change(period, periodsPerYear);
    if (rate !== undefined) rates.push({ period, rate });
  }
  const needed = periodsPerYear === 12 ? 12 : 8;
  if (rates.length < needed) return tooFew(series, rates.length, needed, 'observations with one a year before them');
  const latest = scale.change(end, periodsPerYear);
  if (latest === undefined) return insufficient(series, `no observation a year before ${series.last.date}`);

  const history = rates.map((each) => each.rate);
  const z = robustZ(latest, history, scale.noise);
  const pace = paceOf(series, timeline, scale, latest);
  const spread = sampleStandardDeviation(history);
  const push = pace && spread > scale.noise ? clamp(pace.inflection / spread, -2, 2) : 0;
  const shift = recentBreak(rates, end, periodsPerYear);
  const shiftMonth = shift && (periods.get(shift.period)?.date ?? '').slice(0, 7);
  const said = [
    `${scale.sentence(latest)} (robust z ${figure(roundTo(z, 1))})`,
    ...(pace ? [pace.says] : []),
    ...(shift ? [`mean break at ${shiftMonth} (sup-F ${figure(shift.f)})`] : []),
  ];
  return {
    measure: 'growth',
    value: scale.value(latest),
    unit: scale.unit,
    says: said.join(', '),
    date: series.last.date,
    score: (z + 0.5 * push) / 2,
    observations: periods.size,
    fit: FIT,
    critical: criticalOf(z, shift && { month: shiftMonth ?? '', f: shift.f }),
    data: { z: roundTo(z, 3), ...(pace && { inflection: roundTo(pace.inflection, 6) }) },
  };
}

function paceOf(
  series: Series,
  timeline: Timeline,
  scale: Scale,
  latest: number,
): { inflection: number; says: string } | undefined {
  const { periodsPerYear, end } = timeline;
  const span = periodsInThreeMonths(timeline);
  if (series.seasonallyAdjusted && periodsPerYear > 1) {
    const change = scale.change(end, span);
    if (change === undefined) return undefined;
    const annualised = (change * periodsPerYear) / span;
    return { inflection: annualised - latest, says: `the last 3 months at an annual ${scale.amount(annualised)}` };
  }
  const before = scale.change(end - span, periodsPerYear);
  if (before === undefined) return undefined;
  const when = periodsPerYear === 1 ? 'the year before' : '3 months before';
  return { inflection: latest - before, says: `y/y change ${scale.amount(before)} ${when}` };
}

function recentBreak(
  rates: readonly { period: number; rate: number }[],
  end: number,
  periodsPerYear: number,
): { period: number; f: number } | undefined {
  const window = rates.slice(-BREAK_WINDOW_YEARS * periodsPerYear);
  const found = meanBreak(window.map((each) => each.rate));
  const period = found && window[found.at]?.period;
  if (found === undefined || period === undefined || found.f <= BREAK_CRITICAL_VALUE) return undefined;
  return end - period <= periodsPerYear ? { period, f: found.f } : undefined;
}

function criticalOf(z: number, shift: { month: string; f: number } | undefined): Reading['critical'] {
  const said = figure(roundTo(z, 1));
  if (Math.abs(z) >= EXTREME_Z) {
    return { rule: 'growth-extreme', reason: `robust z ${said}: at least ${EXTREME_Z} from its usual growth` };
  }
  if (shift && Math.abs(z) >= BREAK_Z) {
    return {
      rule: 'growth-break',
      reason: `growth broke at ${shift.month} (sup-F ${figure(shift.f)}), robust z ${said}`,
    };
  }
  return undefined;
}
