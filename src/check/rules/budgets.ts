/** What nodes may spend, against what there is. */
import type { Budget } from '../../protocol/grant.ts';
import { formatAmount } from '../../protocol/amount.ts';
import { nameOf, parentOf } from '../../protocol/path.ts';
import type { Facts, NodeFacts } from '../facts.ts';
import { quoted, type Rule, type Sighting } from '../remark.ts';

const DIMENSIONS = ['usd', 'tokens', 'leaves'] as const;

export const overcommittedBudget: Rule = {
  id: 'overcommitted-budget',
  severity: 'warning',
  when: "The budgets of an orchestrator's children add up to more than it may spend itself.",
  remedy: 'Lower them, raise its own, or leave them out: then it is divided by weight.',
  look(facts) {
    const within = budgetsOf(facts);
    return facts.nodes.flatMap((node) => overcommitted(node, within.get(node.path) ?? {}));
  },
};

/** What each node may spend: its own budget, or what those above may. */
function budgetsOf({ nodes, limits }: Facts): Map<string, Budget> {
  const budgets = new Map<string, Budget>();
  for (const { path, definition } of nodes) {
    const above = budgets.get(parentOf(path)) ?? limits.budget;
    budgets.set(path, lesser(above, definition.kind === 'domain' ? definition.budget : undefined));
  }
  return budgets;
}
const lesser = (above: Budget, own: Budget = {}): Budget =>
  Object.fromEntries(
    DIMENSIONS.flatMap((dimension) => {
      const least = Math.min(above[dimension] ?? Infinity, own[dimension] ?? Infinity);
      return least === Infinity ? [] : [[dimension, least]];
    }),
  );

function overcommitted({ path, children }: NodeFacts, own: Budget): Sighting[] {
  return DIMENSIONS.flatMap((dimension): Sighting[] => {
    const most = own[dimension] ?? Infinity;
    const named = children.filter(({ definition }) => definition.kind === 'domain' && definition.budget?.[dimension]);
    const sum = named.reduce((total, child) => total + (budgetOf(child)[dimension] ?? 0), 0);
    if (sum <= most * (1 + Number.EPSILON * named.length)) return [];
    const names = quoted(named.map((child) => nameOf(child.path)));
    const message = `Its children ${names} may spend ${formatAmount(dimension, sum)} together, and it may spend ${formatAmount(dimension, most)}. Lower their budgets, or raise its own.`;
    return [{ path, message }];
  });
}
const budgetOf = ({ definition }: NodeFacts): Budget => (definition.kind === 'domain' ? (definition.budget ?? {}) : {});
