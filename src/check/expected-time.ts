/** How long a tree takes by the estimates that its definitions give. What gives none counts as no time. */
import { reserveFor } from '../activities/history.ts';
import { parseDuration } from '../define/duration.ts';
import { HAND_OFF_MS } from '../tier/grant.ts';
import type { NodeFacts } from './facts.ts';

export type Expected = {
  ms: number;
  /** Where most of it goes: the longest node on the longest way. */
  longest: string;
};

/** The estimate that a definition gives, in ms. */
export const estimateOf = ({ definition }: NodeFacts): number | undefined =>
  'estimate' in definition && definition.estimate !== undefined ? parseDuration(definition.estimate) : undefined;

/** Never less than a run takes if its estimates hold: its longest way, or its work shared among its slots. */
export function expectedTime(root: NodeFacts, concurrency: number): Expected {
  const way = longestWay(root);
  const ms = workOf(root) / concurrency;
  return ms > way.ms ? { ms, longest: way.longest } : way;
}

/** Through every stage by its slowest child, with what each synthesis and each hand-off is granted. */
function longestWay(node: NodeFacts): Expected & { nodeMs: number } {
  const given = estimateOf(node);
  if (given !== undefined || node.children.length === 0) {
    return { ms: given ?? 0, longest: node.path, nodeMs: given ?? 0 };
  }
  const slowest = node.stages.map((stage) => stage.map(longestWay).reduce((a, b) => (b.ms > a.ms ? b : a)));
  const { longest, nodeMs } = slowest.reduce((a, b) => (b.nodeMs > a.nodeMs ? b : a));
  const waited = slowest.reduce((sum, { ms }) => sum + ms, 0);
  return { ms: waited === 0 ? 0 : waited + overheadOf(node), longest, nodeMs };
}

/** What an orchestrator keeps back for its synthesis when no run has measured it, in ms. */
export const reserveOf = ({ definition }: NodeFacts): number =>
  definition.kind === 'leaf' ? 0 : reserveFor(definition.synthesize !== undefined, undefined);

const overheadOf = (node: NodeFacts): number => (node.definition.kind === 'leaf' ? 0 : reserveOf(node) + HAND_OFF_MS);

/** Slots are held by leaves alone. */
const workOf = (node: NodeFacts): number =>
  node.children.length === 0 ? (estimateOf(node) ?? 0) : node.children.reduce((sum, child) => sum + workOf(child), 0);
