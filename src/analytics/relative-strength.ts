import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, insufficient, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { timelineOf, type Timeline } from './calendar.ts';
import { momentum, priceHistory } from './price-history.ts';
import { figure, percent, roundTo, shareOf } from './rounding.ts';

const FIT = 0.8;

/** `benchmark` is what the series is held against, such as its market index: matched month by month. */
export type RelativeStrengthOptions = AnalystOptions & { readonly benchmark: Series };

/**
 * Whether a price outran its benchmark: 12-1 momentum (Jegadeesh & Titman 1993) of ln(series/benchmark), in percent,
 * over the months that both have. The stance follows its t-value. Never critical.
 */
export const relativeStrength = (series: Series, options: RelativeStrengthOptions): Analysis =>
  analyse(series, options, () => read(series, options.benchmark), [options.benchmark]);

function read(series: Series, benchmark: Series): Reading | GapDraft {
  const own = timelineOf(series);
  const other = timelineOf(benchmark);
  if (other.periodsPerYear !== 12) return insufficient(benchmark, `${benchmark.frequency}, needs monthly or daily`);
  for (const each of [series, benchmark]) {
    if (each.observations.some(({ value }) => value <= 0))
      return insufficient(each, 'holds a price that is not positive');
  }
  const ratios = new Map<number, { date: string; value: number; availableAt: string }>();
  for (const [month, observation] of own.periods) {
    const divisor = other.periods.get(month)?.value;
    if (divisor !== undefined) ratios.set(month, { ...observation, value: observation.value / divisor });
  }
  const [end, last] = [...ratios].at(-1) ?? [];
  if (end === undefined || last === undefined)
    return insufficient(series, `no month in common with ${benchmark.title}`);
  const relative: Timeline = { periodsPerYear: own.periodsPerYear, end, periods: ratios };
  const prices = priceHistory(series, relative);
  if ('gap' in prices) return prices;
  const { move, t } = momentum(prices);
  const side = move < 0 ? 'behind' : 'ahead of';
  return {
    measure: 'relative-strength',
    value: 100 * shareOf(move),
    unit: '% 12-1 relative momentum',
    says: `${percent(Math.abs(shareOf(move)))} ${side} ${benchmark.title} from 12 months to 1 month ago (t ${figure(roundTo(t, 1))})`,
    date: last.date,
    score: 0.5 * t,
    observations: prices.length,
    fit: FIT,
    data: { t: roundTo(t, 3), benchmark: benchmark.id },
  };
}
