import { defineLeaf } from 'espalier';
import { growth } from 'espalier/analytics';
import { analyseEach } from '../known-series.ts';

/** The industries that buy technology: a firm that stops hiring stops buying seats, servers and advertisements. */
const BUYERS = [
  ['us-employment/professional-and-business-services', 'business-services'],
  ['us-employment/financial-activities', 'finance'],
  ['us-employment/retail-trade', 'retail-trade'],
] as const;

export const customerDemand = defineLeaf({
  name: 'customer-demand',
  description: 'Growth of employment in the industries that buy technology: business services, finance, retail trade.',
  question: 'Do the customers of technology companies grow?',
  work: 'rules',
  sources: BUYERS.map(([id]) => id),
  run: (context) =>
    analyseEach(
      context,
      BUYERS.map(([id, key]) => [id, (series) => growth(series, { polarity: 1, key })]),
    ),
});
