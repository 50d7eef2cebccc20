/** What a run used, and what each completed leaf cost of it. */
import type { StoredNode } from '../../ports/store.ts';
import type { Cost, Review, Phase } from '../../protocol/review.ts';

/** Whether it did atomic work: a leaf, or an orchestrator in whose place work was done because depth was spent. */
export const didWork = ({ tier, attempts }: StoredNode): boolean => tier === 'leaf' || attempts > 0;

export function costOf(nodes: readonly StoredNode[], phases: Readonly<Record<Phase, number>>): Review['cost'] {
  const known = nodes.flatMap(({ path, usage }) => (usage ? [{ path, ...usage }] : []));
  const sum = (of: 'usd' | 'inputTokens' | 'outputTokens'): number =>
    known.reduce((total, { self }) => total + self[of], 0);
  const total: Cost = {
    usd: sum('usd'),
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
    attempts: nodes.reduce((total, node) => total + node.attempts, 0),
    nodeSeconds: (phases.planning + phases.work + phases.synthesis) / 1_000,
  };
  const completedLeaves = nodes.filter((node) => didWork(node) && node.state === 'complete').length;
  const usedModel = ({ usd, inputTokens, outputTokens }: Pick<Cost, 'usd' | 'inputTokens' | 'outputTokens'>) =>
    usd + inputTokens + outputTokens > 0;
  return {
    usesModel: usedModel(total),
    total,
    completedLeaves,
    ...(completedLeaves > 0 && { perCompletedLeaf: per(total, completedLeaves) }),
    nodes: known.filter(({ subtree }) => usedModel(subtree)),
    unknown: nodes.filter(({ endedAt, usage }) => endedAt !== undefined && !usage).length,
  };
}

const per = ({ usd, inputTokens, outputTokens, attempts, nodeSeconds }: Cost, outcomes: number): Cost => ({
  usd: usd / outcomes,
  inputTokens: inputTokens / outcomes,
  outputTokens: outputTokens / outcomes,
  attempts: attempts / outcomes,
  nodeSeconds: nodeSeconds / outcomes,
});
