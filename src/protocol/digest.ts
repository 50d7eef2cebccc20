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

export const sha256 = (content: string | Uint8Array): string => hash('sha256', content, 'hex');

/** The digest of a report or token: what it says, not when it said it nor in which run. */
export function digestOf(outcome: UnsealedOutcome | Outcome): string {
  const { runId: _, timing: _timing, elapsedMs: _elapsed, digest: _digest, ...content } = outcome as Stamped;
  if (outcome.kind === 'failure' && outcome.partial) content['partial'] = digestOf(outcome.partial);
  if (outcome.kind === 'report' && outcome.decision) content['decision'] = timeless(outcome.decision);
  if (outcome.kind === 'report' && isHedged(outcome)) content['usage'] = unhedged(outcome.usage);
  return sha256(canonicalJson(content));
}
/** How long a child may take is learned from run to run, and no part of what was decided. */
const timeless = (decision: Decision): unknown => ({
  ...decision, // which keeps the order of its keys
  estimates: decision.estimates.leaves,
  stages: decision.stages.map((stage) => stage.map(({ estimateMs: _, reserveMs: _reserve, ...child }) => child)),
});
const isHedged = ({ usage: { self, subtree } }: UnsealedReport): boolean =>
  (self.hedges ?? subtree.hedges) !== undefined;
const unhedged = ({ self, subtree }: Report['usage']): unknown => {
  const { hedges: _, ...own } = self;
  const { hedges: _all, ...whole } = subtree;
  return { self: own, subtree: whole };
};
type Stamped = Record<string, unknown> & { runId: string; timing?: unknown; elapsedMs?: unknown; digest?: unknown };

/** Frozen: a report is shown to parents, siblings and listeners alike. */
function sealReport(report: UnsealedReport, timing: Timing): Report {
  const text = textInOrder(report);
  const content = text !== undefined && withoutRun(text, report.runId);
  if (!content) return deepFreeze({ ...report, timing, digest: digestOf(report) });
  const sealed = deepFreeze({ ...report, timing, digest: sha256(content) });
  sealedLast = { report: sealed, text };
  return sealed;
}

/**
 * The JSON of a report, where it is canonical and the digest leaves out nothing but the run. Of a decision and of hedges
 * it leaves out more.
 */
function textInOrder(report: UnsealedReport): string | undefined {
  if (report.decision || isHedged(report) || 'digest' in report || 'timing' in report || 'elapsedMs' in report)
    return undefined;
  return isInOrder(report) ? JSON.stringify(report) : undefined;
}
/** After the key that follows on `runId` come a status, a tier and numbers: no text that could look like it. */
function withoutRun(text: string, runId: string): string | undefined {
  const run = `"runId":${JSON.stringify(runId)},`;
  const at = text.lastIndexOf('"schemaVersion":') - run.length;
  return text.startsWith(run, at) ? text.slice(0, at) + text.slice(at + run.length) : undefined;
}

/** One report, so that nothing is kept for long: it is written down next, if it is at all. */
let sealedLast: { readonly report: Report; readonly text: string } | undefined;

/** A report as `JSON.stringify` writes it. Of the one that was sealed last, that was made for its digest already. */
export function reportText(report: Report): string {
  if (report !== sealedLast?.report) return JSON.stringify(report);
  const { timing, digest } = report;
  return `${sealedLast.text.slice(0, -1)},"timing":${JSON.stringify(timing)},"digest":"${digest}"}`;
}

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
