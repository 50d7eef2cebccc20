import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { depthBelowHigh, distanceToAverage, momentum, priceHistory, tellDepth, volatility } from './price-history.ts';
import { figure, percent, roundTo, shareOf } from './rounding.ts';

const FIT = 0.8;

/**
 * The direction of a price: 12-1 momentum (Jegadeesh & Titman 1993; the value, in percent) and the distance to the
 * 10-month average (Faber 2007). The 24-month drawdown and the volatility regime are told in the statement and do
 * not vote here. Never critical: a fall deep enough to be is {@link drawdown}'s to report, so a leaf that wants the
 * alarm returns both.
 */
export const priceTrend = (series: Series, options: AnalystOptions): Analysis =>
  analyse(series, options, () => read(series));

function read(series: Series): Reading | GapDraft {
  const prices = priceHistory(series);
  if ('gap' in prices) return prices;
  const { move, t } = momentum(prices);
  const distance = distanceToAverage(prices);
  const depth = depthBelowHigh(prices);
  const { ratio } = volatility(prices);
  const says = [
    `12-1 momentum is ${percent(shareOf(move))}`,
    `the level ${percent(Math.abs(distance))} ${distance < 0 ? 'below' : 'above'} its 10-month average`,
    tellDepth(depth),
    `6-month volatility ${figure(roundTo(ratio, 2))} times its own history`,
  ];
  return {
    measure: 'trend',
    value: 100 * shareOf(move),
    unit: '% 12-1 momentum',
    says: says.join(', '),
    date: series.last.date,
    score: 0.5 * t + 4 * distance,
    observations: prices.length,
    fit: FIT,
    data: { t: roundTo(t, 3), distance: roundTo(distance, 4) },
  };
}
