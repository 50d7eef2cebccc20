import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSourceReader, NoEvidence } from '../../../src/activities/source-reader.ts';
import { csvFolder } from '../../../src/adapters/sources/csv-folder.ts';
import { EspalierError } from '../../../src/errors.ts';
import type { Series, SeriesRecord } from '../../../src/protocol/series.ts';
import { entry, manifestOf, writtenFolder } from './written-folder.ts';

type Over = Readonly<Record<string, unknown>>;
const abortSignal = new AbortController().signal;
const csvOf = (dates: readonly string[]): string => ['date,value', ...dates.map((date) => `${date},1`), ''].join('\n');

async function adapterOf(csv: string, over: Over) {
  const folder = writtenFolder({ 'manifest.json': manifestOf(entry(over)), 'jobs.csv': csv });
  return (await csvFolder(folder)).adapter;
}
const load = async (csv: string, over: Over = {}): Promise<SeriesRecord> =>
  (await adapterOf(csv, over)).load('jobs', { abortSignal });
const seen = async (csv: string, asOf: string, over: Over = {}): Promise<Series> =>
  createSourceReader({ adapter: await adapterOf(csv, over), declared: ['jobs'], asOf, abortSignal }).series('jobs');

describe('a frequency that is not said', () => {
  test.each([
    ['daily', ['2008-01-04', '2008-01-07', '2008-01-08']],
    ['daily', ['2001-09-07', '2001-09-10', '2001-09-17']],
    ['daily', ['2008-01-04', '2008-01-11', '2008-01-18']],
    ['monthly', ['2008-01-31', '2008-02-29', '2008-03-31']],
    ['monthly', ['2008-01-25', '2008-02-29', '2008-03-28']],
    ['quarterly', ['2007-11-30', '2008-02-29', '2008-05-31', '2008-08-31']],
    ['quarterly', ['2008-03-29', '2008-06-28', '2008-09-27', '2009-01-03']],
    ['yearly', ['2007-01-01', '2008-01-01', '2009-01-01']],
    ['yearly', ['2007-09-29', '2008-09-27', '2009-10-03']],
  ])('is %s for %j', async (frequency, dates) => {
    expect((await load(csvOf(dates))).frequency).toBe(frequency);
  });

  const ask = 'Say its "frequency" in the manifest.';
  test.each([
    [
      'monthly data that go on daily',
      csvOf(['2008-05-01', '2008-06-01', '2008-06-02']),
      'jobs.csv, line 4: 1 day after line 3 (daily), but line 3 is 31 days after line 2 (monthly)',
    ],
    [
      'a gap that looks like another frequency',
      csvOf(['2008-01-01', '2008-02-01', '2008-03-01', '2008-06-01']),
      'jobs.csv, line 5: 92 days after line 4 (quarterly), but line 3 is 31 days after line 2 (monthly)',
    ],
    [
      'a gap that looks like none, after a blank line',
      `${csvOf(['2008-01-01', '2008-02-01'])}\n2008-04-01,1\n`,
      'jobs.csv, line 5: 2008-04-01 comes 60 days after 2008-02-01 in line 3, which is the distance of no frequency',
    ],
    ['a single row', csvOf(['2008-01-01']), 'jobs.csv, line 2: a single row tells no frequency'],
    [
      'a value that was known after its successor',
      'date,value,available\n2008-01-01,1,2008-03-01\n2008-02-01,1,2008-02-20\n',
      'jobs.csv, line 3: known on 2008-02-20, before line 2 on 2008-03-01, which tells no frequency in between',
    ],
  ])('is asked for: %s', async (_, csv, message) => {
    const error = await load(csv).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'invalid-data', message: `${message}. ${ask}` });
    expect((await load(csv, { frequency: 'monthly' })).frequency).toBe('monthly');
  });
});

