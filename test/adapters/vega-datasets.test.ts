import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { vegaDatasetIds, vegaDatasets } from '../../src/adapters/sources/vega-datasets.ts';
import type { SeriesRecord } from '../../src/protocol/series.ts';

const installed = dirname(dirname(createRequire(import.meta.url).resolve('vega-datasets')));
const io = { abortSignal: new AbortController().signal };
const adapter = vegaDatasets();
const load = (id: string): Promise<SeriesRecord> => adapter.load(id, io);
const valueAt = (record: SeriesRecord, date: string) => record.observations.find((o) => o.date === date);

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A package folder of our own, with one file of data. */
function packageWith(file: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'vega-'));
  folders.push(folder);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'package.json'), '{ "version": "3.2.1" }');
  writeFileSync(join(folder, 'data', file), text);
  return folder;
}

describe('every series on offer', () => {
  test.each(vegaDatasetIds)('%s is in order, finite, and known only after its period began', async (id) => {
    const { observations, lagMonths } = await load(id);
    expect(observations.length).toBeGreaterThan(30);
    expect(lagMonths).toBeGreaterThan(0);
    observations.forEach(({ date, value, availableAt }, index) => {
      expect(value).toSatisfy(Number.isFinite);
      expect(availableAt > date).toBe(true);
      expect(date > (observations[index - 1]?.date ?? '')).toBe(true);
    });
  });

  test('covers every column and industry of its files', () => {
    const header =
      readFileSync(join(installed, 'data/us-employment.csv'), 'utf8').split('\n')[0]?.trim().split(',') ?? [];
    const sectors = header.filter((column) => column !== 'month' && column !== 'nonfarm_change');
    expect(vegaDatasetIds.filter((id) => id.startsWith('us-employment/'))).toHaveLength(sectors.length);
    const rows: { series: string }[] = JSON.parse(
      readFileSync(join(installed, 'data/unemployment-across-industries.json'), 'utf8'),
    );
    const industries = new Set(rows.map((row) => row.series));
    expect(vegaDatasetIds.filter((id) => id.startsWith('unemployment/'))).toHaveLength(industries.size + 1);
  });
});

