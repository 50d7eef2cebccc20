import { defineDomain } from 'espalier';
import { growth, unemployment } from 'espalier/analytics';
import { analyseEach } from '../known-series.ts';
import { cyclicalJobs, cyclicalUnemployment, labourMarket, payrolls } from './labour.ts';
import { fiscalReceipts } from './receipts.ts';

/** The state of the US economy: labour market, cyclical industries, federal receipts. */
export const macro = defineDomain({
  name: 'macro',
  description: 'Whether the economy supports a holding of shares: labour market, cyclical industries, tax receipts.',
  question: 'Does the state of the US economy speak for holding shares now?',
  charter:
    'Growth and the labour market of the United States. A rise in employment or receipts supports the thesis, a rise in unemployment speaks against it.',
  children: [labourMarket, payrolls, cyclicalJobs, cyclicalUnemployment, fiscalReceipts],
  // The two headline numbers alone.
  execute: (context) =>
    analyseEach(context, [
      ['unemployment/all', (series) => unemployment(series, { polarity: -1, key: 'labour-market' })],
      ['us-employment/nonfarm', (series) => growth(series, { polarity: 1, key: 'payrolls' })],
    ]),
});
