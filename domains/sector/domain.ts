import { defineDomain } from 'espalier';
import { growth, priceTrend, unemployment } from 'espalier/analytics';
import { analyseEach } from '../known-series.ts';
import { customerDemand } from './demand.ts';
import { marketRegime } from './market.ts';
import { technologyEmployment, technologyStrength, technologyUnemployment } from './technology.ts';

/** The technology sector and the market it trades in. */
export const sector = defineDomain({
  name: 'sector',
  description: 'Whether the technology sector, its customers and the stock market support a holding of its shares.',
  question: 'Do the technology sector and the stock market speak for holding technology shares now?',
  charter:
    'The technology sector of the United States: its own jobs, the industries that buy from it, its strength against the market, and the regime of the market itself.',
  children: [technologyEmployment, technologyUnemployment, customerDemand, technologyStrength, marketRegime],
  // The sector's own jobs and the trend of the market alone.
  execute: (context) =>
    analyseEach(context, [
      ['us-employment/information', (series) => growth(series, { polarity: 1, key: 'technology-employment' })],
      ['unemployment/information', (series) => unemployment(series, { polarity: -1, key: 'technology-unemployment' })],
      ['sp500/close', (series) => priceTrend(series, { polarity: 1, key: 'market-trend' })],
    ]),
});
