/** Stragglers that are executed a second time, on virtual time. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { uniform } from '../../bench/random.ts';
import type { HedgeSpec, LeafSpec, LimitsSpec, Scenario } from '../../src/define/spec.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { AttemptInput } from '../../src/ports/activities.ts';
import { readNode } from '../../src/cli/node-record.ts';
import { reviewOf } from '../../src/runtime/record/review.ts';
import { verifyRun } from '../../src/runtime/record/verify.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, reportOf, tree, world, type WorldOptions } from '../support/world.ts';

type Latency = (input: AttemptInput) => number;
const HEDGE: HedgeSpec = { after: 300, extra: 0.1 };
const wide = (leaves: number, limits: LimitsSpec = {}, leaf: Partial<LeafSpec> = {}): Scenario =>
  tree([leaves], {
    leaf: { idempotent: true, ...leaf },
    scenario: { limits: { maxDepth: 1, hedge: HEDGE, ...limits } },
  });

/** Whose attempts take as long as `latency` says. */
function slow(scenario: Scenario, latency: Latency, options: WorldOptions = {}) {
  const clock = new VirtualClock();
  return world(
    scenario,
    (own) => ({
      async attempt(input, io) {
        await clock.sleep(latency(input), io.abortSignal);
        return own.attempt(input, io);
      },
    }),
    { ...options, clock },
  );
}
const tookOf = ({ timing }: { timing: { startedAt: number; endedAt: number } }): number =>
  timing.endedAt - timing.startedAt;
const isFirstOf =
  (path: string): Latency =>
  ({ task, isHedge }) =>
    task.path === path && !isHedge ? 10_000 : 100;

describe('a long tail', () => {
  it('is cut: 3 of 100 executions take a hundred times as long', async () => {
    const took: Record<string, number[]> = { plain: [], hedged: [] };
    for (let seed = 0; seed < 15; seed++) {
      const digests = [];
      for (const [how, hedge] of [
        ['plain', false],
        ['hedged', HEDGE],
      ] as const) {
        const random = uniform(seed);
        const w = slow(wide(200, { concurrency: 20 }), () => (random() < 0.03 ? 10_000 : 80 + 40 * random()), {
          hedge,
        });
        const { brief } = await w.run();
        expect(w.leftovers()).toEqual(NOTHING_LEFT);
        expect(w.peakOfAttempts()).toBeLessThanOrEqual(20);
        took[how]?.push(tookOf(brief));
        digests.push(brief.digest);
        expect(brief.usage.subtree.hedges ?? 0).toBe(w.eventsOf('attempt.hedged').length);
      }
      expect(new Set(digests).size).toBe(1);
    }
    const typical = (times: number[] = []): number => times.toSorted((a, b) => a - b)[7] ?? 0;
    expect(typical(took['plain'])).toBeGreaterThan(10_000);
    expect(typical(took['hedged'])).toBeLessThan(3_000);
  });
});

