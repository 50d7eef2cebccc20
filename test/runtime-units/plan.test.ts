import { describe, expect, it } from 'vitest';
import { plan } from '../../src/runtime/plan.ts';
import { renderPlanTree } from '../../src/render/plan-tree.ts';
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
