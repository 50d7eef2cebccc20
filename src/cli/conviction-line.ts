/** The conviction so far and how it moves, in words: from the root's interim reports alone. */
import type { Report } from '../protocol/report.ts';
import type { RunEvent } from '../protocol/run-event.ts';
import { formatSigned } from '../render/figures.ts';

export type Standing = { readonly conviction: number; readonly leaves: number; readonly of: number };
/** `from`: the conviction before it last moved. */
export type Movement = Standing & { readonly from?: number };

/** What an event says of the root's conviction; undefined when it says nothing of it. */
export function standingIn(event: RunEvent): Standing | undefined {
  if (event.type === 'synthesis.interim') return event.report && standingOf(event.report);
  return event.type === 'node.reported' && event.tier === 'root' ? standingOf(event.report) : undefined;
}

function standingOf({ assessment, decision, usage }: Report): Standing | undefined {
  const conviction = assessment?.conviction;
  if (conviction === undefined) return undefined;
  const { leaves } = usage.subtree;
  return { conviction, leaves, of: Math.max(leaves, decision?.estimates.leaves ?? 0) };
}

export function moved(before: Movement | undefined, now: Standing): Movement {
  if (!before) return now;
  const from = before.conviction === now.conviction ? before.from : before.conviction;
  return { ...now, ...(from !== undefined && { from }) };
}

/** `conviction −12 → −31 of 9 of 15 leaves`. */
export function convictionLine({ from, conviction, leaves, of }: Movement): string {
  const figures = [from, conviction].flatMap((one) => (one === undefined ? [] : formatSigned(one, 0)));
  return `conviction ${figures.join(' → ')} of ${leaves} of ${of} ${of === 1 ? 'leaf' : 'leaves'}`;
}
