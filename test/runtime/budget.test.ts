import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, LeafContext, LeafSpec } from '../../src/define/spec.ts';
import type { Budget } from '../../src/protocol/grant.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { draft, never, NOTHING_LEFT, reportOf, tree, world, type World } from '../support/world.ts';

type Run = LeafSpec['run'];
const leaf = (name: string, run: Run, more: Partial<LeafSpec> = {}) => defineLeaf({ name, run, ...more });
const scenario = (domains: readonly Child[], budget: Budget, limits = {}) =>
  defineScenario({ name: 'tree', thesis: 'It holds', domains, limits: { budget, ...limits } });
/** Spends so much, and says so. */
const spends =
  (usd: number, reserved = usd): Run =>
  ({ budget, task }) => {
    budget.reserve({ usd: reserved }).settle({ usd, inputTokens: 70, outputTokens: 30 });
    return draft(task.path);
  };
const refusals = (w: World) =>
  w.eventsOf('budget.refused').map(({ path, dimension, asked, left }) => [path, dimension, asked, left]);
const usdOf = (w: World, path: string): number => reportOf(w.endOf(path)).usage.subtree.usd;

describe('a domain with a budget of its own', () => {
  const two = (budget: Budget, limits: Budget) => {
    const children = ['l0', 'l1', 'l2'].map((name) => leaf(name, spends(0.2)));
    const domains = [
      defineDomain({ name: 'd', charter: 'd', children, budget }),
      defineDomain({ name: 'e', charter: 'e', children }),
    ];
    return world(scenario(domains, limits, { concurrency: 1 }));
  };
  it.each<[string, Budget]>([
    ['though much is left above', { usd: 10 }],
    ['though the run is not limited', {}],
  ])('spends no more than that, %s', async (_, limits) => {
    const w = two({ usd: 0.3 }, limits);
    const { brief } = await w.run();
    // a third of it each: the first is refused, and the second gets what that could not use
    expect([usdOf(w, 'root/d'), usdOf(w, 'root/e'), brief.usage.subtree.usd]).toEqual([0.2, 0.6, 0.8]);
    expect(refusals(w)).toEqual([
      ['root/d/l0', 'usd', 0.2, 0.1],
      ['root/d/l2', 'usd', 0.2, 0.1],
    ]);
    const granted = w.eventsOf('node.started').find(({ path }) => path === 'root/d')?.grant.budget.usd;
    expect(granted).toBe(0.3);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
  it('starts no more leaves than that', async () => {
    const w = two({ leaves: 2 }, {});
    const { brief } = await w.run();
    expect(brief.usage.subtree.leaves).toBe(5);
    expect(reportOf(w.endOf('root/d')).usage.subtree.leaves).toBe(2);
  });
  it('has no more than its parent, whatever it says', async () => {
    const w = two({ usd: 5 }, { usd: 0.6 });
    const { brief } = await w.run();
    expect(brief.usage.subtree.usd).toBeLessThanOrEqual(0.6);
    expect(refusals(w).map(([path]) => path)).toContain('root/d/l0');
  });
});

describe('leaves', () => {
  it('are refused beyond the budget: a token each, a gap in the parent, and no harm to the others', async () => {
    const w = world(tree([2, 3], { scenario: { limits: { budget: { leaves: 4 } } } }));
    const { brief, status } = await w.run();
    expect(status).toBe('partial');
    expect(brief.usage.subtree).toMatchObject({ leaves: 4, attempts: 4 });
    expect(brief.findings).toHaveLength(4);
    const refused = refusals(w).map(([path]) => path);
    expect(refused).toEqual(['root/d0/l2', 'root/d1/l2']); // two each, by weight
    expect(w.endOf('root/d0/l2')).toMatchObject({ status: 'budget', attempts: 0, retryable: false });
    expect(brief.gaps).toEqual(
      refused.map((path) => ({
        kind: 'token',
        path,
        status: 'budget',
        why: 'budget: asked for 1 leaf, and 0 leaves of its budget is left',
      })),
    );
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('that are tried again do not take another', async () => {
    const w = world(
      tree([2], {
        leaf: {
          run: ({ attempt, task }) => {
            if (attempt < 3) throw new Error('no');
            return draft(task.path);
          },
        },
        scenario: { limits: { budget: { leaves: 2 } } },
      }),
    );
    const { brief } = await w.run();
    expect(brief).toMatchObject({ status: 'complete', usage: { subtree: { leaves: 2, attempts: 6 } } });
  });

  it('of a domain that leaves some unused go to a later stage', async () => {
    const first = defineDomain({
      name: 'first',
      charter: 'c',
      children: [leaf('a', spends(0)), leaf('b', spends(0))],
      weight: 1,
    });
    const many = Array.from({ length: 4 }, (_, i) => leaf(`l${i}`, spends(0)));
    const second = defineDomain({ name: 'second', charter: 'c', children: many, needs: ['first'] });
    const w = world(scenario([first, second], { leaves: 6 }));
    expect(await w.run()).toMatchObject({ status: 'complete', brief: { usage: { subtree: { leaves: 6 } } } });
  });

  it('include an orchestrator that executes in the place of its children', async () => {
    const execute: Run = ({ task }) => draft(task.path);
    const w = world(
      tree([3, 2], { domain: { execute }, scenario: { limits: { maxDepth: 1, budget: { leaves: 2 } } } }),
    );
    const { brief } = await w.run();
    expect(brief.usage.subtree.leaves).toBe(2);
    expect(w.endOf('root/d2')).toMatchObject({ status: 'budget', attempts: 0 });
    expect(refusals(w)).toEqual([['root/d2', 'leaves', 1, 0]]);
  });
});

describe('money and tokens', () => {
  it('that are settled are in the usage of the node, of all above it, and in the brief', async () => {
    const w = world(
      tree([2, 2], { leaf: { run: spends(0.1, 0.2) }, scenario: { limits: { budget: { usd: 1, tokens: 1_000 } } } }),
    );
    const { brief } = await w.run();
    expect(brief.usage.subtree).toMatchObject({ usd: 0.4, inputTokens: 280, outputTokens: 120 });
    expect(reportOf(w.endOf('root/d1/l0')).usage.self).toMatchObject({ usd: 0.1, inputTokens: 70, outputTokens: 30 });
    expect(usdOf(w, 'root/d0')).toBe(0.2);
    expect(brief.run?.budget).toEqual({ granted: { usd: 1, tokens: 1_000 } });
    const granted = w.eventsOf('node.started').find(({ path }) => path === 'root/d0/l0');
    expect(granted?.grant.budget).toEqual({ usd: 0.25, tokens: 250 });
  });

  it('are counted in a run without limits too, and nothing is refused there', async () => {
    const w = world(tree([2, 2], { leaf: { run: spends(1e3) } }));
    const { brief } = await w.run();
    expect(brief.usage.subtree).toMatchObject({ usd: 4_000, inputTokens: 280 });
    expect(brief.run).not.toHaveProperty('budget');
  });

  it('that are spent end a leaf for good: one attempt, a token, what it had spent is not lost', async () => {
    const run: Run = async ({ budget, task }) => {
      budget.spend({ usd: 0.3, inputTokens: 5 });
      budget.reserve({ usd: 0.3 });
      return draft(task.path);
    };
    const w = world(scenario([leaf('greedy', run), leaf('modest', spends(0.5))], { usd: 1 }));
    const { brief } = await w.run();
    expect(w.endOf('root/greedy')).toMatchObject({
      status: 'budget',
      attempts: 1,
      partial: { usage: { self: { usd: 0.3, inputTokens: 5 }, subtree: { usd: 0.3, leaves: 1 } } },
    });
    expect(refusals(w)).toEqual([['root/greedy', 'usd', 0.3, 0.2]]);
    expect(brief.usage.subtree.usd).toBe(0.8);
    expect(brief.gaps).toMatchObject([{ kind: 'token', path: 'root/greedy', status: 'budget' }]);
    expect(usdOf(w, 'root/modest')).toBe(0.5);
  });

  it('may be asked for before, and a refusal caught: the leaf goes on with less', async () => {
    const run: Run = ({ budget, task }) => {
      expect(budget.left()).toEqual({ usd: 0.1 });
      expect(() => budget.reserve({ usd: 0.2 })).toThrow('asked for $0.2, and $0.1 of its budget is left');
      expect(() => budget.spend({ usd: -1 })).toThrow('spend was given usd: -1. Give a number of at least 0.');
      budget.spend({ usd: 0.1 });
      return draft(task.path);
    };
    const w = world(scenario([leaf('only', run)], { usd: 0.1 }));
    expect(await w.run()).toMatchObject({ status: 'complete', brief: { usage: { subtree: { usd: 0.1 } } } });
  });

  it('of failed attempts count', async () => {
    const run: Run = ({ budget }) => {
      budget.spend({ usd: 0.1 });
      throw new Error('no');
    };
    const w = world(scenario([leaf('unlucky', run), leaf('other', spends(0))], { usd: 1 }));
    const { brief } = await w.run();
    expect(w.endOf('root/unlucky')).toMatchObject({
      status: 'error',
      attempts: 3,
      partial: { usage: { self: { usd: 0.3 } } },
    });
    expect(brief.usage.subtree.usd).toBe(0.3);
  });

  it('are not there for somebody who settles more than was reserved: cut off at the grant, and flagged', async () => {
    const w = world(scenario([leaf('liar', spends(7, 0.1)), leaf('honest', spends(0.5))], { usd: 1 }));
    const { brief, status } = await w.run();
    expect(status).toBe('complete');
    expect(w.eventsOf('integrity.alert')).toMatchObject([
      {
        path: 'root/liar',
        kind: 'budget',
        message: 'root/liar settled $7, and had reserved $0.1; $6.5 of it did not fit its grant',
      },
    ]);
    expect([usdOf(w, 'root/liar'), usdOf(w, 'root/honest'), usdOf(w, 'root')]).toEqual([0.5, 0.5, 1]);
    expect(brief.run?.budget?.overdrawn).toEqual({ usd: 6.5 });
  });

  it('follow the weight of a child', async () => {
    const seen: Record<string, unknown> = {};
    const look: Run = ({ budget, task }) => {
      seen[task.path] = budget.left();
      return draft(task.path);
    };
    const heavy = defineDomain({
      name: 'heavy',
      charter: 'c',
      weight: 3,
      children: [leaf('a', look), leaf('b', look, { weight: 2 })],
    });
    await world(scenario([heavy, leaf('light', look)], { usd: 4, tokens: 40 })).run();
    expect(seen).toEqual({
      'root/light': { usd: 1, tokens: 10 },
      'root/heavy/a': { usd: 1, tokens: 10 },
      'root/heavy/b': { usd: 2, tokens: 20 },
    });
  });

  it('that one child does not need are there for a sibling, and for a later stage', async () => {
    const clock = new VirtualClock();
    const late: Run = async (context) => {
      await clock.sleep(10);
      return spends(0.5)(context);
    };
    const after = leaf('after', spends(0.4), { needs: ['late'] });
    const w = world(scenario([leaf('frugal', spends(0.1)), leaf('late', late), after], { usd: 1 }), {}, { clock });
    const { brief, status } = await w.run();
    expect([status, brief.usage.subtree.usd, refusals(w)]).toEqual(['complete', 1, []]);
  });

  it('are kept for a later stage and for a synthesis of its own, however greedy the first stage is', async () => {
    const seen: number[] = [];
    const takeAll: Run = ({ budget, task }) => {
      const usd = budget.left().usd ?? 0;
      seen.push(usd);
      budget.spend({ usd });
      return draft(task.path);
    };
    const synthesize = ({
      budget,
      children,
    }: Parameters<NonNullable<Parameters<typeof defineDomain>[0]['synthesize']>>[0]) => {
      seen.push(budget.left().usd ?? 0);
      budget.spend({ usd: 0.3, outputTokens: 9 });
      return {
        narrative: 'All.',
        dispositions: children.map(({ name }) => ({ id: `root/d/${name}#said`, as: 'kept' as const })),
      };
    };
    const d = defineDomain({
      name: 'd',
      charter: 'c',
      children: [leaf('a', takeAll), leaf('b', takeAll, { needs: ['a'] })],
      synthesize,
    });
    const w = world(scenario([d], { usd: 0.9 }));
    const { brief } = await w.run();
    expect(seen).toEqual([0.3, 0.3, 0.3]);
    expect(reportOf(w.endOf('root/d')).usage).toMatchObject({
      self: { usd: 0.3, outputTokens: 9 },
      subtree: { usd: 0.9 },
    });
    expect(brief.usage.subtree.usd).toBe(0.9);
  });

  it('pass down through every tier, and what one leaf lacks comes from the root', async () => {
    const deep = (depth: number): Child =>
      depth === 0
        ? leaf('l', spends(0.9))
        : defineDomain({ name: 'd', charter: 'c', children: [deep(depth - 1), leaf('idle', spends(0))] });
    const w = world(scenario([deep(4)], { usd: 0.91, tokens: 1_000 }, { maxDepth: 5 }));
    expect((await w.run()).brief.usage.subtree).toMatchObject({ usd: 0, leaves: 5 }); // all at once: each idles on its share
    const late = world(scenario([deep(4)], { usd: 0.9 * 5, tokens: 1_000 }, { maxDepth: 5 }));
    expect((await late.run()).brief.usage.subtree).toMatchObject({ usd: 0.9 });
  });
});

describe('a reservation', () => {
  const hoarder: Run = ({ budget }) => {
    budget.reserve({ usd: 1 });
    return never();
  };
  const takesWhat =
    (seen: number[]): Run =>
    ({ budget, task }) => {
      seen.push(budget.left().usd ?? -1);
      return draft(task.path);
    };

  it('is released at the end of the attempt', async () => {
    const seen: number[] = [];
    const run: Run = ({ budget, attempt, task }) => {
      seen.push(budget.left().usd ?? -1);
      budget.reserve({ usd: 1 });
      if (attempt === 1) throw new Error('no');
      return draft(task.path);
    };
    await world(scenario([leaf('l', run)], { usd: 1 })).run();
    expect(seen).toEqual([1, 1]);
  });

  it('of a node that hangs is there again for the next stage', async () => {
    const seen: number[] = [];
    const w = world(
      scenario([leaf('hoarder', hoarder), leaf('next', takesWhat(seen), { needs: ['hoarder'] })], { usd: 2 }),
    );
    const { brief } = await w.run();
    expect(seen).toEqual([2]);
    expect(brief.usage.subtree.usd).toBe(0);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it.each(['cancel', 'stop'] as const)('settled after a %s harms nobody', async (how) => {
    const clock = new VirtualClock();
    const contexts: LeafContext[] = [];
    const run: Run = async (context) => {
      contexts.push(context);
      const reservation = context.budget.reserve({ usd: 0.2 });
      await clock.sleep(1_000);
      reservation.settle({ usd: 0.2 });
      return [];
    };
    const w = world(tree([2, 2], { leaf: { run }, scenario: { limits: { budget: { usd: 1 } } } }), {}, { clock });
    const handle = w.start();
    clock.setTimeout(() => handle[how](), 500);
    const outcome = await clock.run(handle.result.catch(() => undefined));
    await clock.advance(5_000);
    expect(outcome?.brief.usage.subtree.usd).toBe(how === 'stop' ? undefined : 0);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
    expect(contexts[0]?.budget.left()).toEqual({ usd: expect.any(Number) as number });
  });

  it('settled after its node was given up counts where the run still goes on', async () => {
    const clock = new VirtualClock();
    const deaf: Run = async ({ budget }) => {
      const reservation = budget.reserve({ usd: 0.2 });
      await clock.sleep(1_000);
      reservation.settle({ usd: 0.2, inputTokens: 4 });
      return [];
    };
    const slow: Run = async ({ task }) => {
      await clock.sleep(5_000);
      return draft(task.path);
    };
    const quick = defineDomain({
      name: 'quick',
      charter: 'c',
      children: [leaf('deaf', deaf), leaf('fast', spends(0))],
      join: { quorum: 1 },
    });
    const w = world(scenario([quick, leaf('slow', slow)], { usd: 1 }), {}, { clock });
    const { brief } = await w.run();
    expect(usdOf(w, 'root/quick')).toBe(0);
    expect(brief.usage).toMatchObject({ self: { usd: 0.2, inputTokens: 4 }, subtree: { usd: 0.2 } });
  });
});

it.each(['hang', 'throw', 'silent', 'invalid'])(
  'what was spent below a node that ends by %s is in its token',
  async (how) => {
    for (const step of ['', ':gather']) {
      const w = world(
        tree([2, 2], { leaf: { run: spends(0.1) }, scenario: { limits: { budget: { usd: 1 } } } }),
        {},
        { faults: [`root/d0${step}=${how}`] },
      );
      const { brief } = await w.run();
      const spent =
        w.events.filter(({ type, path }) => type === 'attempt.started' && path.startsWith('root/d0/')).length / 10;
      const end = w.endOf('root/d0');
      const { usage } = (end.kind === 'report' ? end : end.partial) ?? {};
      expect([step, usage?.subtree.usd ?? 0, brief.usage.subtree.usd]).toEqual([step, spent, 0.2 + spent]);
      expect(spent).toBe(step === '' ? 0.2 : spent);
    }
  },
);
