/** One cap on work in progress over the whole tree. */
import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { draft, endsOf, MINUTES_8, never, NOTHING_LEFT, tree, world, type World } from '../support/world.ts';

/** Counts the attempts that are running. */
function measured(): { enter(): void; leave(): void; peak: number } {
  let running = 0;
  const meter = {
    peak: 0,
    enter: () => void (meter.peak = Math.max(meter.peak, ++running)),
    leave: () => void running--,
  };
  return meter;
}

describe('concurrency', () => {
  it.each([1, 3, 10])('never exceeds %i over three tiers, retries included', async (concurrency) => {
    const meter = measured();
    const w: World = world([3, 3, 3], {
      attempt: async ({ task, attempt }) => {
        meter.enter();
        await w.clock.sleep(10 + (Number(task.path.at(-1)) % 3));
        meter.leave();
        if (attempt === 1 && task.path.endsWith('l1')) throw new Error('again');
        return draft(task.path);
      },
    });
    const { brief } = await w.run({ concurrency });
    expect(meter.peak).toBe(concurrency);
    expect(brief.status).toBe('complete');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is held by work alone: a leaf that verifies or recovers lets others work', async () => {
    const starts: number[] = [];
    const scenario = tree([4], {
      leaf: {
        attempts: 2,
        run: ({ task, attempt }) => {
          starts.push(w.clock.now());
          return attempt === 1 ? Promise.reject(new Error('again')) : draft(task.path);
        },
        recover: async () => (await w.clock.sleep(1_000), 'rested'),
        verify: async () => (await w.clock.sleep(1_000), { ok: true }),
      },
    });
    const w: World = world(scenario);
    const { brief } = await w.run({ concurrency: 1 });
    expect(starts).toEqual([0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000]);
    expect(w.clock.now()).toBe(2_000);
    expect(brief.status).toBe('complete');
  });

  it('counts an orchestrator that executes, and no orchestrator that waits', async () => {
    const meter = measured();
    const w: World = world(tree([3, 3], { domain: { execute: ({ task }) => draft(task.path) } }), (own) => ({
      attempt: async (input, io) => {
        meter.enter();
        await w.clock.sleep(10);
        meter.leave();
        return own.attempt(input, io);
      },
    }));
    const { brief } = await w.run({ concurrency: 2, maxDepth: 1 });
    expect(meter.peak).toBe(2);
    expect(brief.status).toBe('complete');
  });
});

describe('order', () => {
  it('is longest estimate first, over the whole tree; equal ones in declared order', async () => {
    const order: string[] = [];
    const leaf = (name: string, estimate?: number) =>
      defineLeaf({
        name,
        ...(estimate !== undefined && { estimate }),
        run: async ({ task }) => {
          order.push(name);
          await w.clock.sleep(5);
          return draft(task.path);
        },
      });
    const w: World = world(
      defineScenario({
        name: 'order',
        thesis: 'It holds',
        domains: [
          defineDomain({
            name: 'x',
            charter: '',
            children: [leaf('short', 10), leaf('unknown'), leaf('long', 60_000)],
          }),
          defineDomain({
            name: 'y',
            charter: '',
            children: [leaf('middle', 20_000), leaf('unknown too'), leaf('tiny', 1)],
          }),
        ],
      }),
    );
    await w.run({ concurrency: 1 });
    expect(order).toEqual(['long', 'middle', 'unknown', 'unknown too', 'short', 'tiny']);
  });
});

describe('work that hangs', () => {
  const hungIn = (concurrency: number, hung: number): World => {
    const w: World = world(
      [60],
      {
        attempt: async ({ task }, { abortSignal }) => {
          if (Number(task.path.split('/l')[1]) < hung) return never(); // deaf to its signal as well
          await w.clock.sleep(1_000, abortSignal);
          return draft(task.path);
        },
      },
      { concurrency },
    );
    return w;
  };

  it('ten hung leaves do not starve fifty others at a cap of ten', async () => {
    const w = hungIn(10, 10);
    const { brief } = await w.run();
    expect(brief.children.filter(({ status }) => status === 'complete')).toHaveLength(50);
    expect(brief.children.filter(({ status }) => status === 'timeout')).toHaveLength(10);
    expect(endsOf(w.events)).toContainEqual(expect.objectContaining({ message: expect.stringContaining('slot') }));
    expect(w.clock.now()).toBeLessThanOrEqual(MINUTES_8);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('one hung leaf keeps its place while nobody waits for it', async () => {
    const w = hungIn(60, 1);
    await w.run();
    expect(w.endOf('root/l0')).toMatchObject({ status: 'timeout', message: 'closed itself at its deadline' });
  });

  it('leaves that never got a slot are told at hand-off, like those at work', async () => {
    const w = world([5], { attempt: never });
    const { brief } = await w.run({ concurrency: 1 });
    expect(brief.children.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'timeout'));
    expect(w.clock.now()).toBeLessThan(MINUTES_8);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});
