/** Which series `vega-datasets` offers, where each lies, and when its values became known. */
import type { Frequency } from '../../protocol/series.ts';
import {
  ALL_INDUSTRIES,
  ALL_RECEIPTS,
  readEmployment,
  readIndex,
  readReceipts,
  readStocks,
  readUnemployment,
  type ReadTable,
} from './vega-tables.ts';

type VegaFile = {
  readonly name: string;
  readonly read: ReadTable;
  readonly unit: string;
  readonly frequency: Frequency;
  readonly seasonallyAdjusted: boolean;
  /** Months from the start of a period to the day its value was surely known. */
  readonly lagMonths: number;
};
export type VegaEntry = {
  readonly id: string;
  readonly title: string;
  readonly file: VegaFile;
  /** The column, symbol, industry or category inside the file. */
  readonly key: string;
};

/** A row dated the 1st holds the close of that month's last trading day: known when the next month begins. */
const monthlyClose = { frequency: 'monthly', seasonallyAdjusted: true, lagMonths: 1 } as const;
/** Published on the first Friday after the month: the first day of the month after that is on the safe side. */
const jobsRelease = { frequency: 'monthly', lagMonths: 2 } as const;

const STOCKS: VegaFile = {
  ...monthlyClose,
  name: 'stocks.csv',
  read: readStocks,
  unit: 'USD, adjusted for splits and dividends',
};
const SP500: VegaFile = { ...monthlyClose, name: 'sp500.csv', read: readIndex, unit: 'index points' };
const EMPLOYMENT: VegaFile = {
  ...jobsRelease,
  name: 'us-employment.csv',
  read: readEmployment,
  unit: 'thousand persons',
  seasonallyAdjusted: true,
};
const UNEMPLOYMENT: VegaFile = {
  ...jobsRelease,
  name: 'unemployment-across-industries.json',
  read: readUnemployment,
  unit: '%',
  seasonallyAdjusted: false,
};
const RECEIPTS: VegaFile = {
  name: 'budget.json',
  read: readReceipts,
  unit: 'thousand USD per fiscal year',
  frequency: 'yearly',
  seasonallyAdjusted: true,
  // The year begins on October 1; the Treasury's statement for its last month came out by the end of the next October.
  lagMonths: 13,
};

const COMPANIES = { MSFT: 'Microsoft', AAPL: 'Apple', IBM: 'IBM', AMZN: 'Amazon', GOOG: 'Google' };
const SECTORS = [
  'nonfarm',
  'private',
  'goods_producing',
  'service_providing',
  'private_service_providing',
  'mining_and_logging',
  'construction',
  'manufacturing',
  'durable_goods',
  'nondurable_goods',
  'trade_transportation_utilties', // spelt so in the file
  'wholesale_trade',
  'retail_trade',
  'transportation_and_warehousing',
  'utilities',
  'information',
  'financial_activities',
  'professional_and_business_services',
  'education_and_health_services',
  'leisure_and_hospitality',
  'other_services',
  'government',
];
const INDUSTRIES = [
  'Government',
  'Mining and Extraction',
  'Construction',
  'Manufacturing',
  'Wholesale and Retail Trade',
  'Transportation and Utilities',
  'Information',
  'Finance',
  'Business services',
  'Education and Health',
  'Leisure and hospitality',
  'Other',
  'Agriculture',
  'Self-employed',
];
/** "Legislative Proposals" is left out: it holds nothing but estimates. */
const RECEIPT_CATEGORIES = [
  'Individual Income Taxes',
  'Corporation Income Taxes',
  'Social Insurance Taxes and Contributions',
  'Excise Taxes',
  'Estate and Gift Taxes',
  'Customs Duties',
  'Misc. Governmental Receipts',
];

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace('utilties', 'utilities')
    .replaceAll(/[^a-z0-9]+/g, '-');
const words = (column: string): string => slug(column).replaceAll('-', ' ');

/** Every series on offer, by id. */
export const vegaCatalog: ReadonlyMap<string, VegaEntry> = new Map(
  [
    ...Object.entries(COMPANIES).map(([symbol, company]) => ({
      id: `stocks/${symbol}`,
      title: company === symbol ? `${company} share price` : `${company} (${symbol}) share price`,
      file: STOCKS,
      key: symbol,
    })),
    { id: 'sp500/close', title: 'S&P 500', file: SP500, key: 'price' },
    ...SECTORS.map((key) => ({
      id: `us-employment/${slug(key)}`,
      title: `US employment, ${words(key)}`,
      file: EMPLOYMENT,
      key,
    })),
    ...INDUSTRIES.map((key) => ({
      id: `unemployment/${slug(key)}`,
      title: `US unemployment rate, ${words(key)}`,
      file: UNEMPLOYMENT,
      key,
    })),
    {
      id: 'unemployment/all',
      title: 'US unemployment rate, all industries',
      file: UNEMPLOYMENT,
      key: ALL_INDUSTRIES,
    },
    ...RECEIPT_CATEGORIES.map((key) => ({
      id: `receipts/${slug(key)}`,
      title: `US federal receipts, ${words(key)}, fiscal year from October`,
      file: RECEIPTS,
      key,
    })),
    { id: 'receipts/total', title: 'US federal receipts, fiscal year from October', file: RECEIPTS, key: ALL_RECEIPTS },
  ].map((entry) => [entry.id, entry]),
);
