/** How much of what came into syntheses passed up, by tier and by node. */
import type { StoredNode } from '../../ports/store.ts';
import type { Review, NodeRetention, TierRetention } from '../../protocol/review.ts';
import type { Retention } from '../../protocol/retention.ts';

/** The name of a node's tier: `root`, `domain at depth 1`, `leaf`. */
export const levelOf = ({ tier, depth }: Pick<StoredNode, 'tier' | 'depth'>): string =>
  tier === 'domain' ? `domain at depth ${depth}` : tier;

export function retentionOf(nodes: readonly StoredNode[]): Review['retention'] {
  const each = nodes.flatMap((node) => (node.retention ? [{ node, retention: node.retention }] : []));
  const tiers: TierRetention[] = Array.from(
    Map.groupBy(
      each.sort((a, b) => a.node.depth - b.node.depth),
      ({ node }) => levelOf(node),
    ),
    ([level, group]) => ({ level, syntheses: group.length, ...pooled(group.map(({ retention }) => retention)) }),
  );
  const worstTier = worst(tiers);
  const worstNode = worst(
    each.map(({ node, retention }): NodeRetention => {
      return { path: node.path, level: levelOf(node), ...pooled([retention]) };
    }),
  );
  return { tiers, ...(worstTier && { worstTier }), ...(worstNode && { worstNode }) };
}

function pooled(all: readonly Retention[]): Omit<TierRetention, 'level' | 'syntheses'> {
  const sum = (of: (retention: Retention) => number): number => all.reduce((total, one) => total + of(one), 0);
  const incoming = sum((one) => one.incoming);
  const weighted = (of: (retention: Retention) => number): number =>
    incoming === 0 ? 1 : Math.min(1, sum((one) => of(one) * one.incoming) / incoming);
  return {
    incoming,
    kept: sum((one) => one.kept),
    merged: sum((one) => one.merged),
    dropped: sum((one) => one.dropped),
    recall: weighted((one) => one.recall),
    numbersKept: weighted((one) => one.numbersKept),
    numbersFabricated: sum((one) => one.numbersFabricated),
    verbatim: all.reduce((least, one) => Math.min(least, one.verbatim), 1),
    lost: sum((one) => one.incoming * (1 - one.recall)),
  };
}

/** By signal; where none was lost, by how much was left out. */
function worst<T extends { lost: number; dropped: number }>(all: readonly T[]): T | undefined {
  const [first] = all.toSorted((a, b) => b.lost - a.lost || b.dropped - a.dropped);
  return first && (first.lost > 0 || first.dropped > 0) ? first : undefined;
}
