import { shown } from '../../define/check.ts';
import { EspalierError } from '../../errors.ts';
import type { SourceAdapter } from '../../ports/sources.ts';
import type { Frequency, Observation, SeriesRecord } from '../../protocol/series.ts';
import { IsoDate } from '../../protocol/task.ts';
import { monthsLater } from './months-later.ts';

/** A series as one would write it by hand. `values` are `[date, value]` pairs in order of date. */
export type InMemorySeries = {
  id: string;
  values: readonly (readonly [date: string, value: number])[];
  title?: string;
  unit?: string;
  /** Default `monthly`. */
  frequency?: Frequency;
  seasonallyAdjusted?: boolean;
  /** Months from a date to the day on which its value was known. Default 1. */
  lagMonths?: number;
};

/**
 * Series that a program holds itself: for trials, tests, and data from elsewhere.
 * @throws EspalierError `invalid-data` on a date that is none
 * @example
 * inMemorySources([{ id: 'jobs', values: [['2008-01-01', 138.4], ['2008-02-01', 138.3]] }])
 */
export function inMemorySources(series: readonly InMemorySeries[]): SourceAdapter {
  const records = new Map(series.map((one) => [one.id, recordOf(one)]));
  return {
    async load(id) {
      const record = records.get(id);
      if (record) return record;
      const known = [...records.keys()].join(', ') || 'none';
      throw new EspalierError('unknown-source', `There is no series "${id}" in memory. There are: ${known}.`);
    },
  };
}

function recordOf({
  id,
  values,
  title,
  unit,
  frequency,
  seasonallyAdjusted,
  lagMonths = 1,
}: InMemorySeries): SeriesRecord {
  const observations = values.map(([date, value], index): Observation => {
    if (!IsoDate.safeParse(date).success) throw badDate(id, index, date);
    return { date, value, availableAt: monthsLater(date, lagMonths) };
  });
  return {
    id,
    title: title ?? id,
    unit: unit ?? '',
    frequency: frequency ?? 'monthly',
    seasonallyAdjusted: seasonallyAdjusted ?? true,
    lagMonths,
    observations,
    source: { kind: 'memory', ref: id },
  };
}

const badDate = (id: string, index: number, date: unknown): EspalierError =>
  new EspalierError(
    'invalid-data',
    `Value ${index + 1} of the series "${id}" in memory is dated ${shown(date)}, which is no calendar date. Write it as YYYY-MM-DD, such as 2008-06-01.`,
  );
