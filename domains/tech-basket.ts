import type { GapDraft, LeafContext, Series } from 'espalier';
import { aggregate } from 'espalier/analytics';
import { knownSeries } from './known-series.ts';

/** The companies of the thesis. */
export const COMPANIES = [
  { name: 'microsoft', symbol: 'MSFT', title: 'Microsoft' },
  { name: 'apple', symbol: 'AAPL', title: 'Apple' },
  { name: 'ibm', symbol: 'IBM', title: 'IBM' },
  { name: 'amazon', symbol: 'AMZN', title: 'Amazon' },
  { name: 'google', symbol: 'GOOG', title: 'Google' },
] as const;

export const BASKET_SOURCES = COMPANIES.map(({ symbol }) => `stocks/${symbol}`);

/** The five shares as one index of equal weights. One that was not yet listed is left out. */
export async function techBasket(context: LeafContext): Promise<Series | GapDraft> {
  const members = await Promise.all(BASKET_SOURCES.map((id) => knownSeries(context, id)));
  const listed = members.flatMap((member) => ('gap' in member ? [] : member));
  return aggregate('tech-basket', 'Technology basket (MSFT, AAPL, IBM, AMZN, GOOG)', listed, 'equal-weight-index');
}
