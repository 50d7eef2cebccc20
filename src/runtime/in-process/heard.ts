/** What a gather hears of its children before and at their ends. */
import type { AnyActorRef } from 'xstate';
import type { Finding } from '../../protocol/finding.ts';
import { NONE } from '../../protocol/freeze.ts';
import type { UnsealedReport } from '../../protocol/report.ts';
import type { Said } from '../../tier/minting.ts';
import { bodyOf } from '../../tier/synthesis-check.ts';

/** Of a gather's snapshot, what has been said below and not yet sent up. */
type Gathering = { readonly children: Record<string, AnyActorRef>; readonly outbox: readonly Finding[] };

/** One of each; the later one counts. */
export const byId = (findings: readonly Finding[]): Iterable<Finding> =>
  new Map(findings.map((finding) => [finding.id, finding])).values();

export const isReport = (output: unknown): output is UnsealedReport =>
  typeof output === 'object' && output !== null && 'kind' in output && output.kind === 'report';

/** What the subtree of a child of our own logic has said and not yet sent up. */
export function unsent(child: AnyActorRef): Finding[] {
  const gather = (child.getSnapshot() as { children?: Record<string, AnyActorRef> }).children?.['gather'];
  if (!gather) return [];
  const { children, outbox } = gather.getSnapshot() as Gathering;
  const below = Object.values(children).flatMap(unsent);
  return [...below, ...outbox];
}

/** A leaf's findings pass up with its end; of an orchestrator's, all but its escalations have passed already. */
export function passingUp(output: unknown): readonly Finding[] {
  if (typeof output !== 'object' || output === null || !('kind' in output)) return [];
  const body = bodyOf(output as Parameters<typeof bodyOf>[0]);
  if (!body) return [];
  return body.madeBy === 'leaf' ? body.findings : body.escalations;
}

/**
 * What a leaf has said live and taken back: its report does not hold it, because the attempt failed that said it, or was
 * outrun. A token takes nothing back, and nobody what is critical.
 */
export function retractedBy(output: unknown, said: Said): readonly string[] {
  if (!isReport(output) || output.madeBy !== 'leaf' || !Array.isArray(output.findings)) return NONE;
  if (said.size <= output.findings.length) return NONE; // all of it has just been heard
  const kept = new Set(output.findings.map(({ id }) => id));
  return [...said.values()].flatMap(({ id, critical }) => (critical || kept.has(id) ? [] : id));
}
