/**
 * What every analyst shares: the checks before it reads a series and the finding it drafts afterwards.
 *
 * 1. An analyst is pure and looks only at `observations`, which its source has already cut at the as-of date.
 * 2. Polarity enters in one place, here: flipping it negates the stance and changes nothing else.
 * 3. No finding carries NaN or an infinity; a series that does not reach far enough gives a gap.
 */
import { CONTEXT_FLAG, type FindingDraft } from '../protocol/finding.ts';
import type { GapDraft } from '../protocol/gap.ts';
import type { Series } from '../protocol/series.ts';
import { clamp, roundTo, significant } from './rounding.ts';

/** +1: a rise of the series supports the thesis · −1: a rise hurts it · 0: context, reported but not voting. */
export type Polarity = -1 | 0 | 1;

/** `key` names the finding within its leaf; left out, it is the measure. Two of one measure need two keys. */
export type AnalystOptions = { readonly polarity: Polarity; readonly key?: string };

/** What an analyst answers. `'gap' in analysis` tells the two apart; a leaf may return either as it is. */
export type Analysis = FindingDraft | GapDraft;

/** What an analyst read from a series, before anything is said about a thesis. */
export type Reading = {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** The sentence after "title (date): ". */
  readonly says: string;
  readonly date: string;
  /** Direction and strength of a rise; tanh(score) is the stance at polarity +1. */
  readonly score: number;
  readonly observations: number;
  /** 0 … 1: how well this measure is established as evidence. */
  readonly fit: number;
  readonly critical?: { readonly rule: string; readonly reason: string } | undefined;
  /** False when there is nothing to vote about. Default true. */
  readonly votes?: boolean;
  readonly data?: Readonly<Record<string, number | string>>;
};

const CRITICAL_CONFIDENCE = 0.4;
/** Beyond these magnitudes squares and ratios leave the range of a double, and no measurement is meant. */
const SMALLEST = 1e-50;
const LARGEST = 1e50;

/** A gap that says how many observations there are and how many the analyst needs. */
export const tooFew = (series: Series, count: number, needed: number, what = 'observations'): GapDraft =>
  insufficient(series, `${count} ${what}, needs ${needed}`);

export const insufficient = (series: Series, why: string): GapDraft => ({
  gap: 'insufficient',
  why: `${series.title}: ${why}`,
});

/** n/(n+24) · 2^(−lag/3 months) · fit, within .05 … .95. */
export const confidenceOf = (observations: number, lagMonths: number, fit: number): number =>
  roundTo(clamp((observations / (observations + 24)) * 2 ** (-Math.max(0, lagMonths) / 3) * fit, 0.05, 0.95), 3);

/** Runs `read` on a series (and what it is compared with) that can be read at all, and drafts the finding. */
export function analyse(
  series: Series,
  options: AnalystOptions,
  read: () => Reading | GapDraft,
  comparedWith: readonly Series[] = [],
): Analysis {
  const all = [series, ...comparedWith];
  for (const each of all) {
    if (each.isStale) {
      const late = `${each.staleMonths} months beyond its normal lag`;
      return { gap: 'stale', why: `last observation ${each.last.date} of ${each.title}, ${late}` };
    }
    if (!each.observations.every(({ value }) => isReadable(value)))
      return insufficient(each, `holds a value beyond ${LARGEST} or below ${SMALLEST}`);
  }
  const reading = read();
  if ('gap' in reading) return reading;
  const lagMonths = Math.max(...all.map((each) => each.staleMonths));
  return draft(series, options, reading, lagMonths);
}

const isReadable = (value: number): boolean =>
  value === 0 || (Math.abs(value) >= SMALLEST && Math.abs(value) <= LARGEST);

function draft(series: Series, options: AnalystOptions, reading: Reading, lagMonths: number): FindingDraft {
  const confidence = confidenceOf(reading.observations, lagMonths, reading.fit);
  const votes = options.polarity !== 0 && reading.votes !== false;
  // A critical reading must be read whatever side it is on, so neither polarity nor context silences it.
  const critical = confidence >= CRITICAL_CONFIDENCE ? reading.critical : undefined;
  return {
    key: options.key ?? reading.measure,
    measure: reading.measure,
    statement: `${series.title} (${periodName(series, reading.date)}): ${reading.says}`,
    value: significant(reading.value, 4),
    unit: reading.unit,
    // `+ 0` turns −0 into 0, which JSON and a reader cannot tell apart but a comparison can.
    stance: votes ? options.polarity * roundTo(Math.tanh(reading.score), 3) + 0 : 0,
    confidence,
    flags: votes ? [] : [CONTEXT_FLAG],
    ...(critical && { critical }),
    ...(reading.data && { data: reading.data }),
    source: { ...series.source, asOf: reading.date },
  };
}

function periodName(series: Series, date: string): string {
  if (series.frequency === 'daily') return date;
  return series.frequency === 'yearly' ? date.slice(0, 4) : date.slice(0, 7);
}
