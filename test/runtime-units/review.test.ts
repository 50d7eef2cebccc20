/** Each run has one thing planted in it, on virtual time; the review must name it and nothing else. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Scenario, Synthesizer } from '../../src/define/spec.ts';
import { Review } from '../../src/protocol/review.ts';
import { reviewOf } from '../../src/runtime/record/review.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { draft, json, never, tree, world, type WorldOptions } from '../support/world.ts';

type Planted = {
  shape?: readonly number[] | Scenario;
  /** How long an attempt at this path takes. */
  worksFor?: (path: string) => number;
  /** How long a synthesis takes. */
  synthesizesFor?: (path: string) => number;
  plansFor?: (path: string) => number;
  options?: WorldOptions;
};
async function reviewed({ shape = [2, 2], worksFor, synthesizesFor, plansFor, options }: Planted): Promise<Review> {
  const store = memoryStore();
  const clock = new VirtualClock(1_000_000);
  const w = world(
    shape,
    (own) => ({
      plan: async (input, io) => (await clock.sleep(plansFor?.(input.task.path) ?? 0), own.plan(input, io)),
      attempt: async (input, io) => {
        await clock.sleep(worksFor?.(input.task.path) ?? 10, io.abortSignal);
        return own.attempt(input, io);
      },
      synthesize: async (input, io) => {
        await clock.sleep(synthesizesFor?.(input.task.path) ?? 0);
        return own.synthesize(input, io);
      },
    }),
    { ...options, store, clock },
  );
  await w.run();
  const review = reviewOf(store.nodes('run'));
  expect(Review.parse(json(review))).toEqual(review);
  return review;
}
const waitAt = ({ waits }: Review, path: string) => waits.find((wait) => wait.path === path);

describe('the bottleneck', () => {
  it('is the domain whose synthesis is slow, with the wait it alone caused', async () => {
    const review = await reviewed({
      shape: [3, 2],
      worksFor: (path) => (path.startsWith('root/d0') ? 3_000 : 1_000),
      synthesizesFor: (path) => (path === 'root/d2' ? 40_000 : 0),
    });
    expect(review.bottleneck).toEqual({
      path: 'root/d2',
      level: 'domain at depth 1',
      phase: 'synthesis',
      ms: 40_000,
      share: 40 / 41,
      wait: { path: 'root', slowest: 'root/d2', next: 'root/d0', ms: 38_000 },
    });
    expect(review.divided[0]).toEqual({ to: 'domain at depth 1', ms: 40_000, share: 40 / 41 });
    expect(review.waits[0]).toEqual(review.bottleneck?.wait);
    expect(review.criticalPath.map(({ path, phase, ms }) => [path, phase, ms])).toEqual([
      ['root/d2/l1', 'work', 1_000],
      ['root/d2', 'synthesis', 40_000],
    ]);
  });

  it('is planning when deciding takes longest', async () => {
    const { bottleneck } = await reviewed({ plansFor: (path) => (path === 'root/d1' ? 9_000 : 1) });
    expect(bottleneck).toMatchObject({ path: 'root/d1', phase: 'planning', ms: 9_000 });
  });

  it('is a leaf when its work takes longest; whoever waited alone for it is named', async () => {
    const review = await reviewed({ worksFor: (path) => (path === 'root/d1/l0' ? 7_000 : 2_000) });
    expect(review.bottleneck).toMatchObject({ path: 'root/d1/l0', level: 'leaf', phase: 'work', ms: 7_000 });
    expect(review.bottleneck?.wait).toMatchObject({ path: 'root/d1', next: 'root/d1/l1', ms: 5_000 });
    expect(waitAt(review, 'root')).toMatchObject({ slowest: 'root/d1', ms: 5_000 });
    expect(waitAt(review, 'root/d0')).toMatchObject({ ms: 0 });
  });

  it('is the waiting for a slot, told apart from work, when slots are scarce', async () => {
    const starved = await reviewed({ shape: [6], worksFor: () => 1_000, options: { concurrency: 1 } });
    expect(starved.bottleneck).toMatchObject({ phase: 'slot', ms: 5_000, path: 'root/l5' });
    expect(starved.divided).toEqual([
      { to: 'slot', ms: 5_000, share: 5 / 6 },
      { to: 'leaf', ms: 1_000, share: 1 / 6 },
    ]);
    expect(starved.phases).toMatchObject({ slot: 15_000, work: 6_000 });
    const slow = await reviewed({ shape: [6], worksFor: () => 6_000 });
    expect(slow.bottleneck).toMatchObject({ phase: 'work', ms: 6_000 });
    expect(slow.phases.slot).toBe(0);
  });

  it('lies in a later stage, after those that it needed', async () => {
    const leaf = (name: string, needs: string[] = []) =>
      defineLeaf({ name, needs, run: ({ task }) => draft(task.path) });
    const shape = defineScenario({
      name: 'staged',
      thesis: 'It holds',
      domains: [leaf('a'), leaf('b'), leaf('late', ['a'])],
      limits: { maxDepth: 1 },
    });
    const ms: Record<string, number> = { 'root/a': 100, 'root/b': 300, 'root/late': 900 };
    const review = await reviewed({ shape, worksFor: (path) => ms[path] ?? 0 });
    expect(review.criticalPath.map(({ path, ms }) => [path, ms])).toEqual([
      ['root/b', 300],
      ['root/late', 900],
    ]);
    expect(review.waits).toEqual([
      { path: 'root', slowest: 'root/late', ms: 900 },
      { path: 'root', slowest: 'root/b', next: 'root/a', ms: 200 },
    ]);
  });

  it('is not a child that a quorum cut off', async () => {
    const review = await reviewed({
      shape: tree([3], { scenario: { join: { quorum: 2 } } }),
      worksFor: (path) => ({ 'root/l0': 50_000, 'root/l1': 100, 'root/l2': 400 })[path] ?? 0,
    });
    expect(review.bottleneck).toMatchObject({ path: 'root/l2', ms: 400 });
  });
});

