import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import { defineDomain } from '../../../src/define/define-domain.ts';
import { defineLeaf } from '../../../src/define/define-leaf.ts';
import { defineScenario } from '../../../src/define/define-scenario.ts';
import { EspalierError } from '../../../src/errors.ts';
import type { Child, LeafRun, LeafSpec, Scenario, ScenarioSpec } from '../../../src/define/spec.ts';
import { prepareRun } from '../../../src/runtime/in-process/prepare-run.ts';
import { runActor } from '../../../src/runtime/in-process/run-actor.ts';
import { start } from '../../../src/runtime/in-process/start.ts';
import { askedFor, interruptedAt, resumed, slowWorld } from '../../support/interrupted.ts';
import { CRITICAL, draft, NOTHING_LEFT, tree, world, type WorldOptions } from '../../support/world.ts';

const says: LeafRun = ({ task }) => draft(task.path);
const scenarioOver = (domains: Child[], over: Partial<ScenarioSpec> = {}): Scenario =>
  defineScenario({ name: 'kept', thesis: 'It holds', domains, ...over });
const leaf = (name: string, over: Partial<LeafSpec> = {}): Child => defineLeaf({ name, run: says, ...over });
/** The leaves l0 … l11 take 10 ms to 120 ms. */
const stepped = (path: string): number => 10 * (1 + Number(path.replace(/\D/g, '')));
const three = (run: LeafRun = says): Scenario => tree([3, 4], { leaf: { run } });

describe('a resumed run', () => {
  it('gives the brief of an undisturbed one, and runs only what was lost', async () => {
    const whole = await slowWorld(three(), stepped).run();
    const interrupted = await interruptedAt(200, three(), stepped);
    const { ended, store } = interrupted;
    expect(ended.size).toBeGreaterThan(3);
    expect(ended).not.toContain('root');

    const { second, outcome } = await resumed(interrupted, three(), stepped);
    expect(outcome.brief.digest).toBe(whole.brief.digest);
    expect(outcome.brief.findings).toEqual(whole.brief.findings);
    const attempted = askedFor('attempt', second);
    expect(attempted.filter((path) => ended.has(path))).toEqual([]);
    expect(new Set([...attempted, ...ended, 'root', 'root/d0', 'root/d1', 'root/d2']).size).toBe(16);
    expect(second.leftovers()).toEqual(NOTHING_LEFT);
    expect(store.run('run')).toMatchObject({ state: 'complete', receipt: { brief: whole.brief.digest } });
  });

  it('asks for no plan twice', async () => {
    const store = memoryStore();
    const first = world(
      three(),
      (own) => ({
        plan: async (...given) => ({ ...((await own.plan(...given)) as object), by: 'a costly planner' }),
        attempt: () => new Promise(() => {}),
      }),
      { store },
    );
    const handle = first.start();
    first.clock.setTimeout(() => handle.stop(), 0);
    await expect(first.clock.run(handle.result)).rejects.toThrow();
    const { outcome } = await resumed({ store }, three());
    expect(outcome.brief.decision).toMatchObject({ by: 'a costly planner' });
  });

  it('says each thing once: numbers go on, nothing is escalated twice', async () => {
    const critical: LeafRun = ({ task }) => draft(task.path, CRITICAL);
    const interrupted = await interruptedAt(200, three(critical), stepped);
    await resumed(interrupted, three(critical), stepped);
    const kept = [...interrupted.store.events('run')];
    expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, index) => index));
    const bodies = kept.map(({ body }) => JSON.parse(body) as { type: string; finding?: { id: string } });
    for (const type of ['finding.reported', 'finding.escalated']) {
      const ids = bodies.flatMap((body) => (body.type === type ? [body.finding?.id] : []));
      expect(ids).toHaveLength(12);
      expect(new Set(ids).size).toBe(12);
    }
    expect(bodies.filter(({ type }) => type === 'node.reused').length).toBeGreaterThan(0);
  });

  it('of a run that is complete takes over the root itself', async () => {
    const store = memoryStore();
    const { brief } = await slowWorld(three(), stepped, { store }).run();
    const { second, outcome } = await resumed({ store }, three());
    expect(outcome.brief).toEqual(brief);
    expect(second.calls).toEqual([]);
  });

  it('of a run that was cancelled does what the cancellation cut off', async () => {
    const whole = await slowWorld(three(), stepped).run();
    const store = memoryStore();
    const first = slowWorld(three(), stepped, { store });
    const handle = first.start();
    first.clock.setTimeout(() => handle.cancel(), 100);
    expect((await first.clock.run(handle.result)).status).toBe('partial');
    expect(store.run('run')).toMatchObject({ state: 'partial' });
    const { outcome } = await resumed({ store }, three(), stepped);
    expect(outcome.brief.digest).toBe(whole.brief.digest);
    expect(store.run('run')).toMatchObject({ state: 'complete' });
  });

  it('gives a node that ran out of time another try, with a deadline of its own', async () => {
    const scenario = tree([2], { scenario: { limits: { maxDepth: 1, deadline: '1s' } } });
    const store = memoryStore();
    const late = await slowWorld(scenario, (path) => (path.endsWith('l1') ? 5_000 : 1), { store }).run();
    expect(late.gaps).toMatchObject([{ path: 'root/l1', status: 'timeout' }]);
    const { second, outcome } = await resumed({ store }, scenario);
    expect(outcome.status).toBe('complete');
    expect(askedFor('attempt', second)).toEqual(['root/l1']);
  });

  it('leaves what failed by its own doing, unless it is asked to retry', async () => {
    let isBroken = true;
    const fragile: LeafRun = ({ task }) => {
      if (isBroken) throw new Error('broken');
      return draft(task.path);
    };
    const scenario = scenarioOver([leaf('a', { run: fragile, attempts: 1 }), leaf('b')]);
    const store = memoryStore();
    expect((await slowWorld(scenario, undefined, { store }).run()).status).toBe('partial');
    isBroken = false;
    expect((await resumed({ store }, scenario)).outcome.status).toBe('partial');
    const { second, outcome } = await resumed({ store }, scenario, undefined, { retryFailed: true });
    expect(outcome.status).toBe('complete');
    expect(askedFor('attempt', second)).toEqual(['root/a']);
  });
});

