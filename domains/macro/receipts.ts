import { defineLeaf } from 'espalier';
import { growth } from 'espalier/analytics';
import { analyseEach } from '../known-series.ts';

/** Taxes on profits and incomes are a census of both, late but complete. */
export const fiscalReceipts = defineLeaf({
  name: 'fiscal-receipts',
  description: 'Growth of federal receipts from taxes on corporate profits and on individual incomes.',
  question: 'Do tax receipts show growing profits and incomes?',
  work: 'rules',
  sources: ['receipts/corporation-income-taxes', 'receipts/individual-income-taxes'],
  run: (context) =>
    analyseEach(context, [
      [
        'receipts/corporation-income-taxes',
        (series) => growth(series, { polarity: 1, key: 'corporation-income-taxes' }),
      ],
      ['receipts/individual-income-taxes', (series) => growth(series, { polarity: 1, key: 'individual-income-taxes' })],
    ]),
});