describe('completion times', () => {
  it('are distributed by tier, from the root down', async () => {
    const review = await reviewed({ worksFor: (path) => (path.startsWith('root/d0') ? 1_000 : 3_000) });
    expect(review.completion.map(({ level, times }) => [level, times.n])).toEqual([
      ['root', 1],
      ['domain at depth 1', 2],
      ['leaf', 4],
    ]);
    expect(review.completion[2]?.times).toEqual({
      n: 4,
      min: 1_000,
      median: 2_000,
      p90: 3_000,
      max: 3_000,
      mean: 2_000,
      variance: 1_000_000,
      standardDeviation: 1_000,
    });
  });
});

describe('what was lost on the way up', () => {
  const forgetful: Synthesizer = () => ({ narrative: 'Nothing.', dispositions: [] });

  it('is laid to a domain that drops its findings', async () => {
    const leaf = defineLeaf({ name: 'l', run: ({ task }) => [draft(task.path), draft(task.path, { key: 'more' })] });
    const shape = defineScenario({
      name: 'lossy',
      thesis: 'It holds',
      domains: [
        defineDomain({ name: 'good', charter: '', children: [leaf] }),
        defineDomain({ name: 'bad', charter: '', children: [leaf], synthesize: forgetful }),
      ],
    });
    const { retention } = await reviewed({ shape });
    expect(retention.worstTier).toMatchObject({ level: 'domain at depth 1', syntheses: 2, incoming: 4, dropped: 2 });
    expect(retention.worstTier?.recall).toBeCloseTo(0.5);
    expect(retention.worstNode).toMatchObject({ path: 'root/bad', recall: 0, dropped: 2, lost: 2, verbatim: 1 });
  });

  it('is laid to the root when the root drops them', async () => {
    const { retention } = await reviewed({ shape: tree([2, 2], { scenario: { synthesize: forgetful } }) });
    expect(retention.worstTier).toMatchObject({ level: 'root', incoming: 4, dropped: 4, recall: 0 });
    expect(retention.worstNode).toMatchObject({ path: 'root' });
    expect(retention.tiers.find(({ level }) => level !== 'root')).toMatchObject({ incoming: 4, kept: 4, recall: 1 });
  });

  it('is nothing when everything passed up', async () => {
    const { retention } = await reviewed({});
    expect(retention.worstTier).toBeUndefined();
    expect(retention.worstNode).toBeUndefined();
  });
});