it('takes an option that is undefined for one that is not given', async () => {
  const scenario = scenarioOver([leaf('a'), leaf('b')]);
  const given = { asOf: '2008-06-01', thesis: 'It does not hold', maxDepth: 1, deadline: 9_000, domains: ['a'] };
  const interrupted = await interruptedAt(5, scenario, undefined, given);
  const none = Object.fromEntries(Object.keys(given).map((name) => [name, undefined])) as WorldOptions;
  const { second } = await resumed(interrupted, scenario, undefined, none);
  expect(second.eventsOf('run.started')).toMatchObject([
    { asOf: '2008-06-01', thesis: 'It does not hold', maxDepth: 1, deadline: 9_000 },
  ]);
  expect(askedFor('attempt', second)).toEqual(['root/a']);
});

describe('a leaf that was at work', () => {
  const failing: LeafRun = ({ task, attempt }) => {
    if (attempt === 1) throw new Error('not yet');
    return draft(task.path);
  };
  const scenario = scenarioOver([leaf('a', { run: failing }), leaf('b')]);

  it('goes on with the attempt that was interrupted, and what the ones before it taught', async () => {
    const whole = await slowWorld(scenario).run();
    const interrupted = await interruptedAt(15, scenario); // in the second attempt
    expect(askedFor('attempt', interrupted.first)).toEqual(['root/a', 'root/b', 'root/a']);
    const { second, outcome } = await resumed(interrupted, scenario);
    expect(second.eventsOf('attempt.started')).toMatchObject([
      { path: 'root/a', attempt: 2, enrichment: 'The last attempt failed (error): not yet' },
    ]);
    expect(outcome.brief.digest).toBe(whole.brief.digest);
  });

  it('does so also when it is interrupted a second time', async () => {
    const interrupted = await interruptedAt(15, scenario);
    await interruptedAt(5, scenario, undefined, { store: interrupted.store, resume: 'run' });
    const { second } = await resumed(interrupted, scenario);
    expect(second.eventsOf('attempt.started')).toMatchObject([{ attempt: 2, enrichment: expect.any(String) }]);
  });

  it('diagnoses first when the failure had not been diagnosed', async () => {
    const patient = scenarioOver([leaf('a', { run: failing, recover: () => 'look closer' }), leaf('b')]);
    const store = memoryStore();
    const first = world(patient, { recover: () => new Promise(() => {}) }, { store });
    const handle = first.start();
    first.clock.setTimeout(() => handle.stop(), 5);
    await expect(first.clock.run(handle.result)).rejects.toThrow();
    const { second } = await resumed({ store }, patient);
    expect(second.eventsOf('attempt.started')).toMatchObject([{ attempt: 2, enrichment: 'look closer' }]);
  });

  it.each<[string, object, { attempt: number }]>([
    ['a transient fault: the next attempt, with the same task', { code: 'ECONNRESET' }, { attempt: 2 }],
    ['a rate limit: the same attempt', { status: 429 }, { attempt: 1 }],
  ])('that was backing off goes on after %s', async (_, over, expected) => {
    let tries = 0;
    const asked: (readonly string[])[] = [];
    const refused: LeafRun = ({ task }) => {
      asked.push(task.enrichments);
      if (tries++ === 0) throw Object.assign(new Error('not now'), over);
      return draft(task.path);
    };
    const scenario = scenarioOver([leaf('a', { run: refused })]);
    const store = memoryStore();
    const first = world(scenario, {}, { store, random: () => 1 });
    const handle = first.start();
    first.clock.setTimeout(() => handle.stop(), 5);
    await expect(first.clock.run(handle.result)).rejects.toThrow();
    expect(first.leftovers().timers).toBe(0);
    const { second, outcome } = await resumed({ store }, scenario);
    expect(outcome.status).toBe('complete');
    expect(second.eventsOf('attempt.started')).toMatchObject([expected]);
    expect(asked).toEqual([[], []]);
  });

  it('keeps the critical findings it had said, also when it does not say them again', async () => {
    let isFirst = true;
    const moody: LeafRun = async ({ task, report }) => {
      if (isFirst) report(draft(task.path, { key: 'alarm', ...CRITICAL }));
      if (isFirst) await new Promise(() => {});
      return draft(task.path);
    };
    const scenario = scenarioOver([leaf('a', { run: moody })]);
    const interrupted = await interruptedAt(50, scenario);
    isFirst = false;
    const { outcome } = await resumed(interrupted, scenario);
    expect(outcome.escalations.map(({ id }) => id)).toEqual(['root/a#alarm']);
    expect(interrupted.store.run('run')?.receipt?.criticals).toHaveProperty(['root/a#alarm']);
  });
});

