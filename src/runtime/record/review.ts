/** What the index of a run's nodes answers by itself, without their reports. No IO and no clock. */
import { max, mean, median, min, quantile, standardDeviation, variance } from 'simple-statistics';
import type { StoredNode } from '../../ports/store.ts';
import type { Completion, Review, Phase, Wait } from '../../protocol/review.ts';
import { FailureStatus } from '../../protocol/failure-status.ts';
import { parentOf, ROOT } from '../../protocol/path.ts';
import { costOf, didWork } from './cost.ts';
import { nodeTimes, type NodeTimes, type Segment } from './node-time.ts';
import { levelOf, retentionOf } from './retained.ts';

/**
 * Reviews a run from its nodes in the order of their start. `until` is the present instant of a run that is still
 * being worked on; by default what has not ended is taken to have lasted until the last thing that is known.
 */
export function reviewOf(stored: Iterable<StoredNode>, until?: number): Review {
  const all = [...stored];
  const nodes = all.filter(({ state }) => state !== 'invalidated');
  const times = nodeTimes(nodes, until ?? lastInstantOf(nodes));
  const root = nodes.find(({ path }) => path === ROOT);
  const segments = root ? times.criticalPathOf(root) : [];
  const elapsedMs = segments.reduce((sum, { ms }) => sum + ms, 0);
  const shareOf = (ms: number): number => (elapsedMs > 0 ? Math.min(1, ms / elapsedMs) : 0);
  const waits = nodes.flatMap((node) => waitsOf(node, times)).sort((a, b) => b.ms - a.ms);
  const bottleneck = bottleneckOf(segments, shareOf, waits);
  const phases = phasesOf(stillPart(nodes), times);
  const attempts = nodes.reduce((sum, node) => sum + node.attempts, 0);
  const hedges = nodes.reduce((sum, { usage }) => sum + (usage?.self.hedges ?? 0), 0);
  const retried = nodes.filter((node) => node.attempts > 1).sort((a, b) => b.attempts - a.attempts);
  return {
    states: countedBy(all, ({ state }) => state),
    nodes: nodes.length,
    leaves: nodes.filter(didWork).length,
    depth: nodes.reduce((most, { depth }) => Math.max(most, depth), 0),
    reused: root ? nodes.filter(({ seq }) => (seq.ended ?? Infinity) < root.seq.started).length : 0,
    elapsedMs,
    criticalPath: segments.map(({ node, phase, ms }) => ({
      path: node.path,
      level: levelOf(node),
      phase,
      ms,
      share: shareOf(ms),
    })),
    ...(bottleneck && { bottleneck }),
    divided: dividedBy(segments, shareOf),
    completion: completionsOf(nodes),
    waits,
    retention: retentionOf(nodes),
    phases,
    attempts,
    ...(hedges > 0 && { hedges }),
    retries: retried.reduce((sum, node) => sum + node.attempts - 1, 0),
    retried: retried.map(({ path, attempts }) => ({ path, attempts })),
    failures: failuresOf(nodes),
    cost: costOf(nodes, phases),
  };
}

/** The last thing that is known of a run. */
export const lastInstantOf = (nodes: readonly StoredNode[]): number =>
  nodes.reduce(
    (last, { startedAt, plannedAt = startedAt, workedAt = startedAt, endedAt = startedAt }) =>
      Math.max(last, startedAt, plannedAt, workedAt, endedAt),
    0,
  );

/** Without nodes that an interruption left unfinished and the resumed run has not come to again. */
function stillPart(nodes: readonly StoredNode[]): StoredNode[] {
  const byPath = new Map(nodes.map((node) => [node.path, node]));
  const isLeft = (node: StoredNode): boolean => {
    const parent = byPath.get(parentOf(node.path));
    return (
      node.state === 'running' && parent !== undefined && (parent.seq.started > node.seq.started || isLeft(parent))
    );
  };
  return nodes.filter((node) => !isLeft(node));
}

function waitsOf(node: StoredNode, { joinsOf, endOf }: NodeTimes): Wait[] {
  return joinsOf(node).map(({ last, next }) => ({
    path: node.path,
    slowest: last.path,
    ...(next && { next: next.path }),
    ms: Math.max(0, endOf(last) - Math.max(last.startedAt, next ? endOf(next) : 0)),
  }));
}

/** Waiting for a slot is not the node's own doing, so it stands for itself. */
function bottleneckOf(
  segments: readonly Segment[],
  shareOf: (ms: number) => number,
  waits: readonly Wait[],
): Review['bottleneck'] {
  const candidates = Map.groupBy(segments, ({ node, phase }) => `${phase === 'slot' ? 'slot' : 'own'} ${node.path}`);
  const ranked = Array.from(candidates.values(), (group) => ({
    ms: group.reduce((sum, { ms }) => sum + ms, 0),
    most: group.reduce((most, one) => (one.ms > most.ms ? one : most)),
  })).sort((a, b) => b.ms - a.ms);
  const [worst] = ranked;
  if (!worst) return undefined;
  const { node, phase } = worst.most;
  const wait = waits.find(({ slowest }) => slowest === node.path);
  return {
    path: node.path,
    level: levelOf(node),
    phase,
    ms: worst.ms,
    share: shareOf(worst.ms),
    ...(wait && { wait }),
  };
}

const dividedBy = (segments: readonly Segment[], shareOf: (ms: number) => number): Review['divided'] =>
  Array.from(
    Map.groupBy(segments, ({ node, phase }) => (phase === 'slot' ? 'slot' : levelOf(node))),
    ([to, group]) => {
      const ms = group.reduce((sum, one) => sum + one.ms, 0);
      return { to, ms, share: shareOf(ms) };
    },
  ).sort((a, b) => b.ms - a.ms);

function phasesOf(nodes: readonly StoredNode[], { partsOf }: NodeTimes): Record<Phase, number> {
  const phases = { planning: 0, slot: 0, work: 0, recovery: 0, synthesis: 0 };
  for (const part of nodes.flatMap((node) => partsOf(node))) if ('phase' in part) phases[part.phase] += part.ms;
  return phases;
}

const completionsOf = (nodes: readonly StoredNode[]): Review['completion'] =>
  Array.from(
    Map.groupBy(
      nodes.filter(({ endedAt }) => endedAt !== undefined).sort((a, b) => tierOrder(a) - tierOrder(b)),
      levelOf,
    ),
    ([level, group]) => ({
      level,
      times: completionOf(group.map(({ startedAt, endedAt = startedAt }) => Math.max(0, endedAt - startedAt))),
    }),
  );
const tierOrder = ({ tier, depth }: StoredNode): number => (tier === 'leaf' ? Infinity : depth);

const completionOf = (times: number[]): Completion => ({
  n: times.length,
  min: min(times),
  median: median(times),
  p90: quantile(times, 0.9),
  max: max(times),
  mean: mean(times),
  variance: variance(times),
  standardDeviation: standardDeviation(times),
});

const countedBy = <T>(all: readonly T[], keyOf: (one: T) => string): Record<string, number> =>
  Object.fromEntries(Array.from(Map.groupBy(all, keyOf), ([key, group]) => [key, group.length]));

const failuresOf = (nodes: readonly StoredNode[]): Review['failures'] =>
  FailureStatus.options.flatMap((status) => {
    const paths = nodes.flatMap((node) => (node.state === status ? [node.path] : []));
    return paths.length > 0 ? [{ status, paths }] : [];
  });
