import type { FindingDraft } from '../../../src/protocol/finding.ts';
import type { GapDraft } from '../../../src/protocol/gap.ts';
import type { Frequency, Observation, Series } from '../../../src/protocol/series.ts';

const MONTHS: Readonly<Record<Frequency, number>> = { daily: 1, monthly: 1, quarterly: 3, yearly: 12 };

const dateOf = (month: number): string => `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`;

/** The first day of the `index`-th period of a series that starts in January 2000. */
export const dateAt = (index: number, frequency: Frequency = 'monthly'): string =>
  dateOf(2000 * 12 + index * MONTHS[frequency]);

/** A series from January 2000 on; `undefined` is a hole. The last value must be there. */
export function seriesOf(values: readonly (number | undefined)[], given: Partial<Series> = {}): Series {
  const frequency = given.frequency ?? 'monthly';
  const observations = values.flatMap((value, index): Observation[] =>
    value === undefined ? [] : [{ date: dateAt(index, frequency), value, availableAt: dateAt(index + 1, frequency) }],
  );
  return seriesWith(observations, given);
}

export function seriesWith(observations: readonly Observation[], given: Partial<Series> = {}): Series {
  const last = observations.at(-1);
  if (!last) throw new Error('a series has at least one observation');
  const staleMonths = given.staleMonths ?? 0;
  return {
    id: 'test/series',
    title: 'Test series',
    unit: 'units',
    frequency: 'monthly',
    seasonallyAdjusted: true,
    lagMonths: 1,
    observations,
    source: { kind: 'test', ref: 'test#series', sha256: 'ab' },
    asOf: last.availableAt,
    last,
    staleMonths,
    isStale: staleMonths > 6,
    ...given,
  };
}

export function findingIn(analysis: FindingDraft | GapDraft): FindingDraft {
  if ('gap' in analysis) throw new Error(`a gap: ${analysis.why}`);
  return analysis;
}

export function gapIn(analysis: FindingDraft | GapDraft | Series): GapDraft {
  if (!('gap' in analysis)) throw new Error('no gap');
  return analysis;
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = Math.trunc(state + 0x6d2b79f5);
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal numbers from a seed (Box-Muller). */
export function normals(seed: number): () => number {
  const next = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}
