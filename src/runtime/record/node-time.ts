/**
 * Where the time between a node's start and its end went. No IO and no clock.
 *  1. The parts of a node add up to its time: nothing is left over and nothing counts twice.
 *  2. At every join it is the child that ended last that was waited for.
 *  3. A child that had ended before its parent began anew, in a resumed run, took none of its time.
 */
import type { StoredNode } from '../../ports/store.ts';
import type { Phase } from '../../protocol/review.ts';
import { parentOf } from '../../protocol/path.ts';

/** The children that were waited for together; `last` ended last, `next` before it. */
type Join = { children: StoredNode[]; last: StoredNode; next?: StoredNode };
type Part = { phase: Phase; ms: number } | { child: StoredNode; from: number; to: number };
export type Segment = { node: StoredNode; phase: Phase; ms: number };

export type NodeTimes = {
  /** When it ended; of a node that has not, the last instant that is known of the run. */
  readonly endOf: (node: StoredNode) => number;
  readonly joinsOf: (node: StoredNode) => readonly Join[];
  /** In order. */
  readonly partsOf: (node: StoredNode, from?: number, to?: number) => Part[];
  /** The time of a node in order, its own and that of those it waited for. */
  readonly criticalPathOf: (node: StoredNode, from?: number, to?: number) => Segment[];
};

/** `nodes` in the order of their start, without invalidated ones. */
export function nodeTimes(nodes: readonly StoredNode[], until: number): NodeTimes {
  const children = Map.groupBy(nodes, ({ path }) => parentOf(path));
  const endOf = ({ endedAt = until }: StoredNode): number => endedAt;

  const joinsOf = (node: StoredNode): readonly Join[] => {
    const groups: StoredNode[][] = [];
    let closed = -1;
    for (const child of children.get(node.path) ?? []) {
      const { started, ended = Number.POSITIVE_INFINITY } = child.seq;
      if (started < node.seq.started) continue;
      if (started > closed) groups.push([child]);
      else groups.at(-1)?.push(child);
      closed = Math.max(closed, ended);
    }
    return groups.flatMap((group) => {
      const [last, next] = group.toSorted((a, b) => byEnd(b, a));
      return last ? [{ children: group, last, ...(next && { next }) }] : [];
    });
  };
  /** Those that a join cut off end with the one that closed it, and are not what it waited for. */
  const byEnd = (a: StoredNode, b: StoredNode): number =>
    endOf(a) - endOf(b) ||
    Number(b.state === 'cancelled') - Number(a.state === 'cancelled') ||
    (a.seq.ended ?? Number.MAX_SAFE_INTEGER) - (b.seq.ended ?? Number.MAX_SAFE_INTEGER);

  const partsOf: NodeTimes['partsOf'] = (node, from = node.startedAt, to = Math.max(from, endOf(node))) => {
    const joins = joinsOf(node);
    if (joins.length === 0) return ownParts(node, from, to);
    const parts: Part[] = [];
    let at = from;
    for (const { last } of joins) {
      const start = clamped(last.startedAt, at, to);
      const end = clamped(endOf(last), start, to);
      parts.push({ phase: 'planning', ms: start - at }, { child: last, from: start, to: end });
      at = end;
    }
    parts.push({ phase: 'synthesis', ms: to - at });
    return parts.filter(isTime);
  };
  const criticalPathOf: NodeTimes['criticalPathOf'] = (node, from, to) =>
    partsOf(node, from, to).flatMap((part) =>
      'child' in part ? criticalPathOf(part.child, part.from, part.to) : [{ node, ...part }],
    );
  return { endOf, joinsOf, partsOf, criticalPathOf };
}

/** The time of a node that waited for nobody: a leaf, or an orchestrator that executed or did not get that far. */
function ownParts(node: StoredNode, from: number, to: number): Part[] {
  const isLeaf = node.tier === 'leaf';
  const planned = isLeaf ? from : clamped(node.plannedAt ?? to, from, to);
  const parts: Part[] = [{ phase: 'planning', ms: planned - from }];
  if (node.workedAt === undefined) {
    parts.push({ phase: !isLeaf ? 'synthesis' : waitsForSlot(node) ? 'slot' : 'work', ms: to - planned });
  } else {
    const worked = clamped(node.workedAt, planned, to);
    // The attempt at work is counted when it ends.
    const work = node.state === 'running' ? to - worked : Math.min(node.workMs, to - worked);
    parts.push(
      { phase: 'slot', ms: worked - planned },
      { phase: 'work', ms: work },
      { phase: 'recovery', ms: to - worked - work },
    );
  }
  return parts.filter(isTime);
}

/** A leaf whose logic is the caller's own makes no attempts and asks for no slot. It ends like any other. */
const waitsForSlot = ({ state }: StoredNode): boolean =>
  state === 'running' || state === 'timeout' || state === 'cancelled';

const isTime = (part: Part): boolean => 'child' in part || part.ms > 0;
const clamped = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));
