/** How relevant a child is to the thesis, before it is spawned. Pure. */
import type { Candidate } from './shape.ts';

export type RelevanceContext = {
  readonly thesis: string;
  readonly child: Candidate;
  /** Of its declared sources that could be asked in time: how many, and how many had data as of the date. */
  readonly sources: { readonly asked: number; readonly withData: number };
  readonly abortSignal: AbortSignal;
};
/** From 0, of no relevance, to 1. */
export type Assessor = (context: RelevanceContext) => number | Promise<number>;

export type RelevanceSpec = {
  /** Default: `relevanceOf`. */
  readonly assess?: Assessor;
  /** A child below this score is skipped. Default 0.25. */
  readonly threshold?: number;
};
export const DEFAULT_THRESHOLD = 0.25;

const STOP_WORDS = new Set(
  'a about above after all also an and any are as at be been before below between both but by can did do does for from had has have how if in into is it its more most no nor not of off on or other our out over own same say she so some such than that the their them then there these they this those to too under until up us very was we were what when where which while who why will with would you your'.split(
    ' ',
  ),
);
const SUFFIX = /(?:ations?|ings?|ies|ed|es|ly|al|s|y|e)$/;
const SHORTEST_STEM = 3;

/** Words in lower case, without stop words, each cut back to about its stem. */
function termsOf(text: string): Set<string> {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const stems = words.flatMap((word) => {
    if (STOP_WORDS.has(word)) return [];
    const stem = word.replace(SUFFIX, '');
    return stem.length >= SHORTEST_STEM ? stem : word;
  });
  return new Set(stems);
}

/**
 * The mean of two shares: of the child's sources, those that have data as of the date (1 when it has none to ask); and
 * of the terms of thesis and of charter and question, those in common, over the fewer of the two.
 */
export function relevanceOf({
  thesis,
  child,
  sources: { asked, withData },
}: Omit<RelevanceContext, 'abortSignal'>): number {
  const data = asked === 0 ? 1 : withData / asked;
  const wanted = termsOf(thesis);
  // A question that is the thesis itself says nothing of the child.
  const own = termsOf([child.name, child.charter, child.question === thesis ? '' : child.question].join(' '));
  const shared = [...wanted].filter((term) => own.has(term)).length;
  const fewer = Math.min(wanted.size, own.size);
  return (data + (fewer === 0 ? 0 : shared / fewer)) / 2;
}
