/** A run's budget whose nodes spend elsewhere what they take along, once a vendor has billed more than somebody had. */
import { describe, expect, it } from 'vitest';
import { createRunBudget, type RunBudget } from '../../../src/runtime/run-budget.ts';

const leaves = (...names: string[]) => names.map((name) => ({ name, role: 'leaf' as const }));
const LATER = { weight: 0, leaves: 0 };
const budgetOf = (laid?: ReturnType<RunBudget['laid']>) =>
  createRunBudget({ usd: 10 }, () => {}, { hasCaps: true, isAway: true, laid });
const usdOf = (budget: RunBudget, name: string) => budget.ownOf(`root/${name}`).usd;
/** Both have 5 of 10; the first has spent its 5, and 2 more were billed. */
function overrun(): RunBudget {
  const budget = budgetOf();
  budget.allot('root', leaves('a', 'b'), LATER);
  budget.spendingOf('root/a').reserve({}).settle({ usd: 5 });
  budget.bill({ usd: 2 });
  return budget;
}

describe('a budget that is overrun', () => {
  it('grants nobody more while somebody else may still spend what is owed', () => {
    const budget = overrun();
    expect(usdOf(budget, 'b')).toBe(3);
    expect(budget.widen('root/b', { usd: 3 })).toBe(true);
    expect(budget.widen('root/b', { usd: 3.01 })).toBe(false);
    expect(budget.widen('root/a', { usd: 0.01 })).toBe(false);
  });

  it('divides among those who come later what is left without it', () => {
    const budget = overrun();
    budget.close('root/a');
    budget.spendingOf('root/b').reserve({}).settle({ usd: 1 });
    budget.close('root/b');
    budget.allot('root', leaves('c', 'd'), LATER);
    expect(['c', 'd'].map((name) => usdOf(budget, name))).toEqual([1, 1]); // of 10: 6 spent, 2 billed
    expect(budget.widen('root/c', { usd: 1.01 })).toBe(false);
    budget.close('root/d');
    expect(budget.widen('root/c', { usd: 2 })).toBe(true);
  });

  it('is the same when it has been laid down and taken up', () => {
    const budget = budgetOf(JSON.parse(JSON.stringify(overrun().laid())) as ReturnType<RunBudget['laid']>);
    expect(usdOf(budget, 'b')).toBe(3);
    expect(budget.widen('root/a', { usd: 0.01 })).toBe(false);
  });
});
