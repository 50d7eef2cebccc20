import { defineDomain } from 'espalier';
import { drawdown, priceTrend, relativeStrength } from 'espalier/analytics';
import { knownSeries } from '../known-series.ts';
import { COMPANIES, techBasket } from '../tech-basket.ts';
import { shareAnalyst } from './share-analyst.ts';

/** The five companies of the thesis, one analyst each. */
export const company = defineDomain({
  name: 'company',
  description: 'What the shares of Microsoft, Apple, IBM, Amazon and Google say themselves.',
  question: 'Do the shares of the five companies speak for holding them now?',
  charter:
    'Five US large-cap technology companies, judged by the price of their shares: trend, drawdown, strength against the market.',
  children: COMPANIES.map(shareAnalyst),
  // The five shares as one basket.
  async execute(context) {
    const [basket, market] = await Promise.all([techBasket(context), knownSeries(context, 'sp500/close')]);
    if ('gap' in basket) return basket;
    const own = [
      priceTrend(basket, { polarity: 1, key: 'basket-trend' }),
      drawdown(basket, { polarity: 1, key: 'basket-drawdown' }),
    ];
    if ('gap' in market) return [...own, market];
    return [...own, relativeStrength(basket, { polarity: 1, key: 'basket-strength', benchmark: market })];
  },
});