describe('a scenario that has changed', () => {
  const domain = (name: string, children: Child[]): Child => defineDomain({ name, charter: name, children });
  const before = (): Scenario => scenarioOver([domain('x', [leaf('a'), leaf('b')]), domain('y', [leaf('c')])]);

  it('runs again what it changes, and says what that is', async () => {
    const store = memoryStore();
    await slowWorld(before(), undefined, { store }).run();
    const other: LeafRun = ({ task }) => draft(task.path, { statement: 'Seen anew' });
    const changed = scenarioOver([domain('x', [leaf('a', { run: other }), leaf('b')]), domain('y', [leaf('c')])]);
    const { second, outcome } = await resumed({ store }, changed);
    expect(second.eventsOf('node.invalidated')).toMatchObject([
      { path: 'root/x/a', why: 'its definition has changed' },
    ]);
    expect(askedFor('attempt', second)).toEqual(['root/x/a']);
    expect(second.eventsOf('node.reused').map(({ path }) => path)).toEqual(['root/y', 'root/x/b']);
    expect(outcome.brief.findings.map(({ statement }) => statement)).toContain('Seen anew');
  });

  it('forgets a node that is gone, and the critical finding it had', async () => {
    const store = memoryStore();
    const alarming = leaf('b', { run: ({ task }) => draft(task.path, CRITICAL) });
    const first = scenarioOver([domain('x', [leaf('a'), alarming]), domain('y', [leaf('c')])]);
    await slowWorld(first, undefined, { store }).run();
    const { second, outcome } = await resumed(
      { store },
      scenarioOver([domain('x', [leaf('a')]), domain('y', [leaf('c')])]),
    );
    expect(second.eventsOf('node.invalidated')).toMatchObject([
      { path: 'root/x/b', why: 'it is not in the scenario any more' },
    ]);
    expect(outcome.escalations).toEqual([]);
    expect(store.node('run', 'root/x/b')).toMatchObject({ state: 'invalidated' });
    expect(store.run('run')?.receipt?.criticals).toEqual({});
  });

  it('runs a node again whose sibling tells it something else now', async () => {
    const reader = leaf('reader', { needs: ['a'], run: ({ task }) => draft(task.path, { value: task.prior.length }) });
    const store = memoryStore();
    await slowWorld(scenarioOver([leaf('a'), reader]), undefined, { store }).run();
    const a = leaf('a', { run: ({ task }) => draft(task.path, { statement: 'Otherwise' }) });
    const { second } = await resumed({ store }, scenarioOver([a, reader]));
    expect(second.eventsOf('node.invalidated')).toMatchObject([
      { path: 'root/a' },
      { path: 'root/reader', why: 'it is asked something else now' },
    ]);
  });

  it('of another name is refused', async () => {
    const store = memoryStore();
    await slowWorld(before(), undefined, { store }).run();
    const other = defineScenario({ name: 'other', thesis: 'It holds', domains: [leaf('a')] });
    expect(() => world(other, {}, { store, resume: 'run' }).start()).toThrow(/is of scenario "kept", not of "other"/);
  });
});

