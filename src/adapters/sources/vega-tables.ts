/**
 * The files of `vega-datasets` as tables of dated numbers, one column per key. Text in, numbers out: no file system
 * here. What does not hold what it should is an `invalid-data` with file and line.
 */
import { CsvError, parse, type Info } from 'csv-parse/sync';
import { z } from 'zod';
import { EspalierError } from '../../errors.ts';

type Cell = { readonly date: string; readonly value: number };
/** Cells by column key, in the order of the file. */
export type Table = ReadonlyMap<string, readonly Cell[]>;
export type ReadTable = (text: string, file: string) => Table;

/** The key of the series computed over all industries. */
export const ALL_INDUSTRIES = 'all industries';
export const ALL_RECEIPTS = 'all receipts';

/**
 * The monthly price files were drawn on 9 March 2010: the row "Mar 1 2010" is that day's close (S&P 500: 1140.45; the
 * month closed at 1169.43). Every other row is the close of its month's last trading day.
 */
const UNFINISHED_MONTH = '2010-03-01';
/** Up to 1976 a fiscal year began in July; then came a quarter of its own. From 1977 it runs October to September. */
const FIRST_FISCAL_YEAR = 1977;
/** The file is table 3 of the Budget for 2016, published in February 2015: what follows are its estimates. */
const LAST_ACTUAL_FISCAL_YEAR = 2014;

type Line = { readonly record: Readonly<Record<string, string>>; readonly at: string };

export const readStocks: ReadTable = (text, file) =>
  tableOf(
    linesOf(text, file, ['symbol', 'date', 'price'])
      .map((line) => ({ key: field(line, 'symbol'), date: monthOf(line), value: numberOf(line, 'price') }))
      .filter(({ date }) => date !== UNFINISHED_MONTH),
  );

export const readIndex: ReadTable = (text, file) =>
  tableOf(
    linesOf(text, file, ['date', 'price'])
      .map((line) => ({ key: 'price', date: monthOf(line), value: numberOf(line, 'price') }))
      .filter(({ date }) => date !== UNFINISHED_MONTH),
  );

export const readEmployment: ReadTable = (text, file) =>
  tableOf(
    linesOf(text, file, ['month', 'nonfarm']).flatMap((line) =>
      Object.keys(line.record)
        .filter((key) => key !== 'month')
        .map((key) => ({ key, date: isoDate(field(line, 'month'), line.at), value: numberOf(line, key) })),
    ),
  );

const IndustryRow = z.object({
  series: z.string(),
  year: z.int(),
  month: z.int().min(1).max(12),
  /** Thousands of unemployed persons. */
  count: z.number().min(0),
  /** Per cent of the industry's labour force. A rate of 0 would leave that labour force unknown. */
  rate: z.number().positive(),
});

export const readUnemployment: ReadTable = (text, file) => {
  const cells: (Cell & { key: string })[] = [];
  const months = new Map<string, { unemployed: number; labourForce: number }>();
  for (const { series, year, month, count, rate } of rowsOf(text, file, IndustryRow)) {
    const date = firstOfMonth(year, month);
    cells.push({ key: series, date, value: rate });
    const sum = months.get(date) ?? { unemployed: 0, labourForce: 0 };
    months.set(date, { unemployed: sum.unemployed + count, labourForce: sum.labourForce + count / (rate / 100) });
  }
  for (const [date, { unemployed, labourForce }] of months)
    cells.push({ key: ALL_INDUSTRIES, date, value: (100 * unemployed) / labourForce });
  return tableOf(cells);
};

const AccountRow = z.object({ 'Source category name': z.string() }).catchall(z.union([z.string(), z.number()]));

/** Receipts in thousands of dollars per fiscal year, summed over the accounts of a category. Actual years only. */
export const readReceipts: ReadTable = (text, file) => {
  const rows = rowsOf(text, file, AccountRow);
  const cells: (Cell & { key: string })[] = [];
  for (let year = FIRST_FISCAL_YEAR; year <= LAST_ACTUAL_FISCAL_YEAR; year++) {
    const sums = new Map<string, number>();
    rows.forEach((row, index) => {
      const value = Number(String(row[year] ?? '').replaceAll(',', '') || Number.NaN);
      if (!Number.isFinite(value)) throw invalid(`${file}, row ${index + 1}`, `no amount for ${year}`);
      const category = row['Source category name'];
      sums.set(category, (sums.get(category) ?? 0) + value);
      sums.set(ALL_RECEIPTS, (sums.get(ALL_RECEIPTS) ?? 0) + value);
    });
    for (const [key, value] of sums) cells.push({ key, date: firstOfMonth(year - 1, 10), value });
  }
  return tableOf(cells);
};

function tableOf(cells: readonly (Cell & { key: string })[]): Table {
  const table = new Map<string, Cell[]>();
  for (const { key, date, value } of cells) {
    const column = table.get(key);
    if (column) column.push({ date, value });
    else table.set(key, [{ date, value }]);
  }
  return table;
}

function linesOf(text: string, file: string, columns: readonly string[]): Line[] {
  const rows = parsed(file, () =>
    parse<{ record: Record<string, string>; info: Info }>(text, { columns: true, info: true, skip_empty_lines: true }),
  );
  const header = rows[0]?.record ?? {};
  const missing = columns.filter((column) => !(column in header));
  if (missing.length > 0) throw invalid(`${file}, line 1`, `no column ${missing.map((c) => `"${c}"`).join(', ')}`);
  return rows.map(({ record, info }) => ({ record, at: `${file}, line ${info.lines}` }));
}

function rowsOf<Row>(text: string, file: string, shape: z.ZodType<Row>): Row[] {
  const result = z
    .array(shape)
    .min(1)
    .safeParse(parsed(file, () => JSON.parse(text)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [index, ...rest] = issue?.path ?? [];
  const at = typeof index === 'number' ? `${file}, row ${index + 1}` : file;
  throw invalid(at, [rest.join('.'), issue?.message].filter(Boolean).join(': '));
}

function parsed<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const line = cause instanceof CsvError && typeof cause['lines'] === 'number' ? `, line ${cause['lines']}` : '';
    throw invalid(`${file}${line}`, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function field(line: Line, column: string): string {
  const text = line.record[column]?.trim();
  if (!text) throw invalid(line.at, `"${column}" is empty`);
  return text;
}

function numberOf(line: Line, column: string): number {
  const text = field(line, column);
  const value = Number(text);
  if (!Number.isFinite(value)) throw invalid(line.at, `"${column}" is no number: ${text}`);
  return value;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** "Oct 1 2008" → 2008-10-01. */
function monthOf(line: Line): string {
  const text = field(line, 'date');
  const [, name = '', year = ''] = /^(\w{3}) 1 (\d{4})$/.exec(text) ?? [];
  const month = MONTHS.indexOf(name) + 1;
  if (month === 0) throw invalid(line.at, `"date" is not like "Oct 1 2008": ${text}`);
  return firstOfMonth(Number(year), month);
}

function isoDate(text: string, at: string): string {
  if (!z.iso.date().safeParse(text).success) throw invalid(at, `not a date like 2008-10-01: ${text}`);
  return text;
}

const firstOfMonth = (year: number, month: number): string => `${year}-${String(month).padStart(2, '0')}-01`;

const invalid = (at: string, what: string, cause?: unknown): EspalierError =>
  new EspalierError(
    'invalid-data',
    `vega-datasets ${at}: ${what}. Reinstall the package: npm install vega-datasets@3.2.1`,
    { cause },
  );
