/** What one run teaches the next one of the same scenario. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Scenario, Synthesizer } from '../../src/define/spec.ts';
import { incomingOf } from '../../src/tier/synthesis-check.ts';
import { sleepOn } from '../../src/activities/sleep.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { draft, MINUTES_8, never, tree, world, type World, type WorldOptions } from '../support/world.ts';

const DAY = 86_400_000;
const nthRun = (n: number, scenario: Scenario, store: Store, options: WorldOptions = {}): World =>
  world(scenario, {}, { store, runId: `run-${n}`, clock: new VirtualClock(n * DAY), ...options });
const measuredIn = (store: Store, scenario = 'tree') =>
  Object.fromEntries(Array.from(store.durations(scenario, 1), ({ path, ms }) => [path, ms]));

const keepingAll: Synthesizer = ({ children }) => ({
  narrative: '',
  dispositions: incomingOf(children).map(({ id }) => ({ id, as: 'kept' })),
});

/** One leaf after another, each as long as its name says; a run resolves with the order of their starts. */
function timed(names: readonly string[], name = 'tree') {
  const started: string[] = [];
  let w: World;
  const scenario = defineScenario({
    name,
    thesis: 'It holds',
    domains: names.map((name) =>
      defineLeaf({
        name,
        run: async ({ task }) => {
          started.push(name);
          await w.clock.sleep(Number(name.slice(1)));
          return draft(task.path);
        },
      }),
    ),
    limits: { maxDepth: 1, concurrency: 1 },
  });
  return {
    run: async (n: number, store: Store): Promise<string[]> => {
      w = nthRun(n, scenario, store);
      await w.run();
      return started.splice(0);
    },
  };
}

describe('the queue', () => {
  it('goes by what earlier runs took', async () => {
    const store = memoryStore();
    const { run } = timed(['t10', 't30', 't20']);
    expect(await run(1, store)).toEqual(['t10', 't30', 't20']);
    expect(await run(2, store)).toEqual(['t30', 't20', 't10']);
  });
  it('lets a leaf that is new go first', async () => {
    const store = memoryStore();
    await timed(['t10', 't30']).run(1, store);
    expect(await timed(['t10', 't30', 't20']).run(2, store)).toEqual(['t20', 't30', 't10']);
  });
  it('is of one scenario alone', async () => {
    const store = memoryStore();
    await timed(['t10', 't30', 't20'], 'another').run(1, store);
    expect(await timed(['t10', 't30', 't20']).run(2, store)).toEqual(['t10', 't30', 't20']);
  });
});

describe('reserves', () => {
  const SYNTHESIS_MS = 25_000;
  const HAND_OFF_MS = 100;
  /** One leaf hangs, so that the synthesis begins when the join closes: by then its time is what was kept back. */
  const slow = (): { scenario: Scenario; use: (w: World) => void } => {
    let w: World | undefined;
    const synthesize: Synthesizer = async (context) => {
      if (w) await sleepOn(w.clock, SYNTHESIS_MS, context.abortSignal);
      return keepingAll(context);
    };
    const macro = defineDomain({
      name: 'macro',
      charter: 'c',
      children: [
        defineLeaf({ name: 'quick', run: ({ task }) => draft(task.path) }),
        defineLeaf({ name: 'hangs', run: never, attempts: 1 }),
      ],
      synthesize,
    });
    const scenario = defineScenario({ name: 'tree', thesis: 'It holds', domains: [macro], limits: { maxDepth: 2 } });
    return { scenario, use: (world) => (w = world) };
  };

  it('a synthesis that was cut off has the time it needs in the next run', async () => {
    const store = memoryStore();
    const { scenario, use } = slow();
    const ends: string[] = [];
    for (const n of [1, 2]) {
      const w = nthRun(n, scenario, store);
      use(w);
      await w.run();
      const { madeBy } = w.endOf('root/macro') as { madeBy: string };
      ends.push(madeBy);
      const took = measuredIn(store)['root/macro'];
      expect(took).toBe(n === 1 ? 20_000 + HAND_OFF_MS : SYNTHESIS_MS);
    }
    expect(ends).toEqual(['deterministic', 'synthesis']);
  });

  it('one that has always been quick leaves its children more time', async () => {
    const store = memoryStore();
    const scenario = tree([1, 1], { domain: { synthesize: keepingAll } });
    const kept: number[] = [];
    for (const n of [1, 2, 3]) {
      const w = nthRun(n, scenario, store);
      await w.run();
      const started = w.eventsOf('node.started').find(({ path }) => path === 'root/d0');
      kept.push(started?.grant.reserveMs ?? 0);
    }
    expect(kept).toEqual([20_000, 20_000, 1_000]);
  });
});

