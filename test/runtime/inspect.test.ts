/** The tree is made of real actors: whoever inspects sees each of them, and each of its moves. */
import { describe, expect, it } from 'vitest';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { start } from '../../src/runtime/in-process/start.ts';
import { never, NOTHING_LEFT, tree, world } from '../support/world.ts';

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
