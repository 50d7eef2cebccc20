import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { depthBelowHigh, priceHistory, tellDepth, volatility } from './price-history.ts';
import { figure, roundTo } from './rounding.ts';

const FIT = 0.8;
const BEAR_MARKET = -0.2;

/**
 * The alarm on a price: how far it is below its highest month of 24, in percent (negative), and whether the last six
 * months were more volatile than usual. It votes only from 20 % below on; a shallower drawdown is what `priceTrend`
 * has already voted on, so it is reported as context. Critical: 20 % or more below with elevated volatility.
 */
export const drawdown = (series: Series, options: AnalystOptions): Analysis =>
  analyse(series, options, () => read(series));

function read(series: Series): Reading | GapDraft {
  const prices = priceHistory(series);
  if ('gap' in prices) return prices;
  const depth = depthBelowHigh(prices);
  const { ratio } = volatility(prices);
  // A fall to four fifths is 20 %, although 0.8 − 1 in doubles is a little less.
  const isDeep = roundTo(depth, 9) <= BEAR_MARKET;
  const where = tellDepth(depth);
  const nervous = `6-month volatility ${figure(roundTo(ratio, 2))} times its own history`;
  return {
    measure: 'drawdown',
    value: 100 * depth,
    unit: '% from 24-month high',
    says: `${where} with ${nervous}`,
    date: series.last.date,
    score: 4 * depth,
    observations: prices.length,
    fit: FIT,
    votes: isDeep,
    critical: isDeep && ratio > 1 ? { rule: 'drawdown', reason: `${where} and ${nervous}` } : undefined,
  };
}
