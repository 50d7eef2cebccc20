import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { analyse, type Analysis, type AnalystOptions, type Reading } from './analyst.ts';
import { logMove, priceHistory } from './price-history.ts';
import { robustZ } from './robust.ts';
import { figure, percent, roundTo, shareOf } from './rounding.ts';

const FIT = 0.8;
const EXTREME_Z = 3;
const MONTHS = 3;

/** What the number counts: `USD per EUR` rises when the euro gets stronger. */
export type QuoteDirection = `${string} per ${string}`;
export type CurrencyOptions = AnalystOptions & { readonly quote: QuoteDirection };

/**
 * How unusual the 3-month move of an exchange rate is: the robust z (Iglewicz & Hoaglin 1993) of the log move among
 * all 3-month moves of its history; the value is the move in percent. Which way a rise goes differs between sources,
 * so the direction of the quote is asked for and stated. Critical: |z| ≥ 3.
 */
export const currency = (series: Series, options: CurrencyOptions): Analysis =>
  analyse(series, options, () => read(series, options.quote));

function read(series: Series, quote: QuoteDirection): Reading | GapDraft {
  const prices = priceHistory(series);
  if ('gap' in prices) return prices;
  const move = logMove(prices, MONTHS);
  const history = Array.from({ length: prices.length - MONTHS }, (_, monthsAgo) => logMove(prices, MONTHS, monthsAgo));
  const z = robustZ(move, history);
  const said = figure(roundTo(z, 1));
  const stronger = quote.slice(quote.lastIndexOf(' per ') + ' per '.length);
  const size = `${percent(Math.abs(shareOf(move)))} ${move < 0 ? 'down' : 'up'} in ${MONTHS} months`;
  return {
    measure: 'currency',
    value: 100 * shareOf(move),
    unit: `% in ${MONTHS} months`,
    says: `${size} (robust z ${said}), quoted in ${quote}, so a rise is a stronger ${stronger}`,
    date: series.last.date,
    score: z / 2,
    observations: prices.length,
    fit: FIT,
    critical: Math.abs(z) >= EXTREME_Z ? { rule: 'currency-extreme', reason: `${size}, robust z ${said}` } : undefined,
    data: { z: roundTo(z, 3) },
  };
}
