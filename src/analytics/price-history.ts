/** A price month by month, and what the price analysts measure on it. All in shares: 0.02 is two percent. */
import { mean, sampleStandardDeviation } from 'simple-statistics';
import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { insufficient, tooFew } from './analyst.ts';
import { timelineOf, type Timeline } from './calendar.ts';
import { clamp, percent, roundTo } from './rounding.ts';

/** Positive prices, one per month up to the last observation, oldest first; at least 24. */
export type PriceHistory = readonly number[];

/** Two years: the reach of a 24-month high, and the least that tells usual volatility from unusual. */
const NEEDED_MONTHS = 24;
/** A price not quoted for longer is another history: what came before is left out. */
const LONGEST_BRIDGE = 3;
const DRAWDOWN_MONTHS = 24;
const AVERAGE_MONTHS = 10;
const RECENT_MONTHS = 6;

export function priceHistory(series: Series, timeline: Timeline = timelineOf(series)): PriceHistory | GapDraft {
  if (timeline.periodsPerYear !== 12) return insufficient(series, `${series.frequency} prices, needs monthly or daily`);
  const prices: number[] = [];
  let before: number | undefined;
  for (const [month, { value }] of timeline.periods) {
    if (value <= 0) return insufficient(series, 'holds a price that is not positive');
    const missing = before === undefined ? 0 : month - before - 1;
    if (missing > LONGEST_BRIDGE) prices.length = 0;
    // In a short hole the last quoted price stands.
    else for (let filled = 0; filled < missing; filled += 1) prices.push(prices.at(-1) ?? value);
    prices.push(value);
    before = month;
  }
  if (prices.length < NEEDED_MONTHS) return tooFew(series, prices.length, NEEDED_MONTHS, 'months in a row');
  return prices;
}

const logPrice = (prices: PriceHistory, monthsAgo: number): number => Math.log(prices.at(-1 - monthsAgo) ?? Number.NaN);

/** The log move over `months` months, ending `monthsAgo` months before the last price. */
export const logMove = (prices: PriceHistory, months: number, monthsAgo = 0): number =>
  logPrice(prices, monthsAgo) - logPrice(prices, monthsAgo + months);

const monthlyMoves = (prices: PriceHistory): number[] =>
  prices.slice(1).map((price, index) => Math.log(price) - Math.log(prices[index] ?? price));

/** Below this a volatility is the rounding error of a steady price. */
const NOISE = 1e-12;

/**
 * 12-1 momentum (Jegadeesh & Titman 1993): the log move from twelve months ago to one month ago, the last month left
 * out for its reversals. `t` is the move in its own standard deviations over eleven months, within ±10.
 */
export function momentum(prices: PriceHistory): { move: number; t: number } {
  const move = logMove(prices, 11, 1);
  const usual = Math.max(NOISE, sampleStandardDeviation(monthlyMoves(prices)) * Math.sqrt(11));
  return { move, t: clamp(move / usual, -10, 10) };
}

/** How far the price is above its 10-month average (Faber 2007). */
export const distanceToAverage = (prices: PriceHistory): number =>
  (prices.at(-1) ?? 0) / mean(prices.slice(-AVERAGE_MONTHS)) - 1;

/** How far the price is below its highest of 24 months: 0 at a high, −0.2 a fifth below it. */
export function depthBelowHigh(prices: PriceHistory): number {
  const high = Math.max(...prices.slice(-DRAWDOWN_MONTHS));
  return (prices.at(-1) ?? high) / high - 1;
}

export const tellDepth = (depth: number): string =>
  roundTo(depth, 3) < 0 ? `${percent(-depth)} below its 24-month high` : 'at its 24-month high';

/** The volatility of the last six months, annualised, and its ratio to that of the whole history (1 for a steady price). */
export function volatility(prices: PriceHistory): { recent: number; ratio: number; isSteady: boolean } {
  const moves = monthlyMoves(prices);
  const usual = sampleStandardDeviation(moves);
  const recent = sampleStandardDeviation(moves.slice(-RECENT_MONTHS));
  const isSteady = usual <= NOISE;
  return { recent: recent * Math.sqrt(12), ratio: isSteady ? 1 : recent / usual, isSteady };
}
