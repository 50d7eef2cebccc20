import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { depthBelowHigh, priceHistory, tellDepth, volatility } from './price-history.ts';
import { figure, percent, roundTo } from './rounding.ts';

const FIT = 0.8;
/** From this far below its high a price votes: a bear market by the usual measure. */
const VOTES_FROM = -0.2;
/** Critical takes both: this far below its high, and a volatility of more than so many times the usual. */
const CRITICAL_FROM = -0.2;
const CRITICAL_ABOVE_VOLATILITY = 1;

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
  const fall = roundTo(depth, 9);
  const isCritical = fall <= CRITICAL_FROM && ratio > CRITICAL_ABOVE_VOLATILITY;
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
    votes: fall <= VOTES_FROM,
    critical: isCritical
      ? {
          rule: 'drawdown',
          reason: `down by at least ${percent(-CRITICAL_FROM)} (${where}) and more volatile than usual (${nervous})`,
        }
      : undefined,
  };
}