describe('digests', () => {
  it('are the same in a run that knew how long everything takes', async () => {
    const store = memoryStore();
    const synthesize: Synthesizer = async (context) => {
      await w?.clock.sleep(40);
      return keepingAll(context);
    };
    const scenario = tree([2, 3], {
      leaf: { run: async ({ task }) => (await w?.clock.sleep(70_000), draft(task.path)) },
      domain: { synthesize },
    });
    let w: World | undefined;
    const ends: { digest: string; decision: unknown }[] = [];
    for (const n of [1, 2, 3]) {
      w = nthRun(n, scenario, store);
      const { brief } = await w.run();
      ends.push({ digest: brief.digest, decision: brief.decision });
    }
    expect(ends[2]?.digest).toBe(ends[0]?.digest);
    expect(ends[1]?.digest).toBe(ends[0]?.digest);
    expect(ends[2]?.decision).not.toEqual(ends[0]?.decision); // it did know
  });
});

describe('what counts as a measurement', () => {
  const SLEEP = 300;
  const sleeping = (store: Store, over: Parameters<typeof tree>[1] = {}, options: WorldOptions = {}): World => {
    const w: World = world(
      tree([1, 2], {
        leaf: { run: async ({ task }) => (await w.clock.sleep(SLEEP), draft(task.path)), attempts: 1 },
        ...over,
      }),
      {},
      { store, ...options },
    );
    return w;
  };
  it('a leaf’s work and an orchestrator’s synthesis', async () => {
    const store = memoryStore();
    await sleeping(store).run();
    expect(measuredIn(store)).toEqual({ 'root/d0/l0': SLEEP, 'root/d0/l1': SLEEP, 'root/d0': 0, root: 0 });
  });
  it('no leaf that failed or was cut off', async () => {
    const store = memoryStore();
    const run = ({ task }: { task: { path: string } }) =>
      task.path.endsWith('l0') ? never() : Promise.reject(new Error('no'));
    await sleeping(store, { leaf: { run, attempts: 2 } }).run();
    expect(Object.keys(measuredIn(store)).filter((path) => path.includes('/l'))).toEqual([]);
  });
  it('no synthesis that failed', async () => {
    const store = memoryStore();
    const synthesize = () => Promise.reject(new Error('no key'));
    await sleeping(store, { domain: { synthesize } }).run();
    expect(measuredIn(store)['root/d0']).toBeUndefined();
  });
  it('nothing of orchestrators that were cancelled', async () => {
    const store = memoryStore();
    const run = async ({ task }: { task: { path: string } }) => {
      await w.clock.sleep(task.path.endsWith('l0') ? SLEEP : 2 * SLEEP);
      return draft(task.path);
    };
    const w = sleeping(store, { leaf: { run }, domain: { synthesize: keepingAll } });
    const handle = w.start();
    w.clock.setTimeout(() => handle.cancel(), SLEEP + 100);
    const { status } = await w.clock.run(handle.result);
    expect(status).toBe('partial');
    expect(measuredIn(store)).toEqual({ 'root/d0/l0': SLEEP });
  });
  it('no orchestrator that executed as a leaf', async () => {
    const store = memoryStore();
    const execute = async ({ task }: { task: { path: string } }) => (await w.clock.sleep(9_000), draft(task.path));
    const w = sleeping(store, { domain: { execute } }, { maxDepth: 1 });
    await w.run();
    expect(measuredIn(store)).toEqual({ root: 0 });
  });
  it('the synthesis after children that were taken over, which had ended before', async () => {
    const store = memoryStore();
    let isSlow = true;
    const synthesize: Synthesizer = async (context) => {
      await w.clock.sleep(isSlow ? MINUTES_8 : 70);
      return keepingAll(context);
    };
    const w = sleeping(store, { domain: { synthesize } });
    const handle = w.start();
    w.clock.setTimeout(() => handle.stop(), SLEEP + 100);
    await expect(w.clock.run(handle.result)).rejects.toThrow('stopped');
    isSlow = false;
    await w.run({ resume: 'run' });
    expect(w.eventsOf('node.reused').map(({ path }) => path)).toEqual(['root/d0/l0', 'root/d0/l1']);
    expect(measuredIn(store)['root/d0']).toBe(70);
  });
});