test('a file that goes on daily shows no monthly value before its publication', async () => {
  const csv = csvOf(['2008-03-01', '2008-04-01', '2008-05-01', '2008-06-01', '2008-06-02', '2008-06-03', '2008-06-04']);
  await expect(seen(csv, '2008-06-02')).rejects.toMatchObject({ code: 'invalid-data' });
  const { last } = await seen(csv, '2008-06-02', { frequency: 'monthly' });
  expect(last.date).toBe('2008-04-01');
});

const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
const START = Date.UTC(2000, 0, 1) / 86_400_000;

/** Mostly one frequency, now and then another one or none, and a switch in the middle. */
const distance = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom([1, 3], [28, 31], [90, 92], [364, 371]) },
  { weight: 1, arbitrary: fc.constantFrom([1, 31], [30, 92], [10, 90], [13, 13]) },
);
const distances = fc
  .tuple(distance, fc.option(distance, { freq: 2 }))
  .chain(([[from = 1, to = 1], then]) =>
    fc.tuple(
      fc.array(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 12 }),
      then ? fc.array(fc.integer({ min: then[0] ?? 1, max: then[1] ?? 1 }), { maxLength: 12 }) : fc.constant([]),
    ),
  )
  .map((parts) => parts.flat());
const drawn = fc.record({
  distances,
  /** Days until each value is known, where there is a third column: the same for all, or each its own. */
  delays: fc.option(
    fc.oneof(
      fc.nat(60).map((delay) => [delay]),
      fc.array(fc.nat(200), { minLength: 1, maxLength: 25 }),
    ),
  ),
  over: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ availableAfterMonths: fc.nat(15) }) },
    { weight: 1, arbitrary: fc.record({ frequency: fc.constantFrom('daily', 'monthly', 'quarterly', 'annual') }) },
  ),
  /** Where between the first and the last publication the as-of date lies. */
  asOf: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
});

test('cutting what is not yet available changes nothing that a reader gives but the checksum', async () => {
  let compared = 0;
  const property = fc.asyncProperty(drawn, async ({ distances, delays, over, asOf: share }) => {
    let day = START;
    const days = [START, ...distances.map((distance) => (day += distance))];
    const rows = days.map((at, i) =>
      [iso(at), i, ...(delays ? [iso(at + (delays[i % delays.length] ?? 0))] : [])].join(','),
    );
    const header = delays ? 'date,value,available' : 'date,value';
    const file = (kept: readonly string[]): string => [header, ...kept, ''].join('\n');

    const whole = await load(file(rows), over).catch((error: unknown) => error);
    if (EspalierError.isInstance(whole)) {
      expect(whole.code).toBe('invalid-data');
      return;
    }
    const { observations } = whole as SeriesRecord;
    const known = observations.map(({ availableAt }) => Date.parse(availableAt) / 86_400_000);
    const [soonest, latest] = [Math.min(...known), Math.max(...known)];
    const asOf = iso(Math.round(soonest + share * (latest - soonest)));

    const kept = rows.filter((_, i) => (observations[i]?.availableAt ?? '') <= asOf);
    const before = await seen(file(rows), asOf, over);
    const after = seen(file(kept), asOf, over);
    if (kept.length === 1 && !('frequency' in over)) {
      await expect(after).rejects.toMatchObject({ code: 'invalid-data' });
      return;
    }
    const { sha256: _, ...source } = before.source;
    const { sha256, ...same } = (await after).source;
    expect({ ...(await after), source: same }).toEqual({ ...before, source });
    expect(sha256 === before.source.sha256).toBe(kept.length === rows.length);
    if (kept.length < rows.length && !('frequency' in over)) compared++;
  });
  await fc.assert(property, { numRuns: 400 });
  expect(compared).toBeGreaterThan(20);
});

test('before anything was known there is no evidence, whatever comes later', async () => {
  const csv = csvOf(['2008-01-01', '2008-02-01']);
  await expect(seen(csv, '2008-02-29')).rejects.toBeInstanceOf(NoEvidence);
});
