import { z } from 'zod';
import { FailureStatus } from './failure-status.ts';
import { NodeName } from './path.ts';

/**
 * What is missing, and why.
 * - `token`: a child ended in a failure token · `undone`: work that was due and not done · `synthesis`: a synthesis
 *   was replaced · `skipped`: not activated by decision · `not-needed`: the quorum was reached without it ·
 *   `demoted`: executed as a leaf because depth was spent · `stale`: the data ends too long before the as-of date ·
 *   `insufficient`: the data does not reach far enough to say anything · `pending`: of an interim report only, a child
 *   that has not ended yet
 */
export const GapKind = z.enum([
  'token',
  'undone',
  'synthesis',
  'skipped',
  'not-needed',
  'demoted',
  'stale',
  'insufficient',
  'pending',
]);
export type GapKind = z.infer<typeof GapKind>;

export const Gap = z.object({
  kind: GapKind,
  /** Of a `token`: no attempt is left, and none would help. */
  needsHuman: z.literal(true).exactOptional(),
  path: z.string().min(1),
  /** Of a `token` or `synthesis`: how it failed. */
  status: FailureStatus.exactOptional(),
  why: z.string(),
});
export type Gap = z.infer<typeof Gap>;

/** A gap as a leaf's author writes it: the host adds the path. */
export const GapDraft = z.object({
  gap: GapKind.exclude(['pending']),
  why: z.string(),
  /** The declared child that the gap is about, when an orchestrator executed in its place. */
  child: NodeName.exactOptional(),
});
export type GapDraft = z.infer<typeof GapDraft>;

const HOLES: ReadonlySet<GapKind> = new Set(['token', 'undone', 'synthesis', 'pending']);
/** Whether this gap makes a report `partial`: something was due and did not come. */
export const isHole = (gap: Gap): boolean => HOLES.has(gap.kind);
const INTERRUPTIONS: ReadonlySet<unknown> = new Set<FailureStatus>(['timeout', 'budget', 'cancelled']);
/** Whether a limit or a cancellation cut this off: another try with more time or money may fill it. */
export const isInterruptedBy = (status: unknown): boolean => INTERRUPTIONS.has(status);
export const isInterruption = ({ kind, status }: Gap): boolean => HOLES.has(kind) && isInterruptedBy(status);
