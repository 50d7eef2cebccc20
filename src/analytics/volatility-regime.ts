import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, insufficient, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { priceHistory, volatility } from './price-history.ts';
import { figure, percent, roundTo } from './rounding.ts';

/** Volatility is weak evidence for a direction: it says how far a price may go, not which way. */
const FIT = 0.7;
/** The standard error of the logarithm of a standard deviation of six values, 1/√(2·5). */
const LOG_ERROR = Math.sqrt(0.1);

/**
 * The volatility of the last six months (standard deviation of monthly log moves) as a multiple of that of the whole
 * history; a rise is more volatility, so for a long position polarity is −1. Score: ln(ratio) in its standard errors,
 * halved. Never critical by itself: elevated volatility is what makes a drawdown critical.
 */
export const volatilityRegime = (series: Series, options: AnalystOptions): Analysis =>
  analyse(series, options, () => read(series));

function read(series: Series): Reading | GapDraft {
  const prices = priceHistory(series);
  if ('gap' in prices) return prices;
  const { recent, ratio, isSteady } = volatility(prices);
  if (isSteady) return insufficient(series, `${prices.length} months without volatility to compare with`);
  return {
    measure: 'volatility',
    value: ratio,
    unit: 'times own history',
    says: `6-month volatility is ${percent(recent)} a year, ${figure(roundTo(ratio, 2))} times its own history`,
    date: series.last.date,
    // Six months without a move: ln 0 is −∞, and its tanh −1.
    score: Math.log(ratio) / LOG_ERROR / 2,
    observations: prices.length,
    fit: FIT,
  };
}
