import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createSourceReader, NoEvidence, type SeriesCache } from '../../src/activities/source-reader.ts';
import type { SourceAdapter } from '../../src/ports/sources.ts';
import type { Frequency, Observation, SeriesRecord } from '../../src/protocol/series.ts';

const monthAt = (index: number): string =>
  `${2000 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}-01`;
const monthly = (months: number, lagMonths = 1): Observation[] =>
  Array.from({ length: months }, (_, i) => ({ date: monthAt(i), value: i, availableAt: monthAt(i + lagMonths) }));

const record = (observations: readonly Observation[], changes: Partial<SeriesRecord> = {}): SeriesRecord => ({
  id: 'a',
  title: 'A',
  unit: 'points',
  frequency: 'monthly',
  seasonallyAdjusted: true,
  lagMonths: 1,
  source: { kind: 'memory', ref: 'a' },
  ...changes,
  observations,
});
const adapterOf = (answer: SeriesRecord): SourceAdapter => ({ load: () => Promise.resolve(answer) });
const never = new AbortController().signal;
const readerOf = (adapter: SourceAdapter | undefined, asOf?: string, declared = ['a']) =>
  createSourceReader({ adapter, declared, asOf, abortSignal: never });

const read = async (known: readonly Observation[], taskAsOf: string | undefined, asOf: string): Promise<unknown> =>
  readerOf(adapterOf(record(known)), taskAsOf)
    .series('a', { asOf })
    .catch((error: unknown) => (error instanceof NoEvidence ? error.why : Promise.reject(error)));

function slowAdapter() {
  const { promise, resolve, reject } = Promise.withResolvers<SeriesRecord>();
  const load = vi.fn<SourceAdapter['load']>(() => promise);
  return { adapter: { load }, load, resolve, reject };
}
const loadSignal = (load: ReturnType<typeof slowAdapter>['load']): AbortSignal | undefined =>
  load.mock.calls[0]?.[1].abortSignal;
const sharing = (adapter: SourceAdapter, cache: SeriesCache, abortSignal = never) =>
  createSourceReader({ adapter, declared: ['a'], abortSignal, cache });

