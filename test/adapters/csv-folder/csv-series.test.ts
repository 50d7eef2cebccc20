import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvFolder } from '../../../src/adapters/sources/csv-folder.ts';
import { EspalierError } from '../../../src/errors.ts';
import type { Observation, SeriesRecord } from '../../../src/protocol/series.ts';
import { entry, manifestOf, writtenFolder } from './written-folder.ts';

const signal = (): AbortSignal => new AbortController().signal;

async function load(csv: string, over: Readonly<Record<string, unknown>> = {}): Promise<SeriesRecord> {
  const folder = writtenFolder({ 'manifest.json': manifestOf(entry(over)), 'jobs.csv': csv });
  const { adapter } = await csvFolder(folder);
  return adapter.load('jobs', { abortSignal: signal() });
}
const valuesOf = ({ observations }: SeriesRecord) => observations.map(({ date, value }) => [date, value]);

async function faultOf(csv: string): Promise<string> {
  const error = await load(csv).catch((error: unknown) => error);
  if (!EspalierError.isInstance(error)) throw new Error('no EspalierError came');
  expect(error.code).toBe('invalid-data');
  expect(error.message).not.toContain('\n');
  expect(error.message).not.toContain('\u001B');
  return error.message;
}

const PLAIN = 'date,value\n2008-01-01,1.5\n2008-02-01,-2\n2008-03-01,+3e2\n';
const READ = [
  ['2008-01-01', 1.5],
  ['2008-02-01', -2],
  ['2008-03-01', 300],
];

