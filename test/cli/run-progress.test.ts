import { describe, expect, it } from 'vitest';
import { countLeaves, createProgress } from '../../src/cli/run-progress.ts';
import {
  attemptFailed,
  attemptStarted,
  escalated,
  failed,
  nodeStarted,
  planOf,
  reported,
  runStarted,
  stamped,
} from './progress-events.ts';

const A = 'root/domain-0/some-rather-long-analyst-0';
const B = 'root/domain-0/some-rather-long-analyst-1';

describe('the progress of a run', () => {
  it('knows every planned node from the start (invariant 1)', () => {
    expect(countLeaves(createProgress(planOf(3, 4)).root)).toEqual({ ended: 0, cutOff: 0, running: 0, total: 12 });
  });

  it('counts a leaf as running only while it is attempted', () => {
    const progress = createProgress(planOf(1, 2));
    const running = () => countLeaves(progress.root).running;
    progress.apply(runStarted());
    progress.apply(nodeStarted(A, 'leaf')); // waits for a slot
    expect(running()).toBe(0);
    progress.apply(attemptStarted(A));
    expect(running()).toBe(1);
    progress.apply(attemptFailed(A, true)); // waits for a slot again
    expect(running()).toBe(0);
    progress.apply(attemptStarted(A, 2));
    progress.apply(reported(A, 'leaf'));
    expect(countLeaves(progress.root)).toEqual({ ended: 1, cutOff: 0, running: 0, total: 2 });
  });

  it('ends what a node leaves behind, once (invariant 2)', () => {
    const progress = createProgress(planOf(2, 2));
    progress.apply(nodeStarted('root/domain-0', 'domain'));
    progress.apply(attemptStarted(A));
    progress.apply(failed('root/domain-0'));
    progress.apply(reported(B, 'leaf', 9_000)); // too late
    const [domain] = progress.root.children;
    expect(domain?.outcome).toBe('timeout');
    expect(domain?.children.map((leaf) => [leaf.outcome, leaf.endedAt])).toEqual([
      ['closed', 1_000],
      ['closed', 1_000],
    ]);
    expect(countLeaves(progress.root)).toEqual({ ended: 0, cutOff: 2, running: 0, total: 4 });
  });

  it('learns of nodes that the plan did not know, and forgets those that are refused', () => {
    const progress = createProgress(planOf(1, 1));
    const child = { name: 'new', role: 'leaf' as const };
    const decision = { by: 'x', mode: 'divide' as const, stages: [[child]], skipped: [] };
    const estimates = { leaves: 1, criticalPathMs: 1 };
    progress.apply(stamped({ type: 'node.planned', path: 'root', decision: { ...decision, estimates } }));
    expect(progress.root.children.map(({ path }) => path)).toEqual(['root/domain-0', 'root/new']);
    progress.apply(stamped({ type: 'depth.refused', path: 'root/domain-0', maxDepth: 1, children: ['a'] }));
    expect(countLeaves(progress.root).total).toBe(2);
  });

  it('counts escalations', () => {
    const progress = createProgress(planOf(1, 1));
    progress.apply(escalated(A));
    expect(progress.escalations).toBe(1);
  });
});