describe('what the numbers are', () => {
  test('the S&P row "Oct 1 2008" is the close of October 31, known in November', async () => {
    const index = await load('sp500/close');
    expect(valueAt(index, '2008-10-01')).toEqual({ date: '2008-10-01', value: 968.75, availableAt: '2008-11-01' });
  });

  test('every month of the index is the close of its last trading day, as the daily file has it', async () => {
    const closeByMonth = new Map<string, number>();
    for (const line of readFileSync(join(installed, 'data/sp500-2000.csv'), 'utf8').trim().split('\n').slice(1)) {
      const [date = '', , , , close] = line.split(',');
      closeByMonth.set(date.slice(0, 7), Number(close));
    }
    const { observations } = await load('sp500/close');
    for (const { date, value } of observations) expect(value).toBeCloseTo(closeByMonth.get(date.slice(0, 7)) ?? 0, 1);
  });

  test('the unfinished month at the end of the price files is left out', async () => {
    for (const id of ['sp500/close', 'stocks/MSFT', 'stocks/GOOG']) {
      const { observations } = await load(id);
      expect(observations.at(-1)?.date).toBe('2010-02-01');
    }
  });

  test('jobs data are known two months after their month began', async () => {
    const jobs = await load('us-employment/nonfarm');
    expect(valueAt(jobs, '2008-04-01')?.availableAt).toBe('2008-06-01');
    expect(jobs.seasonallyAdjusted).toBe(true);
    const rate = await load('unemployment/construction');
    expect(valueAt(rate, '2008-04-01')).toEqual({ date: '2008-04-01', value: 11.1, availableAt: '2008-06-01' });
    expect(rate.seasonallyAdjusted).toBe(false);
  });

  test('unemployment over all industries lies between its industries and is near the official rate', async () => {
    const all = await load('unemployment/all');
    // Officially 4.8 % not seasonally adjusted; the industries leave out those who never had a job.
    expect(valueAt(all, '2008-04-01')?.value).toBeCloseTo(4.4, 0);
    expect(valueAt(all, '2009-10-01')?.value).toBeGreaterThan(8.5);
  });

  test('receipts are actual fiscal years in thousands of dollars, known after September 30', async () => {
    const corporate = await load('receipts/corporation-income-taxes');
    // Fiscal 2007: 370.2 billion dollars.
    expect(valueAt(corporate, '2006-10-01')).toEqual({
      date: '2006-10-01',
      value: 370_243_000,
      availableAt: '2007-11-01',
    });
    expect(corporate.observations.at(-1)?.date).toBe('2013-10-01');
    const total = await load('receipts/total');
    expect(valueAt(total, '2006-10-01')?.value).toBe(2_567_985_000);
  });

  test('the source names package, version, file and column, with the digest of the file', async () => {
    const { source } = await load('stocks/MSFT');
    const bytes = readFileSync(join(installed, 'data/stocks.csv'));
    expect(source).toEqual({
      kind: 'npm',
      ref: 'vega-datasets@3.2.1/data/stocks.csv#MSFT',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });
});

describe('what can go wrong', () => {
  test('an unknown id names the nearest ones', async () => {
    await expect(load('stocks/MFST')).rejects.toMatchObject({
      code: 'unknown-source',
      message: expect.stringContaining('"stocks/MSFT"'),
    });
    await expect(load('unemployment/constructions')).rejects.toThrow('"unemployment/construction"');
  });

  test.each([
    ['stocks.csv', 'stocks/MSFT', 'symbol,date,price\nMSFT,Jan 1 2000,1\nMSFT,Feb 1 2000,dear\n', 'line 3'],
    ['stocks.csv', 'stocks/MSFT', 'symbol,date,price\nMSFT,2000-01-01,1\n', 'line 2'],
    ['stocks.csv', 'stocks/MSFT', 'symbol,date,price\nMSFT,Jan 1 2000\n', 'line 2'],
    ['stocks.csv', 'stocks/MSFT', 'ticker,date,price\nMSFT,Jan 1 2000,1\n', 'no column "symbol"'],
    ['stocks.csv', 'stocks/MSFT', 'symbol,date,price\nAAPL,Jan 1 2000,1\n', 'stocks.csv#MSFT holds nothing'],
    ['sp500.csv', 'sp500/close', '', 'no column'],
    ['us-employment.csv', 'us-employment/nonfarm', 'month,nonfarm\n2006-01-01,\n', 'line 2: "nonfarm" is empty'],
    ['us-employment.csv', 'us-employment/nonfarm', 'month,nonfarm\n2006-13-01,1\n', 'line 2'],
    ['unemployment-across-industries.json', 'unemployment/all', '[{"series":"Finance"}]', 'row 1'],
    ['unemployment-across-industries.json', 'unemployment/all', '[{', 'unemployment-across-industries.json'],
    ['budget.json', 'receipts/total', '[{"Source category name":"Excise Taxes"}]', 'row 1: no amount for 1977'],
    ['other.csv', 'stocks/MSFT', '', 'cannot read'],
  ])('a broken %s is invalid-data with file and line', async (file, id, text, where) => {
    const broken = vegaDatasets({ directory: packageWith(file, text) });
    await expect(broken.load(id, io)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(where),
    });
  });

  test('an aborted load rejects with the reason', async () => {
    const reason = new Error('deadline');
    await expect(adapter.load('stocks/MSFT', { abortSignal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test('a file is read once per adapter, and again after a failure', async () => {
  const folder = packageWith('sp500.csv', 'nonsense');
  const own = vegaDatasets({ directory: folder });
  await expect(own.load('sp500/close', io)).rejects.toMatchObject({ code: 'invalid-data' });
  cpSync(join(installed, 'data/sp500.csv'), join(folder, 'data/sp500.csv'));
  const record = await own.load('sp500/close', io);
  rmSync(join(folder, 'data/sp500.csv'));
  expect(await own.load('sp500/close', io)).toEqual(record);
});
