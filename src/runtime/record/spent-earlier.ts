/** What counts of an interrupted run against the budget of the one that goes on with it. */
import type { Store, StoredNode } from '../../ports/store.ts';
import { isInterruptedBy } from '../../protocol/gap.ts';
import { isWithin } from '../../protocol/path.ts';
import { didWork } from './cost.ts';

export type Earlier = { usd: number; tokens: number; leaves: number };

/**
 * At `path` and below: money and tokens of every node that had ended, whether or not it runs again; the leaves of those
 * that need not.
 */
export function spentEarlier(
  store: Store,
  runId: string,
  path: string,
  { retryFailed = false }: { retryFailed?: boolean },
): Earlier {
  const spent: Earlier = { usd: 0, tokens: 0, leaves: 0 };
  for (const node of store.nodes(runId)) {
    if (!isWithin(node.path, path)) continue;
    const { usd = 0, inputTokens = 0, outputTokens = 0 } = node.usage?.self ?? {};
    spent.usd += usd;
    spent.tokens += inputTokens + outputTokens;
    if (didWork(node) && stands(node, retryFailed)) spent.leaves++;
  }
  return spent;
}

/** As far as it can be told before the node is asked. */
function stands({ state, endedAt }: StoredNode, retryFailed: boolean): boolean {
  if (endedAt === undefined || state === 'invalidated' || isInterruptedBy(state)) return false;
  return !retryFailed || state === 'complete' || state === 'partial';
}
