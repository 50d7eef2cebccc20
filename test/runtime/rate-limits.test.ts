/** A run against a server that refuses, on virtual time. */
import { describe, expect, it } from 'vitest';
import type { LeafSpec, LimitsSpec } from '../../src/define/spec.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { uniform } from '../../bench/random.ts';
import { count, figure } from '../support/figures.ts';
import { limitedServer } from '../support/limited-server.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, reportOf, tree, world, type World } from '../support/world.ts';

const refusal = (over: object = {}): Error => Object.assign(new Error('slow down'), { status: 429, ...over });
const wide = (leaves: number, leaf: Partial<LeafSpec>, limits: LimitsSpec) =>
  tree([leaves], { leaf, scenario: { limits: { maxDepth: 1, ...limits } } });

describe('a server that allows k requests at once', () => {
  /** For each of twenty cases. */
  const SEEDS = Math.ceil(Number(process.env['FC_RUNS'] ?? 120) / 20);
  const meanMs = 99.5;
  const cases = Array.from({ length: 10 }, (_, i) => [undefined, 200].map((ms) => [i + 1, ms] as const)).flat();
  it.each(cases)('k = %i, Retry-After %s: found, used, and everybody is served', async (allows, retryAfterMs) => {
    const leaves = 100 + 40 * allows;
    const shares: number[] = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = uniform(1_000 * seed + allows);
      const clock = new VirtualClock();
      const server = limitedServer(clock, { allows, random, retryAfterMs });
      const scenario = wide(leaves, { pools: ['model'] }, { concurrency: 30, pools: { model: 16 } });
      const w = world(
        scenario,
        { attempt: async ({ task }, io) => (await server.request(io.abortSignal), draft(task.path)) },
        { clock, random },
      );
      const { brief } = await w.run();
      expect(brief.status).toBe('complete');
      expect(brief.usage.subtree.attempts).toBe(leaves); // no refusal cost an attempt
      expect(w.peakOfAttempts()).toBeLessThanOrEqual(16);
      expect(w.leftovers()).toEqual(NOTHING_LEFT);
      const [warm, last] = [Math.floor(leaves / 3), leaves - 2 * allows]; // the last ones have the server to themselves
      const elapsed = (server.served[last] ?? 0) - (server.served[warm] ?? 0);
      shares.push(((last - warm) * meanMs) / (elapsed * allows));
    }
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.8);
    figure(
      `A server that allows ${allows}, Retry-After ${retryAfterMs ?? 'not said'}: ${count(SEEDS * leaves)} leaves in ${count(SEEDS)} runs, all served; at least ${(100 * Math.min(...shares)).toFixed(0)} % of it used once found`,
    );
  });
});

describe('Retry-After', () => {
  it('is honoured to the millisecond by everybody of the pool, and by nobody else', async () => {
    const starts: string[] = [];
    const leaf = (name: string, pools: string[]) =>
      defineLeaf({
        name,
        pools,
        estimate: 100,
        run: async ({ task }) => {
          starts.push(`${name} ${w.clock.now()}`);
          await w.clock.sleep(10);
          if (starts.filter((start) => start.startsWith(name)).length === 1 && name === 'a') {
            throw refusal({ headers: { 'retry-after-ms': '1234' } });
          }
          return draft(task.path);
        },
      });
    const w: World = world(
      defineScenario({
        name: 'retry-after',
        thesis: 'It holds',
        domains: [leaf('a', ['model']), leaf('b', ['model']), leaf('c', []), leaf('d', [])],
        limits: { pools: { model: 1 }, concurrency: 2 },
      }),
      {},
      { random: () => 0.25 },
    );
    const { brief } = await w.run();
    expect(starts).toEqual(['a 0', 'c 0', 'd 10', 'b 1244', 'a 1369']);
    expect(brief.status).toBe('complete');
    expect(w.eventsOf('attempt.backed-off')).toMatchObject([
      { path: 'root/a', attempt: 1, ms: 1234 + 125, fault: { diagnosis: 'rate-limited', retryAfterMs: 1234 } },
    ]);
  });
});

