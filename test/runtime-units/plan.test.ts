import { describe, expect, it } from 'vitest';
import { plan } from '../../src/runtime/plan.ts';
import { renderPlanTree } from '../../src/render/plan-tree.ts';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import type { Duration, Store } from '../../src/ports/store.ts';
import { tree } from '../support/world.ts';

const limited = (widths: readonly number[], maxChildren: number, maxDepth = widths.length) =>
  tree(widths, { scenario: { limits: { maxDepth, maxChildren } } });
const REFUSED = 'it will be refused. Raise maxChildren to';

describe('the plan', () => {
  it.each([{ widths: [400, 400] }, { widths: [150_000] }])('of a tree of $widths is made and shown', ({ widths }) => {
    const planned = plan(limited(widths, 150_000));
    expect(planned.root.decision?.estimates.leaves).toBeGreaterThanOrEqual(150_000);
    expect(planned.root.estimateMs).toBeGreaterThanOrEqual(1_000);
    expect(renderPlanTree(planned)).toContain(`depth ${widths.length} of at most ${widths.length}`);
  });

  it('warns of a node with more children than the limit, naming the widest', () => {
    expect(plan(limited([3, 4], 2)).warnings).toEqual([
      `The plan of root/d0 has 4 children, the limit is 2: ${REFUSED} 4, or divide the node into domains.`,
    ]);
    expect(plan(limited([5, 4], 4)).warnings.join()).toContain(`The plan of root has 5 children, the limit is 4: `);
    expect(plan(limited([3, 4], 4)).warnings).toEqual([]);
  });

  it('warns of more leaves than the budget has', () => {
    expect(plan(tree([3, 4]), { budget: { leaves: 10 } }).warnings).toEqual([
      'The plan has 12 leaves, the budget 10: 2 will be refused. Raise budget.leaves to 12, or choose fewer domains.',
    ]);
    expect(plan(tree([3, 4]), { budget: { leaves: 12 } }).warnings).toEqual([]);
  });

  it('says of a node that can neither divide nor execute that its children will be gaps', () => {
    const idle = plan(limited([2, 2], 9), { maxDepth: 1 });
    expect(idle.root.children.map(({ cannotExecute }) => cannotExecute)).toEqual([true, true]);
    expect(idle.warnings).toContain(
      'root/d0 and 1 more have no execute and no depth left to divide: the children will be gaps.',
    );
    expect(renderPlanTree(idle)).toContain(`
├ d0: cannot execute, having no execute of its own: its children will be gaps
│ ├ a gap, depth is spent: l0
│ └ a gap, depth is spent: l1
`);
    expect(renderPlanTree(idle)).toContain('0 leaves');
    const able = plan(tree([2, 2], { domain: { execute: () => [] } }), { maxDepth: 1 });
    expect(able.root.children.map(({ cannotExecute }) => cannotExecute)).toEqual([undefined, undefined]);
    expect(able.warnings).toHaveLength(1);
    expect(renderPlanTree(able)).toContain('d0: executes as a leaf');
  });

  it('counts only children that would be spawned', () => {
    expect(plan(limited([3, 4], 2), { domains: ['d0', 'd1'], maxDepth: 1 }).warnings.join()).not.toContain(REFUSED);
    expect(plan(limited([3], 2), { domains: ['l0'] }).warnings).toEqual([]);
  });
});

describe('the expected time of a plan', () => {
  /** A store that has seen each of these twice. */
  const having = (took: Record<string, number>): Store => {
    const durations = Object.entries(took).flatMap(([path, ms]): Duration[] =>
      [2, 1].map((at) => ({ scenario: 'tree', path, ms, at })),
    );
    return { ...memoryStore(), durations: () => durations };
  };
  const scenario = (estimate?: string) =>
    tree([2, 2], { ...(estimate !== undefined && { leaf: { estimate } }), scenario: { limits: { deadline: '30s' } } });

  it('is under the cap: by estimates without a store, of none by the usual second', () => {
    const plans = [{ concurrency: 4 }, { concurrency: 2 }, { concurrency: 1 }].map((options) =>
      plan(scenario(), options),
    );
    // and 100 ms for the syntheses of either tier; at two at once only the last domain's has to be waited for
    expect(plans.map(({ expectedMs }) => expectedMs)).toEqual([1_200, 2_200, 4_200]);
    expect(plan(scenario('5s'), { concurrency: 1 }).expectedMs).toBe(20_200);
    expect(plans[0]?.measured).toEqual({ leaves: 0, of: 4 });
    expect(plan(scenario(), { maxDepth: 1 })).toMatchObject({ expectedMs: 100, measured: { leaves: 0, of: 2 } });
  });
  it('is from earlier runs where there are any', () => {
    const store = having({ 'root/d0/l0': 9_000, 'root/d0/l1': 1, 'root/d1/l0': 3, 'root/d0': 10, root: 2_000 });
    const planned = plan(scenario(), { store });
    expect(planned).toMatchObject({ expectedMs: 9_000 + 10 + 2_000, measured: { leaves: 3, of: 4 }, warnings: [] });
    const [d0, d1] = planned.root.children;
    expect(d0?.estimateMs).toBe(9_010);
    expect(d1?.children.map(({ estimateMs, estimateFrom }) => [estimateMs, estimateFrom])).toEqual([
      [3, 'runs'],
      [3, 'nobody'], // the median of those that are known
    ]);
  });
  it('is what a deadline is held against', () => {
    const late = 'but its deadline is 30 s. Raise the deadline.';
    expect(plan(scenario('20s'), { concurrency: 1 }).warnings).toEqual([
      `By its estimates the run takes 80 s, ${late}`,
    ]);
    expect(plan(scenario('20s'), { concurrency: 4 }).warnings).toEqual([]);
    const three = tree([3], { leaf: { estimate: '20s' }, scenario: { limits: { deadline: '35s' } } });
    const [warning] = plan(three, { concurrency: 2 }).warnings; // 60 s of work for two, but no leaf can be divided
    expect(warning).toBe('By its estimates the run takes 40 s, but its deadline is 35 s. Raise the deadline.');
    const store = having({ 'root/d0/l0': 40_000 });
    expect(plan(scenario(), { store }).warnings).toEqual([`By earlier runs the run takes 40 s, ${late}`]);
  });
});