describe('failures and cost', () => {
  it('counts attempts and retries, and what came between them', async () => {
    const leaf = {
      attempts: 3,
      run: ({ task, attempt }: { task: { path: string }; attempt: number }) => {
        if (attempt < ({ 'root/d0/l1': 3, 'root/d1/l1': 2 }[task.path] ?? 1)) throw new Error('again');
        return draft(task.path);
      },
      recover: async () => 'try harder',
    };
    const review = await reviewed({ shape: tree([2, 2], { leaf }), worksFor: () => 1_000 });
    expect(review).toMatchObject({
      attempts: 7,
      retries: 3,
      retried: [
        { path: 'root/d0/l1', attempts: 3 },
        { path: 'root/d1/l1', attempts: 2 },
      ],
    });
    expect(review.bottleneck).toMatchObject({ path: 'root/d0/l1', phase: 'work', ms: 3_000 });
    expect(review.failures).toEqual([]);
    expect(review.cost.perCompletedLeaf).toMatchObject({ attempts: 1.75, nodeSeconds: 1.75 });
  });

  it('names a failed leaf by how it failed; it is no completed outcome', async () => {
    const review = await reviewed({ options: { faults: ['root/d1/l0=throw', 'root/d0/l1=hang'] } });
    expect(review.failures).toEqual([
      { status: 'timeout', paths: ['root/d0/l1'] },
      { status: 'error', paths: ['root/d1/l0'] },
    ]);
    expect(review.cost).toMatchObject({ usesModel: false, completedLeaves: 2, nodes: [] });
    expect(review.bottleneck?.path).toBe('root/d0/l1');
  });

  it('has no cost per completed leaf when none completed', async () => {
    const { cost } = await reviewed({ shape: [1], options: { faults: ['root/l0=throw'] } });
    expect(cost.completedLeaves).toBe(0);
    expect(cost.perCompletedLeaf).toBeUndefined();
  });
});

describe('a run that has not ended', () => {
  it('is reviewed as far as it is known, or until now', async () => {
    const store = memoryStore();
    const clock = new VirtualClock(1_000);
    const attempt = async ({ task }: { task: { path: string } }) => {
      await clock.sleep(500);
      return task.path === 'root/d1/l0' ? never() : draft(task.path);
    };
    const w = world([2, 2], { attempt }, { store, clock });
    const handle = w.start();
    await clock.advance(5_000);
    handle.stop();
    await handle.result.catch(() => {});
    // Others ended at the last instant that is known; this one had not.
    const then = reviewOf(store.nodes('run'));
    expect(then).toMatchObject({ elapsedMs: 500, bottleneck: { path: 'root/d1/l0', phase: 'work', ms: 500 } });
    const now = reviewOf(store.nodes('run'), 6_000);
    expect(now).toMatchObject({ elapsedMs: 5_000, bottleneck: { path: 'root/d1/l0', phase: 'work', ms: 5_000 } });
    expect(now.states).toMatchObject({ running: 3, complete: 4 });
  });

  it('says nothing of a run without nodes', () => {
    const review = reviewOf([]);
    expect(review).toMatchObject({ nodes: 0, elapsedMs: 0, criticalPath: [], waits: [], completion: [] });
    expect(review.bottleneck).toBeUndefined();
  });

  it('counts, once resumed, what had ended before as no time of its own', async () => {
    const store = memoryStore();
    const clock = new VirtualClock(1_000);
    const w = world(
      [2, 2],
      {
        attempt: async ({ task }) => (
          await clock.sleep(task.path.startsWith('root/d1') ? 9_000 : 1_000),
          draft(task.path)
        ),
      },
      { store, clock },
    );
    const handle = w.start();
    await clock.advance(5_000);
    handle.stop();
    await handle.result.catch(() => {});
    await clock.advance(60_000);
    await w.run({ resume: 'run' });
    const review = reviewOf(store.nodes('run'));
    expect(review).toMatchObject({ reused: 3, elapsedMs: 9_000, phases: { work: 20_000 } });
    expect(review.waits.filter(({ path }) => path === 'root')).toEqual([
      { path: 'root', slowest: 'root/d1', ms: 9_000 },
    ]);
    expect(new Set(review.criticalPath.map(({ path }) => path.slice(0, 7)))).toEqual(new Set(['root/d1']));
  });

  it('leaves out what an interruption left behind and nobody has come to again', async () => {
    const store = memoryStore();
    const clock = new VirtualClock(1_000);
    const w = world(
      [2, 2],
      (own) => ({
        plan: async (input, io) => (await clock.sleep(2_000), own.plan(input, io)),
        attempt: async ({ task }) => (
          await clock.sleep(task.path.startsWith('root/d1') ? 9_000 : 1_000),
          draft(task.path)
        ),
      }),
      { store, clock },
    );
    for (const options of [{}, { resume: 'run' }]) {
      const handle = w.start(options);
      await clock.advance('resume' in options ? 1_000 : 8_000);
      handle.stop();
      await handle.result.catch(() => {});
      await clock.advance(60_000);
    }
    const { phases, elapsedMs } = reviewOf(store.nodes('run'), 70_000);
    expect(elapsedMs).toBe(1_000);
    expect(phases).toMatchObject({ work: 2_000, planning: 3_000 });
  });
});