describe('who may write', () => {
  it('is one process: a run that is being worked on is not resumed', async () => {
    const store = memoryStore();
    const first = slowWorld(three(), stepped, { store });
    const handle = first.start();
    expect(() => world(three(), {}, { store, resume: 'run' }).start()).toThrow(/Run run is being worked on/);
    handle.stop();
  });

  it('whoever lost the run to another stops, and writes nothing more', async () => {
    let now = 0;
    const store = memoryStore({ now: () => now });
    const first = slowWorld(three(), stepped, { store });
    const handle = first.start();
    first.clock.setTimeout(() => {
      now += 60_000; // as if it had hung
      store.claim('run');
    }, 100);
    await expect(first.clock.run(handle.result)).rejects.toMatchObject({ code: 'claim-lost' });
    expect(first.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is nobody when a run cannot be made', () => {
    const store = memoryStore();
    const activities = (): never => {
      throw new Error('not these');
    };
    expect(() => start(three(), { store, runId: 'run', activities })).toThrow('not these');
    expect(store.run('run')?.claim).toBeUndefined();
  });

  it('whoever lost a run before its start does not start it', () => {
    const lost = AbortSignal.abort(new EspalierError('claim-lost', 'another has it'));
    const actor = createActor(runActor(() => ({ ...prepareRun(three(), {}), lost })));
    const failed = vi.fn<(error: unknown) => void>();
    actor.subscribe({ error: failed });
    actor.start();
    expect(failed).toHaveBeenCalledWith(lost.reason);
  });

  it('of an unknown run, and without a store, nobody', () => {
    expect(() => world([1], {}, { store: memoryStore(), resume: 'nope', runId: 'nope' }).start()).toThrow(
      'There is no run nope',
    );
    expect(() => world([1], {}, { resume: 'nope', runId: 'nope' }).start()).toThrow(
      'There is no store to resume run nope from',
    );
  });
});

describe('a store that fails', () => {
  it.each(['node', 'event'] as const)(
    'when a resumed run asks it (%s) costs what it knew, not the nodes',
    async (asked) => {
      const whole = await slowWorld(three(), stepped).run();
      const { store } = await interruptedAt(200, three(), stepped);
      const failing = {
        ...store,
        [asked]() {
          throw new EspalierError('store-fault', 'the disk is gone');
        },
      };
      const { outcome } = await resumed({ store: failing }, three(), stepped);
      expect(outcome.brief.digest).toBe(whole.brief.digest);
    },
  );
  it('costs the record and not the run, and is told once', async () => {
    const store = memoryStore();
    let writes = 0;
    const full = {
      ...store,
      begin: (...given: Parameters<typeof store.begin>) => ({
        ...store.begin(...given),
        write() {
          if (++writes > 3) throw new Error('the disk is full');
        },
      }),
    };
    const w = slowWorld(three(), stepped, { store: full });
    const { status } = await w.run();
    expect(status).toBe('complete');
    expect(w.eventsOf('record.failed')).toMatchObject([{ message: 'the disk is full' }]);
    expect(w.events.map(({ seq }) => seq)).toEqual(w.events.map((_, seq) => seq));
    expect(writes).toBe(4);
    expect(store.run('run')?.claim).toBeUndefined();
  });
});

it('random trees, interrupted at any moment as often as one likes, end with the digest of an undisturbed run', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 3 }),
      fc.nat(97),
      async (widths, cuts, seed) => {
        const latencyOf = (path: string): number =>
          1 + ((path.length * 31 + seed * 17 + path.charCodeAt(path.length - 1)) % 40);
        const mixed: LeafRun = ({ task, attempt }) => {
          const kind = (task.path.charCodeAt(task.path.length - 1) + seed) % 5;
          if (kind === 0 && attempt === 1) throw new Error('not yet');
          if (kind === 1) throw new Error('never');
          return draft(task.path, kind === 2 ? CRITICAL : {});
        };
        const scenario = (): Scenario =>
          tree(
            widths.map((width) => width + 1),
            { leaf: { run: mixed, attempts: 2 } },
          );
        const whole = await slowWorld(scenario(), latencyOf).run();
        const store = memoryStore();
        let isOver = false;
        for (const [index, cut] of cuts.entries()) {
          const w = slowWorld(scenario(), latencyOf, { store, ...(index > 0 && { resume: 'run' }) });
          const handle = w.start();
          w.clock.setTimeout(() => handle.stop(), cut);
          await w.clock.run(handle.result).then(
            () => (isOver = true),
            () => {},
          );
          if (isOver) break;
        }
        const { outcome, second } = await resumed({ store }, scenario(), latencyOf);
        expect(outcome.brief.digest).toBe(whole.brief.digest);
        expect(outcome.escalations).toEqual(whole.escalations);
        expect(second.leftovers()).toEqual(NOTHING_LEFT);
      },
    ),
    { numRuns: 100 },
  );
}, 30_000);
