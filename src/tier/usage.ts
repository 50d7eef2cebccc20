import type { Outcome, UnsealedOutcome, Usage } from '../protocol/report.ts';
import { depthOf } from '../protocol/path.ts';

/** What one node itself used. */
export const ownUsage = (path: string, work: { leaves: number; attempts: number }): Usage => ({
  attempts: work.attempts,
  depth: depthOf(path),
  inputTokens: 0,
  leaves: work.leaves,
  nodes: 1,
  outputTokens: 0,
  usd: 0,
});

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    attempts: a.attempts + b.attempts,
    depth: Math.max(a.depth, b.depth),
    inputTokens: a.inputTokens + b.inputTokens,
    leaves: a.leaves + b.leaves,
    nodes: a.nodes + b.nodes,
    outputTokens: a.outputTokens + b.outputTokens,
    usd: a.usd + b.usd,
  };
}

/** What a child's subtree used. Of a child that left no report only its own place in the tree is known. */
export function subtreeUsage(outcome: Outcome | UnsealedOutcome): Usage {
  if (outcome.kind === 'report') return outcome.usage.subtree;
  if (outcome.partial) return outcome.partial.usage.subtree;
  const isLeaf = outcome.tier === 'leaf';
  return ownUsage(outcome.path, { leaves: isLeaf ? 1 : 0, attempts: outcome.attempts });
}
