/** What Anthropic's models cost. Prices change: look at the date, and override what is no longer so. */
import type { Price } from '../../ports/model.ts';

/** The day on which the table was read off Anthropic's price list. */
export const PRICES_AS_OF = '2026-11-20';

const webSearch = 10;
/** By model id, in US dollars for a million tokens. What the cache saves is left out where it is not known. */
export const ANTHROPIC_PRICES: Readonly<Record<string, Price>> = {
  'claude-haiku-5-5': {
    input: 0.1,
    output: 0.5,
    cacheRead: 0.01,
    cacheWrite: 0.125,
    webSearch,
    long: { above: 100_000, input: 0.5, output: 2.5, cacheWrite: 0.625 },
  },
  'claude-sonnet-5-5': { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5, webSearch },
  'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5, webSearch },
  'claude-fable-5-1': { input: 10, output: 50, cacheWrite: 12.5, webSearch },
};

const DATED = /-\d{8}$/;
/** A model's id may end in the day of its snapshot. */
export function anthropicPrice(model: string): Price | undefined {
  const id = model.replace(DATED, '');
  return Object.hasOwn(ANTHROPIC_PRICES, id) ? ANTHROPIC_PRICES[id] : undefined;
}

const HALF = 0.5;
/** A batch costs half, except for its searches. */
export function anthropicBatchPrice(model: string): Price | undefined {
  const price = anthropicPrice(model);
  return price && halved(price);
}

function halved({ long, webSearch, ...rates }: Price): Price {
  const half = Object.fromEntries(Object.entries(rates).map(([rate, usd]) => [rate, usd * HALF])) as Pick<
    Price,
    'input' | 'output'
  >;
  return {
    ...half,
    ...(webSearch !== undefined && { webSearch }),
    ...(long && { long: { above: long.above, ...halved(withoutAbove(long)) } }),
  };
}
const withoutAbove = ({ above: _, ...rates }: NonNullable<Price['long']>): Price => rates;