describe('one series, however its file is written', () => {
  test.each([
    ['plainly', PLAIN],
    ['with a byte order mark', `\uFEFF${PLAIN}`],
    ['with CRLF', PLAIN.replaceAll('\n', '\r\n')],
    ['with CR', PLAIN.replaceAll('\n', '\r')],
    ['with mixed line ends', PLAIN.replace('\n', '\r\n')],
    ['without a last line end', PLAIN.trimEnd()],
    ['with blank lines', PLAIN.replaceAll('\n', '\n\n  \n')],
    ['with spaces around cells', PLAIN.replaceAll(',', ' , ')],
    ['with quotes', PLAIN.replaceAll(/[^,\n]+/g, '"$&"')],
    [
      'with a byte order mark, CRLF and quotes',
      `\uFEFF${PLAIN.replaceAll(/[^,\n]+/g, '"$&"').replaceAll('\n', '\r\n')}`,
    ],
  ])('%s', async (_, csv) => {
    const record = await load(csv);
    expect(valuesOf(record)).toEqual(READ);
    expect(record.source).toEqual({
      kind: 'csv',
      ref: 'jobs.csv',
      sha256: createHash('sha256').update(csv).digest('hex'),
    });
  });

  test('any dates in order and any finite numbers come back as they were', async () => {
    const rows = fc.uniqueArray(
      fc.tuple(
        fc.date({ min: new Date('1000-01-01'), max: new Date('8999-12-31'), noInvalidDate: true }),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      ),
      { minLength: 1, selector: ([date]) => date.toISOString().slice(0, 10) },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (drawn) => {
        const values = drawn
          .map(([date, value]) => [date.toISOString().slice(0, 10), value] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1));
        const record = await load(['date,value', ...values.map((row) => row.join(','))].join('\n'), {
          frequency: 'daily',
        });
        expect(valuesOf(record)).toEqual(values.map(([date, value]) => [date, value]));
        expect(record.observations.every(({ date, availableAt }) => availableAt >= date)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('when a value became known', () => {
  const first = async (over: Readonly<Record<string, unknown>>, csv = PLAIN): Promise<Observation | undefined> =>
    (await load(csv, over)).observations[0];

  test('is what the third column says', async () => {
    const csv = 'date,value,available\n2008-01-01,1,2008-02-14\n2008-02-01,2,2008-02-01\n';
    const { observations } = await load(csv, { frequency: 'monthly' });
    expect(observations.map((each) => each.availableAt)).toEqual(['2008-02-14', '2008-02-01']);
  });

  test('else it is so many months after its date', async () => {
    expect(await first({ availableAfterMonths: 5 })).toMatchObject({ availableAt: '2008-06-01' });
    expect(await first({ availableAfterMonths: 0 })).toMatchObject({ availableAt: '2008-01-01' });
    const monthEnd = 'date,value\n2008-01-31,1\n';
    expect(await first({ frequency: 'monthly', availableAfterMonths: 1 }, monthEnd)).toMatchObject({
      availableAt: '2008-02-29',
    });
  });

  test.each([
    ['daily', 0, '2008-01-01'],
    ['monthly', 2, '2008-03-01'],
    ['quarterly', 4, '2008-05-01'],
    ['annual', 14, '2009-03-01'],
  ])('by default, %s: %i months', async (frequency, lagMonths, availableAt) => {
    const record = await load(PLAIN, { frequency });
    expect(record.lagMonths).toBe(lagMonths);
    expect(record.observations[0]).toMatchObject({ availableAt });
  });
});

describe('a file that is not what it should be is told by name and line', () => {
  const at = (line: number) => `jobs.csv, line ${line}: `;
  const second = (row: string) => PLAIN.replace('2008-02-01,-2', row);
  test.each([
    ['an empty file', '', `${at(1)}the file is empty`],
    ['blank lines only', '\n\n', `${at(1)}the file is empty`],
    ['a header only', 'date,value\n', `${at(1)}nothing follows the header`],
    ['no header', PLAIN.slice('date,value\n'.length), `${at(1)}the header is "2008-01-01,1.5"`],
    ['another header', PLAIN.replace('value', 'price'), `${at(1)}the header is "date,price"`],
    ['a column too many', PLAIN.replace('value', 'value,available,note'), `${at(1)}the header is`],
    ['a day that is in no calendar', second('2008-02-30,1'), `${at(3)}"date" is no date`],
    ['a month alone', second('2008-02,1'), `${at(3)}"date" is no date of the years 1000 to 8999: "2008-02"`],
    ['a year without end', second('9999-12-31,1'), `${at(3)}"date" is no date`],
    ['no number', second('2008-02-01,abc'), `${at(3)}"value" is no number: "abc"`],
    ['a decimal comma', second('2008-02-01,"1,5"'), `${at(3)}"value" is no number: "1,5"`],
    ['a dot for a missing value', second('2008-02-01,.'), `${at(3)}"value" is no number: "."`],
    ['a hexadecimal', second('2008-02-01,0x10'), `${at(3)}"value" is no number`],
    ['an infinity', second('2008-02-01,1e999'), `${at(3)}"value" is no number: "1e999"`],
    ['an escape sequence', second('2008-02-01,\u001B[31m'), `${at(3)}"value" is no number: "\\u001b[31m"`],
    ['an empty value', second('2008-02-01,'), `${at(3)}an empty cell`],
    ['an empty date', second(',2'), `${at(3)}an empty cell`],
    ['a cell too many', second('2008-02-01,1,2'), `${at(3)}the header has 2 cells, this row has 3`],
    ['a cell too few', second('2008-02-01'), `${at(3)}the header has 2 cells, this row has 1`],
    ['a date twice', second('2008-01-01,2'), `${at(3)}2008-01-01 stands in line 2 already`],
    ['a date twice, apart', `${PLAIN}2008-01-01,9\n`, `${at(5)}2008-01-01 stands in line 2 already`],
    ['rows out of order', second('2007-12-01,2'), `${at(3)}2007-12-01 comes after 2008-01-01`],
    ['a quote that does not close', second('2008-02-01,"2'), `${at(3)}a quote opens and does not close`],
    ['a quote within a cell', second('2008-02-01,2"3'), `${at(3)}a quote within a cell`],
    ['a row without end', second(`2008-02-01,${'1'.repeat(100_000)}`), `${at(3)}a row of over 1000 bytes`],
    ['bytes that are no text', '\u0000\u0001'.repeat(9_000), `${at(1)}a row of over 1000 bytes`],
    ['a fault after blank lines and CRLF', 'date,value\r\n\r\n2008-01-01,1\r\n\r\n2008-02-01,x\r\n', at(5)],
    ['an empty third cell', 'date,value,available\n2008-01-01,1,\n', `${at(2)}an empty cell`],
    ['a bad third cell', 'date,value,available\n2008-01-01,1,soon\n', `${at(2)}"available" is no date`],
    ['known before it was', 'date,value,available\n2008-01-01,1,2007-01-01\n', `${at(2)}known on 2007-01-01, before`],
  ])('%s', async (_, csv, message) => {
    expect(await faultOf(csv)).toContain(message);
  });

  test('a series that is not in the manifest', async () => {
    const folder = writtenFolder({ 'manifest.json': manifestOf(entry()), 'jobs.csv': PLAIN });
    const { adapter } = await csvFolder(folder);
    await expect(adapter.load('toString', { abortSignal: signal() })).rejects.toMatchObject({ code: 'unknown-source' });
  });
});

const DAYS = 1_000_000;
/** 2,738 years of days. */
function millionRows(): string {
  const from = Date.UTC(1000, 0, 1);
  const rows = Array.from(
    { length: DAYS },
    (_, i) => `${new Date(from + i * 86_400_000).toISOString().slice(0, 10)},${i}`,
  );
  return `date,value\n${rows.join('\n')}\n`;
}

test('a million rows are read while others go on working, and given up when nobody wants them', async () => {
  const folder = writtenFolder({ 'manifest.json': manifestOf(entry()), 'jobs.csv': millionRows() });
  const { adapter } = await csvFolder(folder);
  let turns = 0;
  const beat = setInterval(() => turns++, 1);
  const { observations, frequency } = await adapter.load('jobs', { abortSignal: signal() });
  clearInterval(beat);
  expect(observations).toHaveLength(DAYS);
  expect(observations.at(-1)).toEqual({ date: '3737-11-27', value: DAYS - 1, availableAt: '3737-11-27' });
  expect(frequency).toBe('daily');
  expect(turns).toBeGreaterThan(20);

  const abort = new AbortController();
  const abandoned = adapter.load('jobs', { abortSignal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 20);
  await expect(abandoned).rejects.toThrow('enough');
}, 120_000);
