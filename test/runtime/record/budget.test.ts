import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import type { LeafRun, Scenario } from '../../../src/define/spec.ts';
import type { Budget } from '../../../src/protocol/grant.ts';
import { askedFor, interruptedAt, resumed, slowWorld } from '../../support/interrupted.ts';
import { draft, tree } from '../../support/world.ts';

const spender: LeafRun = ({ budget, task }) => {
  budget.spend({ usd: 0.1, inputTokens: 10 });
  return draft(task.path);
};
/** d0 is quick, d1 is not: at 50 ms four of eight leaves have ended. */
const scenario = (budget: Budget): Scenario =>
  tree([2, 4], { leaf: { run: spender }, scenario: { limits: { budget } } });
const latency = (path: string): number => (path.startsWith('root/d0/') ? 10 : 100);

describe('the budget of a resumed run', () => {
  it('is what the interrupted one had left: each node counts once', async () => {
    const it = scenario({ usd: 0.8, tokens: 80, leaves: 8 });
    const interrupted = await interruptedAt(50, it, latency);
    expect(interrupted.ended.size).toBe(5); // four leaves and d0
    const { second, outcome } = await resumed(interrupted, it, latency);
    expect(askedFor('attempt', second)).toHaveLength(4);
    expect(outcome).toMatchObject({
      status: 'complete',
      brief: { usage: { subtree: { usd: 0.8, inputTokens: 80, leaves: 8 } } },
    });
  });

  it('is short of what had been spent, whoever gets it', async () => {
    const interrupted = await interruptedAt(50, scenario({ usd: 0.8 }), latency);
    const { second, outcome } = await resumed(interrupted, scenario({}), latency, { budget: { usd: 0.6, leaves: 7 } });
    expect(outcome.brief.usage.subtree).toMatchObject({ usd: 0.5, leaves: 7 }); // the rest lay in shares
    expect(outcome.brief.run?.budget).toEqual({ granted: { usd: 0.6, leaves: 7 } });
    expect(second.eventsOf('budget.refused').map(({ dimension }) => dimension)).toEqual(['leaves', 'usd', 'usd']);
  });

  it('is kept with the run, each dimension until another is given', async () => {
    const interrupted = await interruptedAt(50, tree([2, 4], { leaf: { run: spender } }), latency, {
      budget: { usd: 0.7, leaves: 8 },
    });
    const { outcome } = await resumed(interrupted, tree([2, 4], { leaf: { run: spender } }), latency, {
      budget: { usd: 5 },
    });
    expect(outcome).toMatchObject({
      status: 'complete',
      brief: { run: { budget: { granted: { usd: 5, leaves: 8 } } } },
    });
  });

  it('of a domain with one of its own is short of what that had spent', async () => {
    const capped = tree([2, 4], { leaf: { run: spender }, domain: { budget: { usd: 0.3, leaves: 4 } } });
    const slow = (path: string): number => (path.endsWith('/l0') ? 10 : 100);
    const { second, outcome } = await resumed(await interruptedAt(50, capped, slow), capped, slow);
    expect(outcome.brief.usage.subtree).toMatchObject({ usd: 0.6, leaves: 8 });
    expect(second.eventsOf('budget.refused').map(({ dimension }) => dimension)).toEqual(['usd', 'usd']);
    for (const path of ['root/d0', 'root/d1']) {
      expect(second.endOf(path)).toMatchObject({ usage: { subtree: { usd: 0.3, leaves: 4 } } });
    }
  });

  it('raised: what was refused is done, and nothing else', async () => {
    const store = memoryStore();
    const first = slowWorld(scenario({ leaves: 6 }), latency, { store });
    expect((await first.run()).brief.gaps).toMatchObject([{ status: 'budget' }, { status: 'budget' }]);
    const { second, outcome } = await resumed({ store }, scenario({}), latency, { budget: { leaves: 8 } });
    expect(askedFor('attempt', second)).toEqual(['root/d0/l3', 'root/d1/l3']);
    expect(outcome).toMatchObject({ status: 'complete', brief: { usage: { subtree: { leaves: 8, usd: 0.8 } } } });
  });

  it('says so when less is granted than had been spent', async () => {
    const interrupted = await interruptedAt(50, scenario({ usd: 0.8 }), latency);
    const { outcome } = await resumed(interrupted, scenario({}), latency, { budget: { usd: 0.3 } });
    expect(outcome.brief.run?.budget).toEqual({ granted: { usd: 0.3 }, overdrawn: { usd: 0.1 } });
    expect(outcome.brief.usage.subtree.usd).toBe(0.4);
  });
});
