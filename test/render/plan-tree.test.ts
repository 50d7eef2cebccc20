import { describe, expect, it } from 'vitest';
import { renderPlanTree, type PlanTree, type PlanTreeNode } from '../../src/render/plan-tree.ts';
import { displayWidth } from '../../src/render/text-layout.ts';

const node = (path: string, over: Partial<PlanTreeNode> = {}): PlanTreeNode => ({
  path,
  question: 'Hold it?',
  sources: [],
  needs: [],
  estimateMs: 1_000,
  children: [],
  ...over,
});
const decision = (over: object) => ({
  by: 'scenario',
  mode: 'divide' as const,
  stages: [],
  skipped: [],
  estimates: { leaves: 2, criticalPathMs: 1_000 },
  ...over,
});
const plan: PlanTree = {
  scenario: 'tiny',
  thesis: 'Hold it?',
  asOf: '2008-06-01',
  maxDepth: 2,
  deadlineMs: 480_000,
  concurrency: 10,
  expectedMs: 42_000,
  measured: { leaves: 0, of: 3 },
  warnings: ['The tree is 3 deep.'],
  root: node('root', {
    decision: decision({ skipped: [{ name: 'sector', why: 'not among the domains chosen' }] }),
    children: [
      node('root/macro', {
        question: 'How is the economy?',
        children: [node('root/macro/jobs', { sources: ['us/jobs'] }), node('root/macro/regime', { needs: ['jobs'] })],
      }),
      node('root/credit', { decision: decision({ mode: 'execute', demoted: ['spreads'] }) }),
    ],
  }),
};

describe('the tree of a plan', () => {
  it('shows who works on what, after whom, and who does not', () => {
    expect(renderPlanTree(plan)).toBe(`Hold it?
Scenario tiny, as of 2008-06-01, due in 8 min, depth 2 of at most 2, 3 leaves,
10 at once.
Expected: about 42 s (no earlier runs).
! The tree is 3 deep.

root: 2 children, about 1.0 s
├ macro: 2 children, about 1.0 s
│ │ How is the economy?
│ ├ jobs: reads us/jobs, about 1.0 s
│ │   Hold it?
│ └ regime: after jobs, about 1.0 s
│     Hold it?
├ credit: executes as a leaf, about 1.0 s
│ └ not spawned, depth is spent: spreads
└ skipped sector: not among the domains chosen
`);
  });

  it.each([
    { leaves: 2, estimateFrom: 'author', from: 'from earlier runs for 2 of 3 leaves' },
    { leaves: 0, estimateFrom: 'author', from: 'from estimates' },
    { leaves: 0, estimateFrom: 'nobody', from: 'no earlier runs' },
  ] as const)('says where the expected time is $from', ({ leaves, estimateFrom, from }) => {
    const root = node('root', {
      children: [node('root/macro', { children: [node('root/macro/a', { estimateFrom })] })],
    });
    const shown = renderPlanTree({ ...plan, measured: { leaves, of: 3 }, root });
    expect(shown).toContain(`Expected: about 42 s (${from}).\n`);
  });

  it('fits the width', () => {
    for (const line of renderPlanTree(plan, { width: 40 }).split('\n')) {
      expect(displayWidth(line)).toBeLessThanOrEqual(40);
    }
  });
});
