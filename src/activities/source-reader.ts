/**
 * A leaf's only way to data, and the one place where looking ahead is prevented.
 *
 * 1. No observation passes with `availableAt` after the as-of date; nothing that is said tells what came later.
 * 2. Only declared ids pass, unless the scenario observes undeclared reads.
 * 3. What an adapter answers is checked before anybody sees it, and frozen: analysts rely on its order and share it.
 */
import { z } from 'zod';
import type { SourceReader } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { SourceRead } from '../ports/activities.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import { Source } from '../protocol/finding.ts';
import { misfitOf } from '../protocol/misfit.ts';
import type { Frequency, Observation, Series, SeriesRecord } from '../protocol/series.ts';
import { IsoDate } from '../protocol/task.ts';
import { faultOf } from '../tier/fault.ts';
import { sharedLoad, type SeriesCache } from './shared-loads.ts';

export type { SeriesCache };

/** Nothing of a series was known at the as-of date: the activity layer turns this into a gap. */
export class NoEvidence extends Error {
  override readonly name = 'NoEvidence';
  readonly kind = 'insufficient';
  readonly why: string;

  constructor(why: string) {
    super(why);
    this.why = why;
  }
}

export type SourceReaderOptions = {
  /** Absent when the scenario has no sources: every read then fails with `unknown-source`. */
  adapter: SourceAdapter | undefined;
  /** The ids that the leaf may read. */
  declared: readonly string[];
  /** `YYYY-MM-DD`. Absent: a series is read whole, as of the day on which its last value became known. */
  asOf?: string | undefined;
  abortSignal: AbortSignal;
  /** When given, an undeclared id is told and passes. */
  onUndeclared?: (id: string) => void;
  /** The run's shared loads. Default: this reader's own. */
  cache?: SeriesCache;
  /** Told of every read, and, by what it returns, of its end. */
  watch?: (id: string, isDeclared: boolean) => (read: SourceRead) => void;
};

/** Reads the declared series of one leaf, cut to what was known at the as-of date. */
export function createSourceReader(options: SourceReaderOptions): SourceReader {
  const { adapter, declared, abortSignal, onUndeclared, cache = new Map<string, Promise<SeriesRecord>>() } = options;
  const allowed = new Set(declared);
  const latest = options.asOf === undefined ? undefined : parsedDate(options.asOf);
  const reader: SourceReader = {
    async series(id, { asOf, abortSignal: own } = {}) {
      if (!allowed.has(id)) {
        if (!onUndeclared) throw undeclared(id, declared);
        onUndeclared(id);
      }
      const cut = asOf === undefined ? latest : parsedDate(asOf);
      if (cut !== undefined && latest !== undefined && cut > latest) throw lookAhead(id, cut, latest);
      if (!adapter) throw withoutAdapter(id);
      const signals = own && own !== abortSignal ? [abortSignal, own] : [abortSignal];
      for (const signal of signals) signal.throwIfAborted();
      const record = await sharedLoad(cache, id, signals, (signal) => loadChecked(adapter, id, signal));
      return asKnown(record, cut);
    },
  };
  const { watch } = options;
  return watch ? watched(reader, (id) => watch(id, allowed.has(id))) : reader;
}

const watched = (reader: SourceReader, begin: (id: string) => (read: SourceRead) => void): SourceReader => ({
  async series(id, options) {
    const end = begin(id);
    try {
      const series = await reader.series(id, options);
      end({ status: 'complete', observations: series.observations.length });
      return series;
    } catch (error) {
      end({ status: error instanceof NoEvidence ? 'complete' : faultOf(error).status, observations: 0 });
      throw error;
    }
  },
});

/** Months from a series' normal lag to the next publication of a slower one: until then it is not late. */
const CYCLE_MONTHS: Readonly<Record<Frequency, number>> = { daily: 0, monthly: 0, quarterly: 3, yearly: 12 };
const STALE_AFTER_MONTHS = 6;

function asKnown(record: SeriesRecord, cut: string | undefined): Series {
  const asOf = cut ?? record.observations.reduce((day, { availableAt }) => (availableAt > day ? availableAt : day), '');
  const observations = record.observations.filter(({ availableAt }) => availableAt <= asOf);
  const last = observations.at(-1);
  if (!last) throw new NoEvidence(`nothing of "${record.id}" was known${asOf ? ` as of ${asOf}` : ''}`);
  const late = wholeMonths(last.date, asOf) - record.lagMonths - CYCLE_MONTHS[record.frequency];
  const staleMonths = Math.max(0, late);
  const isStale = staleMonths > STALE_AFTER_MONTHS;
  return { ...record, observations, asOf, last, staleMonths, isStale, source: { ...record.source, asOf } };
}

async function loadChecked(adapter: SourceAdapter, id: string, abortSignal: AbortSignal): Promise<SeriesRecord> {
  return checked(id, await adapter.load(id, { abortSignal }));
}

const RecordShape = z.object({
  id: z.string(),
  title: z.string(),
  unit: z.string(),
  frequency: z.enum(['daily', 'monthly', 'quarterly', 'yearly']),
  seasonallyAdjusted: z.boolean(),
  lagMonths: z.number().min(0),
  observations: z.array(z.object({ date: IsoDate, value: z.number(), availableAt: IsoDate }).readonly()).readonly(),
  source: Source.readonly(),
});

function checked(id: string, answer: unknown): SeriesRecord {
  const result = RecordShape.readonly().safeParse(answer);
  if (!result.success) throw invalid(id, misfitsOf(result.error, answer));
  const record = result.data;
  if (record.id !== id) throw invalid(id, `the adapter answered with "${record.id}"`);
  let before: Observation | undefined;
  for (const observation of record.observations) {
    if (before && observation.date <= before.date) {
      const order = observation.date === before.date ? 'twice' : `after ${before.date}`;
      throw invalid(id, `the observation of ${observation.date} comes ${order}`);
    }
    before = observation;
  }
  return record;
}

/** One line, however many observations are wrong: mending the first often mends them all. */
function misfitsOf(error: z.ZodError, answer: unknown): string {
  const more = error.issues.length - 1;
  return `${misfitOf(error, answer)}${more === 0 ? '' : ` (and ${more} more)`}`;
}

/** 2008-01-31 to 2008-03-01 is one whole month. */
function wholeMonths(from: string, to: string): number {
  return monthOf(to) - monthOf(from) - (to.slice(8) < from.slice(8) ? 1 : 0);
}
const monthOf = (date: string): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));

function parsedDate(date: string): string {
  if (IsoDate.safeParse(date).success) return date;
  throw new EspalierError('invalid-input', `"${date}" is not a date. Write it like 2008-06-01.`);
}

const invalid = (id: string, what: string): EspalierError =>
  new EspalierError(
    'invalid-data',
    `Source "${id}": ${what}. Observations need unique dates in ascending order, finite values and availableAt.`,
  );

const undeclared = (id: string, declared: readonly string[]): EspalierError =>
  new EspalierError(
    'undeclared-source',
    `"${id}" is not among this leaf's sources (${declared.join(', ') || 'none'}). Add it to \`sources\` in its definition.`,
  );

const lookAhead = (id: string, asOf: string, latest: string): EspalierError =>
  new EspalierError(
    'invalid-input',
    `"${id}" was asked for as of ${asOf}, but the task is as of ${latest}. Leave out asOf, or ask for an earlier date.`,
  );

const withoutAdapter = (id: string): EspalierError =>
  new EspalierError('unknown-source', `"${id}" cannot be read: the scenario has no \`sources\`. Add an adapter there.`);
