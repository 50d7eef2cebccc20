/** The tree is made of real actors: whoever inspects sees each of them, and each of its moves. */
import { describe, expect, it } from 'vitest';
import { createActor, type AnyActorRef, type InspectionEvent, type Snapshot } from 'xstate';
import { createActivities } from '../../src/activities/create-activities.ts';
import type { Report } from '../../src/protocol/report.ts';
import type { RunEventBody } from '../../src/protocol/run-event.ts';
import type { Task } from '../../src/protocol/task.ts';
import { createOrchestrator } from '../../src/runtime/in-process/orchestrator.ts';
import { createSlots } from '../../src/runtime/in-process/slots.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { draft, never, NOTHING_LEFT, tree, world } from '../support/world.ts';

type Shown = { value?: unknown; children?: Record<string, AnyActorRef> };
const shown = (actor: AnyActorRef): Shown => actor.getSnapshot() as Shown;
const runOf = (actors: ReadonlySet<AnyActorRef>): AnyActorRef => {
  const [run] = actors;
  if (!run) throw new Error('no actor was seen');
  return run;
};

describe('inspect', () => {
  const seen = new Map<AnyActorRef, Set<InspectionEvent['type']>>();
  const unsourced: string[] = [];
  const w = world(
    [2, 3],
    {},
    {
      inspect(event) {
        const actor = event.actorRef as AnyActorRef;
        if (!seen.has(actor)) seen.set(actor, new Set());
        seen.get(actor)?.add(event.type);
        if (event.type === '@xstate.event' && !event.sourceRef && actor._parent) unsourced.push(event.event.type);
      },
    },
  );
  const done = w.run();

  it('sees every actor: the run, its gather, the root, its steps, and so on down', async () => {
    await done;
    // run, gather, root; plan, gather, synthesize of three orchestrators; two domains; six leaves
    expect(w.actors.size).toBe(3 + 3 * 3 + 2 + 6);
    for (const actor of w.actors) {
      expect([actor.id, ...(seen.get(actor) ?? [])]).toEqual(
        expect.arrayContaining(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
      );
    }
  });

  it('sees who told whom', async () => {
    await done;
    expect(unsourced).toEqual([]);
    for (const actor of w.actors) if (actor !== runOf(w.actors)) expect(actor._parent).toBeDefined();
  });

  it('takes an observer as well as a function', async () => {
    const types = new Set<string>();
    await start(tree([1]), { inspect: { next: ({ type }) => void types.add(type) } }).result;
    expect(types).toContain('@xstate.actor');
  });
});

describe('the live tree', () => {
  it('can be walked from the run through its snapshots, and says where each node stands', async () => {
    const w = world([2, 2], (own) => ({
      attempt: (input, io) => (input.task.path.endsWith('l1') ? own.attempt(input, io) : never()),
      verify: never,
    }));
    const handle = w.start();
    await w.clock.advance(10);
    const walk = (actor: AnyActorRef): unknown => {
      const { value, children = {} } = shown(actor);
      const below = Object.entries(children).map(([name, child]) => [name, walk(child)] as const);
      return below.length > 0 ? { ...(value !== undefined && { value }), ...Object.fromEntries(below) } : value;
    };
    const domain = { value: 'gathering', gather: { l0: 'executing', l1: 'verifying' } };
    expect(walk(runOf(w.actors))).toEqual({
      gather: { root: { value: 'gathering', gather: { d0: domain, d1: domain } } },
    });
    handle.stop();
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('shows a leaf that recovers', async () => {
    const w = world([1], { attempt: () => Promise.reject(new Error('no')), recover: never });
    const handle = w.start();
    await w.clock.advance(1);
    const leaf = [...w.actors].find(({ id }) => id === 'l0');
    expect(leaf && shown(leaf).value).toBe('recovering');
    handle.stop();
  });
});

describe('a persisted snapshot', () => {
  /** An orchestrator of its own, without a run around it. */
  const alone = () => {
    const clock = new VirtualClock();
    const events: RunEventBody[] = [];
    const calls: string[] = [];
    const scenario = tree([1, 4]);
    const own = createActivities(scenario, { thesis: 'It holds' });
    const logic = createOrchestrator({
      clock,
      activities: {
        ...own,
        attempt: async (input, io) => {
          calls.push(input.task.path);
          if (input.task.path.endsWith('l3')) await clock.sleep(1_000);
          return draft(input.task.path) && own.attempt(input, io);
        },
      },
      slots: createSlots(clock, 10, 1e6),
      emit: (event) => void events.push(event),
      afterthoughts: [],
      isStopped: false,
    });
    return { clock, events, calls, logic };
  };
  const grant = { depthLeft: 2, issuedAt: 0, deadline: 480_000, reserveMs: 100, budget: {}, maxChildren: 10 };
  const input: Task = {
    runId: 'run',
    path: 'root',
    tier: 'root',
    question: 'It holds',
    charter: '',
    grant: { ...grant, sources: [], tools: [] },
    prior: [],
    enrichments: [],
  };

  it('of a running root is JSON, and continues where it stood: what had ended is not run again', async () => {
    const first = alone();
    const actor = createActor(first.logic, { input, clock: first.clock }).start();
    await first.clock.advance(10);
    const kept = JSON.parse(JSON.stringify(actor.getPersistedSnapshot())) as Snapshot<unknown>;
    actor.stop();
    expect(first.clock.pending).toBe(1); // the sleep of l3's author

    const second = alone();
    const again = createActor(second.logic, { snapshot: kept, input, clock: second.clock }).start();
    await second.clock.advance(2_000);
    const report = again.getSnapshot().output as Report;
    expect(report).toMatchObject({ kind: 'report', status: 'complete' });
    expect(report.findings).toHaveLength(4);
    expect(second.calls).toEqual(['root/d0/l3']);
    expect(second.clock.pending).toBe(0);
  });

  it('of every actor of a run can be taken at any moment', async () => {
    let taken = 0;
    const w = world(
      [2, 2],
      {},
      {
        onEvent() {
          const run = runOf(w.actors);
          for (const actor of w.actors) {
            if (actor === run || shown(actor) === undefined) continue;
            const text = JSON.stringify(actor.getPersistedSnapshot());
            expect(JSON.parse(text)).toHaveProperty('status');
            taken++;
          }
        },
      },
    );
    await w.run();
    expect(taken).toBeGreaterThan(100);
  });
});

describe('a fault of the machinery itself', () => {
  const boom = (): never => {
    throw new Error('no timers left');
  };

  it('in a gather costs that node, and leaves nothing', async () => {
    const w = world([2, 2], { attempt: never });
    const { result } = w.start();
    await w.clock.advance(5);
    const { setTimeout } = w.clock;
    w.clock.setTimeout = () => {
      w.clock.setTimeout = setTimeout;
      return boom();
    };
    const { brief } = await w.clock.run(result); // the first hand-off, of d0's gather, finds no timer
    expect(brief.children.map(({ path, status }) => [path, status])).toEqual([
      ['root/d0', 'error'],
      ['root/d1', 'failed'],
    ]);
    expect(w.endOf('root/d0')).toMatchObject({ message: 'gather: no timers left' });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('above the root rejects with its code, and leaves nothing', async () => {
    const w = world([2, 2], { attempt: never }, { faults: ['root:gather=hang'] });
    const { result } = w.start();
    await w.clock.advance(5);
    w.clock.setTimeout = boom; // the domains fail, the root does not answer, and nobody can be woken to close over it
    await expect(w.clock.run(result)).rejects.toMatchObject({ code: 'host-fault' });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});