describe('no look-ahead (invariant 1)', () => {
  const observation = fc
    .record({
      start: fc.integer({ min: 0, max: 119 }),
      lag: fc.integer({ min: 0, max: 24 }),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    })
    .map(({ start, lag, value }) => ({ date: monthAt(start), availableAt: monthAt(start + lag), value }));
  const observations = fc
    .uniqueArray(observation, { selector: ({ date }) => date, maxLength: 40 })
    .map((list) => list.sort((a, b) => (a.date < b.date ? -1 : 1)));
  test('removing every point not yet available at the as-of date changes nothing', async () => {
    const month = fc.integer({ min: 0, max: 150 }).map(monthAt);
    await fc.assert(
      fc.asyncProperty(observations, month, month, async (all, one, other) => {
        const [asOf, taskAsOf] = one <= other ? [one, other] : [other, one];
        const known = all.filter(({ availableAt }) => availableAt <= asOf);
        const seen = await read(all, taskAsOf, asOf);
        expect(seen).toEqual(await read(known, taskAsOf, asOf));
        expect(seen).toEqual(await read(known, undefined, asOf));
      }),
    );
  });

  test('a reader may ask for an earlier date than the task has, never for a later one', async () => {
    const reader = readerOf(adapterOf(record(monthly(24))), '2001-06-01');
    expect((await reader.series('a')).last.date).toBe('2001-05-01');
    expect((await reader.series('a', { asOf: '2001-01-01' })).last.date).toBe('2000-12-01');
    await expect(reader.series('a', { asOf: '2001-07-01' })).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(reader.series('a', { asOf: 'May' })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('without an as-of date the series is whole, as of the day its last value became known', async () => {
    const series = await readerOf(adapterOf(record(monthly(24)))).series('a');
    expect(series).toMatchObject({ asOf: '2002-01-01', staleMonths: 0, isStale: false, last: { date: '2001-12-01' } });
    expect(series.observations).toHaveLength(24);
  });

  test('a series of which nothing was known is no evidence', async () => {
    const early = readerOf(adapterOf(record(monthly(24))), '2000-01-31').series('a');
    await expect(early).rejects.toSatisfy((error) => error instanceof NoEvidence && error.kind === 'insufficient');
    await expect(early).rejects.toThrow('nothing of "a" was known as of 2000-01-31');
    await expect(readerOf(adapterOf(record([]))).series('a')).rejects.toBeInstanceOf(NoEvidence);
  });

  test('the source says as of when it was read', async () => {
    const { source } = await readerOf(adapterOf(record(monthly(24))), '2001-06-15').series('a');
    expect(source).toEqual({ kind: 'memory', ref: 'a', asOf: '2001-06-15' });
  });
});

describe('staleness', () => {
  test.each<[Frequency, number, string, number, boolean]>([
    ['monthly', 1, '2001-01-31', 0, false],
    ['monthly', 1, '2001-07-01', 6, false],
    ['monthly', 1, '2001-08-01', 7, true],
    ['monthly', 2, '2001-08-01', 6, false],
    ['quarterly', 1, '2001-10-01', 6, false],
    ['yearly', 1, '2002-01-01', 0, false],
    ['yearly', 1, '2002-08-01', 7, true],
  ])('%s with a lag of %d months, read %s: %d months stale', async (frequency, lagMonths, asOf, months, isStale) => {
    const last = record(monthly(12, lagMonths), { frequency, lagMonths });
    expect(await readerOf(adapterOf(last), asOf).series('a')).toMatchObject({ staleMonths: months, isStale });
  });

  test('a daily series is not a month old after a weekend', async () => {
    const days = ['2008-05-29', '2008-05-30'].map((date, value) => ({ date, value, availableAt: date }));
    const daily = record(days, { frequency: 'daily', lagMonths: 0 });
    expect(await readerOf(adapterOf(daily), '2008-06-01').series('a')).toMatchObject({ staleMonths: 0 });
  });
});

describe('what may be read (invariant 2), and what is believed (invariant 3)', () => {
  test('an undeclared source is refused before anything is loaded', async () => {
    const load = vi.fn<SourceAdapter['load']>();
    await expect(readerOf({ load }, undefined, ['b', 'c']).series('a')).rejects.toMatchObject({
      code: 'undeclared-source',
      message: '"a" is not among this leaf\'s sources (b, c). Add it to `sources` in its definition.',
    });
    expect(load).not.toHaveBeenCalled();
  });

  test('a scenario without sources says so', async () => {
    await expect(readerOf(undefined).series('a')).rejects.toMatchObject({ code: 'unknown-source' });
  });

  const first = { date: '2000-01-01', value: 1, availableAt: '2000-02-01' };
  const second = { date: '2000-02-01', value: 2, availableAt: '2000-03-01' };
  test.each<[string, SeriesRecord]>([
    ['unsorted', record([second, first])],
    ['duplicated', record([first, first])],
    ['not a number', record([{ ...first, value: Number.NaN }])],
    ['not a date', record([{ ...first, date: '2000-1-1' }])],
    ['another series', record([first], { id: 'b' })],
  ])('a record that is %s is invalid data', async (_, answer) => {
    await expect(readerOf(adapterOf(answer)).series('a')).rejects.toMatchObject({ code: 'invalid-data' });
  });

  test('nobody can alter what another leaf reads', async () => {
    const [observation] = (await readerOf(adapterOf(record(monthly(3)))).series('a')).observations;
    expect(observation).toSatisfy(Object.isFrozen);
  });
});

describe('shared loads', () => {
  test('readers of one run load a series once', async () => {
    const { adapter, load, resolve } = slowAdapter();
    const cache: SeriesCache = new Map();
    const both = Promise.all([sharing(adapter, cache).series('a'), sharing(adapter, cache).series('a')]);
    resolve(record(monthly(3)));
    const [one, other] = await both;
    expect(one).toEqual(other);
    await sharing(adapter, cache).series('a');
    expect(load).toHaveBeenCalledOnce();
  });

  test('a record with many faults is refused in one line, in plain words', async () => {
    const bad = monthly(300).map((each) => ({ ...each, date: each.date.replaceAll('-', '/') }));
    await expect(readerOf(adapterOf(record(bad))).series('a')).rejects.toThrow(
      'Source "a": observations.0.date is "2000/01/01"; it must be a calendar date such as 2008-06-01 (and 299 more). Observations need',
    );
  });

  test('a failed load is not kept', async () => {
    const cache: SeriesCache = new Map();
    const load = vi.fn<SourceAdapter['load']>().mockRejectedValueOnce(new Error('busy'));
    load.mockResolvedValueOnce(record(monthly(3)));
    await expect(sharing({ load }, cache).series('a')).rejects.toThrow('busy');
    await expect(sharing({ load }, cache).series('a')).resolves.toMatchObject({ id: 'a' });
  });

  test("one reader's abort does not disturb another's load", async () => {
    const { adapter, load, resolve } = slowAdapter();
    const cache: SeriesCache = new Map();
    const deadline = new AbortController();
    const hasty = sharing(adapter, cache, deadline.signal).series('a');
    const patient = sharing(adapter, cache).series('a');
    const reason = new Error('deadline');
    deadline.abort(reason);
    await expect(hasty).rejects.toBe(reason);
    expect(loadSignal(load)?.aborted).toBe(false);
    resolve(record(monthly(3)));
    await expect(patient).resolves.toMatchObject({ id: 'a' });
    expect(load).toHaveBeenCalledOnce();
  });

  test('when nobody waits any more the load is aborted and forgotten', async () => {
    const { adapter, load } = slowAdapter();
    const cache: SeriesCache = new Map();
    const own = new AbortController();
    const reader = sharing(adapter, cache);
    const reads = [reader.series('a', { abortSignal: own.signal }), reader.series('a', { abortSignal: own.signal })];
    own.abort();
    await Promise.allSettled(reads);
    expect(loadSignal(load)?.aborted).toBe(true);
    expect(cache.size).toBe(0);
  });

  test('an aborted reader loads nothing', async () => {
    const { adapter, load } = slowAdapter();
    await expect(sharing(adapter, new Map(), AbortSignal.abort(new Error('over'))).series('a')).rejects.toThrow('over');
    expect(load).not.toHaveBeenCalled();
  });
});
