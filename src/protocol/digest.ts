/**
 * Proof that bytes did not change on the way: SHA-256 of the canonical JSON (RFC 8785).
 *  1. Two runs that found the same have the same digests: the run's id and all times are left out, expected ones too,
 *     and how often somebody was too slow and hedged.
 *  2. A parent's digest covers its children's digests, so the root's covers the tree.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Decision } from './decision.ts';
import { deepFreeze } from './freeze.ts';
import type { Outcome, Report, Timing, UnsealedOutcome, UnsealedReport } from './report.ts';

/**
 * The canonical JSON of a JSON value: sorted keys, shortest numbers. What already has its keys in order, as our own
 * reports and the schemas of their parts have, needs no sorting: `JSON.stringify` then writes the same text in a fifth
 * of the time.
 */
export function canonicalJson(value: unknown): string {
  if (isInOrder(value)) return JSON.stringify(value) ?? 'null';
  try {
    return canonicalize(value) ?? 'null';
  } catch {
    return beyondRfc(value);
  }
}

/** What RFC 8785 refuses and a report may still hold, a lone surrogate above all: written as `JSON.stringify` does. */
function beyondRfc(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(beyondRfc).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${beyondRfc(inner)}`).join()}}`;
}

function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isInOrder);
  if ('toJSON' in value) return false;
  let before = '';
  for (const key in value) {
    if (key < before || !isInOrder((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}

export const sha256 = (text: string): string => hash('sha256', text, 'hex');

/** The digest of a report or token: what it says, not when it said it nor in which run. */
export function digestOf(outcome: UnsealedOutcome | Outcome): string {
  const { runId: _, timing: _timing, elapsedMs: _elapsed, digest: _digest, ...content } = outcome as Stamped;
  if (outcome.kind === 'failure' && outcome.partial) content['partial'] = digestOf(outcome.partial);
  if (outcome.kind === 'report' && outcome.decision) content['decision'] = timeless(outcome.decision);
  if (outcome.kind === 'report' && (outcome.usage.self.hedges ?? outcome.usage.subtree.hedges) !== undefined)
    content['usage'] = unhedged(outcome.usage);
  return sha256(canonicalJson(content));
}
/** How long a child may take is learned from run to run, and no part of what was decided. */
const timeless = (decision: Decision): unknown => ({
  ...decision, // which keeps the order of its keys
  estimates: decision.estimates.leaves,
  stages: decision.stages.map((stage) => stage.map(({ estimateMs: _, reserveMs: _reserve, ...child }) => child)),
});
const unhedged = ({ self, subtree }: Report['usage']): unknown => {
  const { hedges: _, ...own } = self;
  const { hedges: _all, ...whole } = subtree;
  return { self: own, subtree: whole };
};
type Stamped = Record<string, unknown> & { runId: string; timing?: unknown; elapsedMs?: unknown; digest?: unknown };

/** Frozen: a report is shown to parents, siblings and listeners alike. */
const sealReport = (report: UnsealedReport, timing: Timing): Report =>
  deepFreeze({ ...report, timing, digest: digestOf(report) });

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
