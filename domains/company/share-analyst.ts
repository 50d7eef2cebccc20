import { defineLeaf, type Leaf } from 'espalier';
import { drawdown, priceTrend, relativeStrength } from 'espalier/analytics';

/** A leaf that judges one company by its share alone: trend, drawdown, strength against the market. */
export const shareAnalyst = ({ name, symbol, title }: { name: string; symbol: string; title: string }): Leaf =>
  defineLeaf({
    name,
    description: `Trend, drawdown and relative strength of the ${title} share.`,
    question: `Does the ${title} share speak for holding it?`,
    work: 'rules',
    sources: [`stocks/${symbol}`, 'sp500/close'],
    async run({ sources }) {
      const [share, market] = await Promise.all([sources.series(`stocks/${symbol}`), sources.series('sp500/close')]);
      return [
        priceTrend(share, { polarity: 1 }),
        drawdown(share, { polarity: 1 }),
        relativeStrength(share, { polarity: 1, benchmark: market }),
      ];
    },
  });