describe('a refusal', () => {
  it('costs no attempt eight times; then it is a failure, of which the next attempt is told', async () => {
    const w: World = world(
      tree([1], { leaf: { attempts: 2, run: () => Promise.reject(refusal()) } }),
      {},
      {
        random: () => 1,
      },
    );
    await w.run();
    expect(w.endOf('root/l0')).toMatchObject({ kind: 'failure', attempts: 2, message: 'slow down' });
    const waits = w.eventsOf('attempt.backed-off').map(({ ms }) => ms);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(w.eventsOf('attempt.failed').map(({ willRetry }) => willRetry)).toEqual([true, false]);
    expect(w.eventsOf('attempt.started').map(({ attempt }) => attempt)).toEqual([...Array(9).fill(1), 2]);
  });
  it('gives the slot back meanwhile, and says how the limit changes', async () => {
    const order: string[] = [];
    const w: World = world(
      wide(3, {}, { concurrency: 1 }),
      {
        attempt: async ({ task }) => {
          order.push(task.path);
          await w.clock.sleep(10);
          if (order.length === 1) throw refusal();
          return draft(task.path);
        },
      },
      { random: () => 0.5 },
    );
    await w.run();
    expect(order).toEqual(['root/l0', 'root/l1', 'root/l2', 'root/l0']);
    expect(w.clock.now()).toBe(270);
  });
  it('of a leaf that is in no pool lowers the total', async () => {
    let refusals = 0;
    const w: World = world(
      wide(20, {}, { concurrency: 8 }),
      {
        attempt: async ({ task }) => {
          await w.clock.sleep(100);
          if (refusals++ === 0) throw refusal();
          return draft(task.path);
        },
      },
      { random: () => 0.5 },
    );
    await w.run();
    expect(w.eventsOf('slots.changed')[0]).toMatchObject({
      pool: 'total',
      limit: 4,
      why: 'rate-limited',
      path: 'root',
    });
  });
  it('leaves of what the attempt had said the criticals, once', async () => {
    let tries = 0;
    const w: World = world(
      tree([1], {
        leaf: {
          run: ({ task, report }) => {
            report(draft(task.path, { key: 'alarm', ...CRITICAL }));
            report(draft(task.path, { key: `said ${tries}` }));
            if (tries++ < 2) throw refusal();
            return draft(task.path, { key: 'end' });
          },
        },
      }),
    );
    const { brief } = await w.run();
    expect(reportOf(w.endOf('root/l0')).findings.map(({ id }) => id)).toEqual([
      'root/l0#alarm',
      'root/l0#said 2',
      'root/l0#end',
    ]);
    expect(brief.escalations).toHaveLength(1);
  });
});

describe('a transient fault', () => {
  it('is an attempt, and the next is the same task after a short pause', async () => {
    const seen: unknown[] = [];
    const w: World = world(
      tree([1], {
        leaf: {
          run: ({ task, attempt }) => {
            seen.push([attempt, task.enrichments, w.clock.now()]);
            if (attempt === 1) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
            if (attempt === 2) throw new Error('wrong');
            return draft(task.path);
          },
        },
      }),
      {},
      { random: () => 0.5 },
    );
    const { brief } = await w.run();
    expect(seen).toEqual([
      [1, [], 0],
      [2, [], 250],
      [3, ['The last attempt failed (error): wrong'], 250],
    ]);
    expect(brief.status).toBe('complete');
    expect(w.eventsOf('attempt.started').map(({ enrichment }) => enrichment !== undefined)).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('cancelled or stopped while leaves back off, and while their pool is closed', () => {
  const busy = (): World => {
    let begun = 0;
    const w: World = world(
      wide(12, { pools: ['model'] }, { pools: { model: 4 }, concurrency: 6 }),
      {
        attempt: async ({ task }, { abortSignal }) => {
          const turn = begun++ % 3;
          await w.clock.sleep(10, abortSignal);
          if (turn === 0) throw refusal({ retryAfterMs: 300 });
          return turn === 1 ? draft(task.path) : never();
        },
      },
      { random: uniform(7) },
    );
    return w;
  };
  it.each([0, 5, 10, 11, 200, 310, 320, 400, 700, 2_000])('at %i ms nothing is left', async (at) => {
    const cancelled = busy();
    const handle = cancelled.start();
    cancelled.clock.setTimeout(() => handle.cancel(), at);
    await cancelled.clock.run(handle.result);
    expect(cancelled.leftovers()).toEqual(NOTHING_LEFT);

    const stopped = busy();
    const second = stopped.start();
    stopped.clock.setTimeout(() => second.stop(), at);
    await expect(stopped.clock.run(second.result)).rejects.toThrow('stopped');
    expect(stopped.leftovers()).toEqual(NOTHING_LEFT);
  });
  it('a deadline ends them like any other', async () => {
    const w: World = world(
      tree([3], {
        leaf: {
          run: ({ task }) => Promise.reject(refusal({ retryAfterMs: task.grant.deadline - w.clock.now() - 1 })),
        },
      }),
      {},
      { random: () => 1 },
    );
    const { brief } = await w.run();
    expect(brief.children.map(({ status }) => status)).toEqual(['timeout', 'timeout', 'timeout']);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
  it('who is told to wait for longer than there is time ends at once, and says why', async () => {
    const w: World = world(tree([3], { leaf: { run: () => Promise.reject(refusal({ retryAfterMs: 1e9 })) } }));
    const { brief } = await w.run();
    expect(brief.children.map(({ status }) => status)).toEqual(['error', 'error', 'error']);
    expect(brief.gaps.map(({ why }) => why)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('it is to wait 1000000 s')),
    );
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('memory pressure', () => {
  it('makes a run yield, and lets it recover', async () => {
    const running: number[] = [];
    let present = 0;
    const w: World = world(
      wide(60, {}, { concurrency: 8 }),
      {
        attempt: async ({ task }) => {
          present++;
          await w.clock.sleep(100);
          running.push(present--);
          return draft(task.path);
        },
      },
      { pressure: () => (w.clock.now() >= 250 && w.clock.now() < 1_000 ? 0.97 : 0.1) },
    );
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(Math.max(...running.slice(0, 16))).toBe(8);
    expect(running).toContain(1);
    expect(running.at(-9)).toBeGreaterThan(1);
    expect(w.eventsOf('slots.changed').map(({ why }) => why)).toContain('recovered');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});
