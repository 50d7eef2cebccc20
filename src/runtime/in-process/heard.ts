/** What a gather hears of its children before and at their ends. */
import type { AnyActorRef } from 'xstate';
import type { Finding } from '../../protocol/finding.ts';
import type { UnsealedReport } from '../../protocol/report.ts';
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