describe('a straggler', () => {
  it('is executed again in a slot of its own, and the other is aborted at once', async () => {
    const w = slow(wide(20), isFirstOf('root/l3'));
    const { brief } = await w.run();
    expect(tookOf(brief)).toBe(400); // hedged at 300, and 100 more
    expect(w.eventsOf('attempt.hedged')).toMatchObject([{ path: 'root/l3', attempt: 1 }]);
    expect(w.eventsOf('execution.dropped')).toMatchObject([{ path: 'root/l3', which: 'first' }]);
    expect(reportOf(w.endOf('root/l3')).usage.self).toMatchObject({ attempts: 1, hedges: 1 });
    expect(brief.usage.subtree).toMatchObject({ attempts: 20, hedges: 1 });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('waits behind those that have not begun, and is not hedged when it ends meanwhile', async () => {
    const latency: Latency = ({ task }) => (task.path === 'root/l0' ? 1_000 : 100);
    const w = slow(wide(20, { concurrency: 2 }), latency);
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(w.eventsOf('attempt.hedged')).toEqual([]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('loses no slot to a hedge that waits for one: its lease is for those who have not begun', async () => {
    const limits = { concurrency: 3, deadline: 100_000, hedge: { after: 1_000, extra: 1 } };
    const w = slow(wide(3, limits), () => 40_000); // longer than a lease
    const { brief } = await w.run();
    expect(brief.gaps).toEqual([]);
    expect(w.eventsOf('attempt.hedged')).toEqual([]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is looked at again when there are more hedges to be had', async () => {
    const latency: Latency = ({ task, isHedge }) => (task.path === 'root/l0' && !isHedge ? 60_000 : 150);
    const w = slow(wide(20, { concurrency: 2, hedge: { after: 300, extra: 0.05 } }), latency);
    const { brief } = await w.run();
    expect(w.eventsOf('attempt.hedged')).toHaveLength(1); // when the twentieth has begun
    expect(tookOf(brief)).toBeLessThan(3_500);
  });

  it('whose hedge fails goes on, and one whose executions both fail is one failed attempt', async () => {
    const w = world(wide(20, {}, { attempts: 2 }), (own) => ({
      async attempt(input, io) {
        const { task, isHedge, attempt } = input;
        if (task.path === 'root/l1' && isHedge) throw new Error('no');
        if (task.path === 'root/l1') await w.clock.sleep(1_000, io.abortSignal);
        if (task.path === 'root/l2' && attempt === 1) {
          await w.clock.sleep(isHedge ? 500 : 400, io.abortSignal);
          throw new Error('neither');
        }
        return own.attempt(input, io);
      },
    }));
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(w.eventsOf('attempt.failed')).toMatchObject([
      { path: 'root/l2', attempt: 1, fault: { message: 'neither' } },
    ]);
    expect(w.eventsOf('execution.dropped').map(({ path, which }) => [path, which])).toEqual([
      ['root/l1', 'hedge'],
      ['root/l2', 'first'],
    ]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('deaf to its signal says nothing new when it has been outrun', async () => {
    const w = world(wide(20), {
      async attempt({ task, isHedge }, { report }) {
        const all = [draft(task.path, { key: 'plain' }), draft(task.path, { ...CRITICAL, statement: 'alarm' })];
        delete all[1]?.key;
        if (task.path === 'root/l0' && !isHedge) await w.clock.sleep(1_000);
        if (task.path === 'root/l0') report(draft(task.path, { key: 'live' }));
        return all;
      },
    });
    const handle = w.start();
    const { brief } = await w.clock.run(handle.result);
    await w.clock.advance(5_000);
    expect(brief.status).toBe('complete');
    expect(brief.escalations).toHaveLength(20);
    expect(w.eventsOf('child.late')).toEqual([]);
    expect(w.eventsOf('finding.reported').filter(({ path }) => path === 'root/l0')).toHaveLength(3);
  });

  it('that calls something critical before it is dropped is heard', async () => {
    const w = world(wide(20), (own) => ({
      async attempt(input, io) {
        const { task, isHedge } = input;
        if (task.path !== 'root/l0' || isHedge) return own.attempt(input, io);
        io.report(draft(task.path, { key: 'alarm', ...CRITICAL }));
        return never();
      },
    }));
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(brief.escalations.map(({ id }) => id)).toEqual(['root/l0#alarm']);
    expect(reportOf(w.endOf('root/l0')).findings.map(({ id }) => id)).toEqual(['root/l0#said', 'root/l0#alarm']);
  });

  it.each(['cancel', 'stop'] as const)('leaves nothing behind when its run is to %s', async (how) => {
    const w = slow(wide(20), ({ task }) => (task.path === 'root/l0' ? 60_000 : 100));
    const handle = w.start();
    w.clock.setTimeout(() => handle[how](), 1_000);
    await w.clock.run(handle.result.catch(() => undefined));
    expect(w.eventsOf('attempt.hedged')).toHaveLength(1);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('closes itself at its deadline with what both have said', async () => {
    const w = world(wide(20), {
      attempt({ task, isHedge }, { report }) {
        if (task.path !== 'root/l0') return Promise.resolve(draft(task.path));
        report(draft(task.path, { key: isHedge ? 'second' : 'first' }));
        return never();
      },
    });
    const { brief } = await w.run({ deadline: 10_000 });
    const ids = brief.findings.map(({ id }) => id).filter((id) => id.startsWith('root/l0#'));
    expect(ids.toSorted()).toEqual(['root/l0#first', 'root/l0#second']);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('who is hedged', () => {
  const cases: [string, Partial<LeafSpec>, boolean][] = [
    ['work by rules', { work: 'rules' }, true],
    ['other work', { work: 'authoring' }, false],
    ['work of no kind', {}, false],
    ['what says so', { work: 'extraction', idempotent: true }, true],
    ['rules that say otherwise', { work: 'rules', idempotent: false }, false],
  ];
  it.each(cases)('%s', async (_, spec, isHedged) => {
    const leaves = Array.from({ length: 20 }, (_, i) =>
      defineLeaf({ name: `l${i}`, run: ({ task }) => draft(task.path), ...spec }),
    );
    const w = slow(
      defineScenario({ name: 'who', thesis: 'It holds', domains: leaves, limits: { hedge: HEDGE } }),
      isFirstOf('root/l3'),
    );
    await w.run();
    expect(w.eventsOf('attempt.hedged')).toHaveLength(isHedged ? 1 : 0);
  });

  it('nobody by default, and nobody when the run says so', async () => {
    const { hedge: _, ...limits } = wide(20).limits;
    for (const w of [
      slow(wide(20, { ...limits, hedge: false }), isFirstOf('root/l3')),
      slow(wide(20), isFirstOf('root/l3'), { hedge: false }),
    ]) {
      expect(tookOf((await w.run()).brief)).toBe(10_000);
    }
  });

  it('by a multiple of what is expected: of its author, then of two runs; and nobody of whom none can speak', async () => {
    const hedge: HedgeSpec = { times: 4, extra: 1 };
    const hedgedAt = async (options: WorldOptions, spec: Partial<LeafSpec>): Promise<number[]> => {
      const w = slow(wide(20, { hedge }, spec), isFirstOf('root/l3'), options);
      await w.run();
      const from = w.eventsOf('attempt.started').find(({ path }) => path === 'root/l3')?.at ?? 0;
      return w.eventsOf('attempt.hedged').map(({ at }) => at - from);
    };
    expect(await hedgedAt({}, {})).toEqual([]);
    expect(await hedgedAt({}, { estimate: '200ms' })).toEqual([800]);
    const store = memoryStore();
    for (const runId of ['a', 'b']) await slow(wide(20), () => 100, { store, runId }).run();
    expect(await hedgedAt({ store, runId: 'c' }, { estimate: '200ms' })).toEqual([400]);
  });
});

describe('money', () => {
  const buying = (usd: number): Partial<LeafSpec> => ({
    async run({ task, budget }) {
      const reservation = budget.reserve({ usd: 0.02 });
      await Promise.resolve();
      reservation.settle({ usd });
      return draft(task.path);
    },
  });
  it('a hedge begins only when as much is left as the first execution has taken', async () => {
    for (const [granted, times] of [
      [0.4, 0],
      [1, 1],
    ] as const) {
      const w = world(wide(20, { budget: { usd: granted } }, buying(0.02)), (own) => ({
        async attempt(input, io) {
          const answer = await own.attempt(input, io);
          if (input.task.path === 'root/l0' && !input.isHedge) await w.clock.sleep(5_000, io.abortSignal);
          return answer;
        },
      }));
      const { brief } = await w.run();
      expect(w.eventsOf('attempt.hedged')).toHaveLength(times);
      expect(brief.status).toBe('complete');
      expect(brief.usage.subtree.usd).toBeCloseTo(0.4 + 0.02 * times, 9);
    }
  });
});

describe('a stored run', () => {
  it('with hedges is verified, reviewed, and gives the same when it is resumed in the midst of one', async () => {
    const whole = await slow(wide(20), () => 100, { hedge: false }).run();
    const store = memoryStore();
    const first = slow(wide(20), isFirstOf('root/l3'), { store });
    const handle = first.start();
    first.clock.setTimeout(() => handle.stop(), 350);
    await expect(first.clock.run(handle.result)).rejects.toThrow('stop');
    expect(first.eventsOf('attempt.hedged')).toHaveLength(1);
    const second = slow(wide(20), isFirstOf('root/l3'), { store, resume: 'run' });
    const { brief } = await second.run();
    expect(brief.digest).toBe(whole.brief.digest);
    expect(second.eventsOf('attempt.hedged')).toHaveLength(0); // of one leaf begun no twentieth is left
    expect(verifyRun(store, 'run').problems).toEqual([]);
  });

  it('knows in its index who was hedged', async () => {
    const store = memoryStore();
    await slow(wide(20), isFirstOf('root/l3'), { store }).run();
    expect(reviewOf([...store.nodes('run')])).toMatchObject({ attempts: 20, hedges: 1 });
    const told = readNode({
      store,
      run: store.run('run')!,
      nodes: [...store.nodes('run')],
      node: store.node('run', 'root/l3')!,
      now: 0,
    });
    expect(told.attempts).toMatchObject([{ attempt: 1, hedge: { at: 300, dropped: 'first' } }]);
    expect(store.run('run')?.options.hedge).toEqual({ after: 300, extra: 0.1 });
    expect(verifyRun(store, 'run').problems).toEqual([]);
  });
});
