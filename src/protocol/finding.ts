/** The atomic result. A leaf writes drafts; the host mints findings from them and nobody alters one afterwards. */
import { z } from 'zod';

/** Where a finding comes from. `ref` names the document or series, `sha256` the bytes that were read. */
export const Source = z.object({
  /** What the finding was read from last: of a series the first day of its last period, not the run's as-of date. */
  asOf: z.string().exactOptional(),
  kind: z.string().min(1),
  ref: z.string().min(1),
  sha256: z.string().exactOptional(),
});
export type Source = z.infer<typeof Source>;

export const Critical = z.object({ reason: z.string().min(1), rule: z.string().min(1) });
export type Critical = z.infer<typeof Critical>;

const DEEPEST = 64;
const MOST_VALUES = 100_000;
/** zod copies a cycle faithfully, but nobody can write one down: what is bigger belongs into an artifact. */
function canBeWritten(data: unknown): boolean {
  let left = MOST_VALUES;
  const visit = (value: unknown, depth: number): boolean => {
    if (--left < 0 || depth > DEEPEST) return false;
    return typeof value !== 'object' || value === null || Object.values(value).every((one) => visit(one, depth + 1));
  };
  return visit(data, 0);
}
const Data = z.json().refine(canBeWritten, 'data has a cycle, more than 64 levels or more than 100,000 values');

const body = {
  /** One sentence a reader can check. */
  statement: z.string().min(1),
  /** The number behind the statement, in `unit`. */
  value: z.number().exactOptional(),
  unit: z.string().exactOptional(),
  /** What was measured (`growth`, `drawdown` …): findings of one measure can be compared across nodes. */
  measure: z.string().exactOptional(),
  /** −1 speaks fully against the thesis, 0 is neutral, +1 fully for it. */
  stance: z.number().min(-1, '−1 to 1').max(1, '−1 to 1'),
  /** 0 … 1: how far the stance can be relied on. */
  confidence: z.number().min(0, '0 to 1').max(1, '0 to 1'),
  /** `context`: reported but not voting. Others are the author's. */
  flags: z.array(z.string()),
  /** A critical finding reaches the root verbatim. */
  critical: Critical.exactOptional(),
  data: Data.exactOptional(),
};

/** A finding as its place in the tree has it. `id` is `path#key`; the same id never stands for two different bodies. */
export const Finding = z.object({
  id: z.string().min(1),
  path: z.string().min(1),
  ...body,
  source: Source,
  /** The ids this one was merged from, when a synthesis merged it. */
  from: z.array(z.string()).exactOptional(),
});
export type Finding = z.infer<typeof Finding>;

/** The last part of a finding's id, after the path and a "#". */
export const FindingKey = z
  .string()
  .regex(/^[^/#~\p{C}]{1,128}$/u, 'a key is 1 to 128 characters without "/", "#", "~" or control characters');

/** What a leaf's author writes. The host adds `id` and `path`; `key` makes the id stable across retries. */
export const FindingDraft = z.object({
  ...body,
  stance: body.stance.default(0),
  confidence: body.confidence.default(0.5),
  flags: body.flags.default([]),
  key: FindingKey.exactOptional(),
  source: Source.exactOptional(),
  // `exactOptional` would try every kind of JSON on an absent key, for each finding.
  data: Data.optional(),
  /** Ignored but noticed: a draft that claims another node's path is flagged `misattributed`. */
  path: z.string().exactOptional(),
});
export type FindingDraft = z.input<typeof FindingDraft>;

/** The flag of a finding that is reported but does not vote. */
export const CONTEXT_FLAG = 'context';
export const votes = (finding: Finding): boolean => !finding.flags.includes(CONTEXT_FLAG);

export type Side = 'supports' | 'against' | 'neutral' | 'context';
/** A stance this small takes no side. */
const NEUTRAL_STANCE = 0.1;

/** Which side of the thesis a finding takes: `context` does not vote, `neutral` votes for neither. */
export function sideOf(finding: Finding): Side {
  if (!votes(finding)) return 'context';
  if (Math.abs(finding.stance) <= NEUTRAL_STANCE) return 'neutral';
  return finding.stance > 0 ? 'supports' : 'against';
}

/** How much a finding counts: confidence · |stance|, three times that when it is critical. */
export const weightOf = (finding: Finding): number =>
  finding.confidence * Math.abs(finding.stance) * (finding.critical ? 3 : 1);
