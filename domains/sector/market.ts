import { defineLeaf } from 'espalier';
import { drawdown, priceTrend, volatilityRegime } from 'espalier/analytics';

export const marketRegime = defineLeaf({
  name: 'market-regime',
  description: 'Trend, drawdown and volatility of the S&P 500.',
  question: 'In what regime is the stock market?',
  work: 'rules',
  sources: ['sp500/close'],
  async run({ sources }) {
    const market = await sources.series('sp500/close');
    return [
      priceTrend(market, { polarity: 1 }),
      drawdown(market, { polarity: 1 }),
      // A rise in volatility hurts.
      volatilityRegime(market, { polarity: -1 }),
    ];
  },
});
