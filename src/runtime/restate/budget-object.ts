/**
 * The budget of a run that has limits, whichever workers spend it: an object per run, with the accounts of
 * `../run-budget.ts`. A node that works has what it may spend with it, as an account of its own; so it never waits for
 * the object while it spends.
 *  1. What is lent to a node is not lent to another: the sums of the accounts hold over all workers.
 *  2. A node that needs more asks here, and begins its step again with it; what is refused here is refused for good.
 *  3. What a node has settled is booked when it has ended. What it was granted and has not spent goes back then.
 *  4. What was billed beyond a grant is told at once, and taken off what anybody is granted from then on: those at work
 *     have their shares until they end.
 */
import * as restate from '@restatedev/restate-sdk';
import type { ObjectContext } from '@restatedev/restate-sdk';
import type { Cost } from '../../ports/budget.ts';
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { Budget } from '../../protocol/grant.ts';
import { childPath } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Claimant } from '../../tier/budget.ts';
import type { Money } from '../../tier/usage.ts';
import { createRunBudget, type LaidBudget, type Overrun, type RunBudget } from '../run-budget.ts';

export type Allot = { path: string; children: readonly ChildSpec[]; later: Claimant };
/** By the children's names. `refused`: a leaf that the budget has no room for. */
export type Allotted = { grants: Record<string, Budget>; refused: Record<string, Fault>; events: RunEventBody[] };
/** `isOver`: the node has ended. `beyond`: what it settled and did not fit. */
export type Settlement = { path: string; spent?: Money; beyond?: Overrun; isOver: boolean };

type State = { laid: LaidBudget; beyond: Budget };
type Writing = ObjectContext<State>;
/** `granted`: what the run may spend; each call says it, since none knows whether it is the first. */
type With<Input> = Input & { granted: Budget };

export const budgetObject = (name: string, options: restate.ObjectOptions) =>
  restate.object({
    name,
    options,
    handlers: {
      /** Grants a stage's children their shares, and takes the leaves in their order. */
      allot: (ctx: Writing, { granted, path, children, later }: With<Allot>): Promise<Allotted> =>
        using(ctx, granted, (budget, events) => {
          budget.allot(path, children, later);
          const allotted: Allotted = { grants: {}, refused: {}, events };
          for (const { name, role } of children) {
            const child = childPath(path, name);
            allotted.grants[name] = budget.grantOf(child);
            const fault = role === 'leaf' ? budget.takeLeaf(path, child) : undefined;
            if (fault) allotted.refused[name] = fault;
          }
          return allotted;
        }),
      /** An orchestrator works as a leaf. */
      takeLeaf: (
        ctx: Writing,
        { granted, path }: With<{ path: string }>,
      ): Promise<{ fault?: Fault; events: RunEventBody[] }> =>
        using(ctx, granted, (budget, events) => {
          const fault = budget.takeLeaf(path, path);
          return { ...(fault && { fault }), events };
        }),
      /** What the node has left of its own. */
      left: (ctx: Writing, { granted, path }: With<{ path: string }>): Promise<Budget> =>
        using(ctx, granted, (budget) => budget.ownOf(path)),
      /** Asks those above, so that `wanted` fits. Answers what the node has left of its own then. */
      more: (ctx: Writing, { granted, path, wanted }: With<{ path: string; wanted: Cost }>): Promise<Budget | null> =>
        using(ctx, granted, (budget) => (budget.widen(path, wanted) ? budget.ownOf(path) : null)),
      settle: async (ctx: Writing, { granted, path, spent, beyond, isOver }: With<Settlement>): Promise<void> => {
        await using(ctx, granted, (budget) => {
          if (spent) budget.spendingOf(path).reserve({}).settle(spent);
          if (beyond) budget.bill(beyond.billed);
          if (isOver) budget.close(path);
        });
        if (beyond) ctx.set('beyond', plusBudget((await ctx.get('beyond')) ?? {}, beyond.all));
      },
      overdrawn: async (ctx: Writing): Promise<Budget | null> => ctx.get('beyond'),
      forget: async (ctx: Writing): Promise<void> => ctx.clearAll(),
    },
  });

async function using<Answer>(
  ctx: Writing,
  granted: Budget,
  work: (budget: RunBudget, events: RunEventBody[]) => Answer,
): Promise<Answer> {
  const events: RunEventBody[] = [];
  const laid = await ctx.get('laid');
  const budget = createRunBudget(granted, (event) => events.push(event), {
    hasCaps: true, // nobody asks who has none, in a run without limits
    isAway: true,
    laid: laid ?? undefined,
  });
  const answer = work(budget, events);
  ctx.set('laid', budget.laid());
  return answer;
}

const plusBudget = (a: Budget, b: Budget): Budget => {
  const sum: Budget = { ...a };
  for (const dimension of ['usd', 'tokens', 'leaves'] as const) {
    const more = b[dimension];
    if (more !== undefined) sum[dimension] = (sum[dimension] ?? 0) + more;
  }
  return sum;
};
