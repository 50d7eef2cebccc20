/**
 * Proof that bytes did not change on the way: SHA-256 of the canonical JSON (RFC 8785).
 *  1. Two runs that found the same have the same digests: the run's id and all times are left out.
 *  2. A parent's digest covers its children's digests, so the root's covers the tree.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Outcome, Report, Timing, UnsealedOutcome, UnsealedReport } from './report.ts';

/** The canonical JSON of any JSON value: sorted keys, shortest numbers. */
export const canonicalJson = (value: unknown): string => canonicalize(value) ?? 'null';
export const sha256 = (text: string): string => hash('sha256', text, 'hex');

/** The digest of a report or token: what it says, not when it said it nor in which run. */
export function digestOf(outcome: UnsealedOutcome | Outcome): string {
  const content: Record<string, unknown> = { ...outcome };
  delete content['runId'];
  delete content['timing'];
  delete content['elapsedMs'];
  delete content['digest'];
  if (outcome.kind === 'failure' && outcome.partial) content['partial'] = digestOf(outcome.partial);
  return sha256(canonicalJson(content));
}

const sealReport = (report: UnsealedReport, timing: Timing): Report => ({
  ...report,
  timing,
  digest: digestOf(report),
});

/** Stamps what only the one who waited can know. */
export function seal(outcome: UnsealedOutcome, timing: Timing): Outcome {
  if (outcome.kind === 'report') return sealReport(outcome, timing);
  const { partial, ...token } = outcome;
  return {
    ...token,
    ...(partial && { partial: sealReport(partial, timing) }),
    elapsedMs: Math.max(0, timing.endedAt - timing.startedAt),
    digest: digestOf(outcome),
  };
}
