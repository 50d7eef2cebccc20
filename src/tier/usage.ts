import type { Outcome, UnsealedOutcome, Usage } from '../protocol/report.ts';
import { depthOf } from '../protocol/path.ts';

/** What is bought. */
export type Money = Pick<Usage, 'usd' | 'inputTokens' | 'outputTokens'>;
/** What a node has settled itself, and with all below it. */
export type Spent = { readonly self: Money; readonly subtree: Money };

/** What one node itself used. */
export const ownUsage = (path: string, work: { leaves: number; attempts: number; hedges?: number }): Usage => ({
  attempts: work.attempts,
  depth: depthOf(path),
  ...(work.hedges && { hedges: work.hedges }),
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
    ...((a.hedges || b.hedges) && { hedges: (a.hedges ?? 0) + (b.hedges ?? 0) }),
    inputTokens: a.inputTokens + b.inputTokens,
    leaves: a.leaves + b.leaves,
    nodes: a.nodes + b.nodes,
    outputTokens: a.outputTokens + b.outputTokens,
    usd: sumOfUsd(a.usd, b.usd),
  };
}

/** Adds what was bought. */
export const withMoney = (usage: Usage, { usd, inputTokens, outputTokens }: Money): Usage => ({
  ...usage,
  inputTokens: usage.inputTokens + inputTokens,
  outputTokens: usage.outputTokens + outputTokens,
  usd: sumOfUsd(usage.usd, usd),
});

const NANO = 1e9;
const MOST_EXACT_USD = 1e6;
/** To the nano-dollar, so that a sum of what was settled is what the budget has. */
function sumOfUsd(a: number, b: number): number {
  if (a === 0 || b === 0) return a + b;
  const sum = a + b;
  return sum < MOST_EXACT_USD ? Math.round(sum * NANO) / NANO : sum;
}

/** What a child's subtree used. Of a child that left no report only its own place in the tree is known. */
export function subtreeUsage(outcome: Outcome | UnsealedOutcome): Usage {
  if (outcome.kind === 'report') return outcome.usage.subtree;
  if (outcome.partial) return outcome.partial.usage.subtree;
  const { path, tier, status, attempts } = outcome;
  const isRefused = status === 'budget' && attempts === 0; // it took no leaf
  return ownUsage(path, { leaves: tier === 'leaf' && !isRefused ? 1 : 0, attempts });
}
