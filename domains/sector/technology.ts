import { defineLeaf } from 'espalier';
import { growth, relativeStrength, unemployment } from 'espalier/analytics';
import { knownSeries } from '../known-series.ts';
import { BASKET_SOURCES, techBasket } from '../tech-basket.ts';

/** "Information" is the industry of software publishing, data processing, telecommunication and media. */
export const technologyEmployment = defineLeaf({
  name: 'technology-employment',
  description: 'Growth of employment in the information industry against its own history.',
  question: 'Does the technology sector itself hire?',
  work: 'rules',
  sources: ['us-employment/information'],
  run: async ({ sources }) => growth(await sources.series('us-employment/information'), { polarity: 1 }),
});

export const technologyUnemployment = defineLeaf({
  name: 'technology-unemployment',
  description: 'Unemployment in the information industry against a year earlier.',
  question: 'Is the technology sector laying off?',
  work: 'rules',
  sources: ['unemployment/information'],
  run: async ({ sources }) => unemployment(await sources.series('unemployment/information'), { polarity: -1 }),
});

export const technologyStrength = defineLeaf({
  name: 'technology-strength',
  description: 'Relative strength of the five shares, equally weighted, against the S&P 500.',
  question: 'Does technology lead the market or lag it?',
  work: 'rules',
  sources: [...BASKET_SOURCES, 'sp500/close'],
  async run(context) {
    const [basket, market] = await Promise.all([techBasket(context), knownSeries(context, 'sp500/close')]);
    if ('gap' in basket) return basket;
    if ('gap' in market) return market;
    return relativeStrength(basket, { polarity: 1, benchmark: market });
  },
});
