/** What holds over the whole tree, wherever its nodes work: the budget, and how many are at work at once. */
import { describe, expect, it } from 'vitest';
import type { LeafSpec } from '../../../src/define/spec.ts';
import type { Report } from '../../../src/protocol/report.ts';
import { HELD_TOO_LONG } from '../../../src/tier/attempt.ts';
import {
  domain,
  leaf,
  never,
  pathsIn,
  pause,
  performed,
  said,
  scenarioOf,
  type OpenHost,
  type Performed,
} from './bench.ts';

/** Spends so much. */
const spends =
  (usd: number): LeafSpec['run'] =>
  ({ budget, task }) => {
    budget.reserve({ usd }).settle({ usd, inputTokens: 70, outputTokens: 30 });
    return said(task.path);
  };
const usdOf = (done: Performed, path: string): number => {
  const end = done.endOf(path);
  const body = end?.kind === 'failure' ? end.partial : end;
  return body?.usage.subtree.usd ?? 0;
};

export function spending(open: OpenHost): void {
  describe('a budget', () => {
    it('is in every report as it was spent, also without a limit', async () => {
      const scenario = scenarioOf([
        domain('d0', [leaf('a', { run: spends(0.25) }), leaf('b', { run: spends(0.5) })]),
        domain('d1', [leaf('c', { run: spends(0.125) })]),
      ]);
      for (const budget of [{}, { usd: 4, tokens: 10_000 }]) {
        const done = await performed(open(), scenarioOf(scenario.domains, { limits: { budget } }));
        expect(done.brief.usage.subtree).toMatchObject({ usd: 0.875, inputTokens: 210, outputTokens: 90 });
        expect(usdOf(done, 'root/d0')).toBe(0.75);
        expect(usdOf(done, 'root/d0/b')).toBe(0.5);
        expect(done.status).toBe('complete');
      }
    });

    it('refuses leaves beyond it: a token each, and no harm to the others', async () => {
      const leaves = ['l0', 'l1', 'l2'].map((name) => leaf(name));
      const scenario = scenarioOf([domain('d0', leaves), domain('d1', leaves)], { limits: { budget: { leaves: 4 } } });
      const done = await performed(open(), scenario);
      expect(done.status).toBe('partial');
      expect(pathsIn(done)).toEqual(['root/d0/l0', 'root/d0/l1', 'root/d1/l0', 'root/d1/l1']);
      expect(done.endOf('root/d0/l2')).toMatchObject({ status: 'budget', attempts: 0 });
      expect(
        done
          .eventsOf('budget.refused')
          .map(({ path }) => path)
          .toSorted(),
      ).toEqual(['root/d0/l2', 'root/d1/l2']);
    });

    it('refuses a leaf that needs more than is left for it, once and for good', async () => {
      const scenario = scenarioOf(
        [domain('d', [leaf('greedy', { run: spends(3), attempts: 3 }), leaf('modest', { run: spends(0.5) })])],
        {
          limits: { budget: { usd: 2 } },
        },
      );
      const done = await performed(open(), scenario);
      expect(done.endOf('root/d/greedy')).toMatchObject({ kind: 'failure', status: 'budget', attempts: 1 });
      expect(done.eventsOf('budget.refused')).toMatchObject([{ path: 'root/d/greedy', dimension: 'usd', asked: 3 }]);
      expect(done.brief.usage.subtree.usd).toBe(0.5);
    });

    it('lends what others have not spent to whoever comes after them', async () => {
      const scenario = scenarioOf(
        [
          domain('d', [
            leaf('first', { run: spends(0.1) }),
            leaf('second', { needs: ['first'], run: spends(1.5), attempts: 1 }),
          ]),
        ],
        { limits: { budget: { usd: 2 } } },
      );
      const done = await performed(open(), scenario);
      expect(done.status).toBe('complete');
      expect(done.brief.usage.subtree.usd).toBe(1.6);
      expect(done.eventsOf('budget.refused')).toEqual([]);
    });

    it('lends what a sibling has left to whoever asks for more than its share', async () => {
      const hasEnded = Promise.withResolvers<void>();
      const scenario = scenarioOf(
        [
          domain('d', [
            leaf('frugal'),
            leaf('hungry', {
              attempts: 1,
              async run({ budget, task }) {
                await hasEnded.promise;
                await pause(300); // by then its share is back, too
                budget.reserve({ usd: 1.5 }).settle({ usd: 1.25 });
                return said(task.path);
              },
            }),
          ]),
        ],
        { limits: { budget: { usd: 2 } } },
      );
      const done = await performed(open(), scenario, {
        onEvent({ type, path }) {
          if (type === 'node.reported' && path === 'root/d/frugal') hasEnded.resolve();
        },
      });
      expect(done.status).toBe('complete');
      expect(done.brief.usage.subtree).toMatchObject({ usd: 1.25, attempts: 2 });
      expect(done.eventsOf('budget.refused')).toEqual([]);
      expect(done.eventsOf('attempt.started')).toHaveLength(2);
    });

    it('keeps what a synthesis needs, and books what it spends', async () => {
      const scenario = scenarioOf(
        [
          domain('d', [leaf('l', { run: spends(0.25) })], {
            synthesize({ budget, children }) {
              budget.reserve({ usd: 0.5 }).settle({ usd: 0.5 });
              const ids = children.flatMap(({ outcome }) => (outcome as Report).findings.map(({ id }) => id));
              const dispositions = ids.map((id) => ({ id, as: 'kept' as const }));
              return { narrative: 'As it came', dispositions, merges: [], derived: [], gaps: [] } as never;
            },
          }),
        ],
        { limits: { budget: { usd: 2 } } },
      );
      const done = await performed(open(), scenario);
      expect(usdOf(done, 'root/d')).toBe(0.75);
      expect(done.brief.usage.subtree.usd).toBe(0.75);
      expect(done.endOf('root/d')).toMatchObject({ madeBy: 'synthesis' });
    });

    it('that a vendor has billed more than is not spent any further, by whoever comes after', async () => {
      const billed: LeafSpec['run'] = ({ budget, task }) => {
        budget.reserve({ usd: 0.1 }).settle({ usd: 1.9, inputTokens: 1, outputTokens: 1, isBilled: true });
        return said(task.path);
      };
      const scenario = scenarioOf(
        [
          domain('d', [
            leaf('billed', { run: billed }),
            leaf('next', { needs: ['billed'], run: spends(0.5), attempts: 1 }),
          ]),
          domain('e', [leaf('modest', { run: spends(0.05) }), leaf('greedy', { run: spends(0.3), attempts: 1 })], {
            needs: ['d'],
          }),
        ],
        { limits: { budget: { usd: 2 } } },
      );
      const done = await performed(open(), scenario);
      expect(pathsIn(done)).toEqual(['root/d/billed', 'root/e/modest']);
      for (const path of ['root/d/next', 'root/e/greedy']) {
        expect(done.endOf(path)).toMatchObject({ kind: 'failure', status: 'budget', attempts: 1 });
      }
      const { usd = 0 } = done.brief.run?.budget?.overdrawn ?? {};
      expect(usd + done.brief.usage.subtree.usd).toBeCloseTo(1.95);
    });

    it('of a domain is not exceeded, though the run has none', async () => {
      const scenario = scenarioOf([
        domain('d', [leaf('a', { run: spends(0.4), attempts: 1 }), leaf('b', { run: spends(0.9), attempts: 1 })], {
          budget: { usd: 1 },
        }),
        domain('free', [leaf('c', { run: spends(5) })]),
      ]);
      const done = await performed(open(), scenario);
      expect(done.endOf('root/d/b')).toMatchObject({ kind: 'failure', status: 'budget' });
      expect(done.endOf('root/free/c')).toMatchObject({ kind: 'report', status: 'complete' });
    });
  });

  describe('slots', () => {
    const watched = () => {
      const seen = { now: 0, most: 0, order: [] as string[] };
      const run: LeafSpec['run'] = async ({ task }) => {
        seen.order.push(task.path);
        seen.most = Math.max(seen.most, ++seen.now);
        await pause(30);
        seen.now--;
        return said(task.path);
      };
      return { seen, run };
    };

    it('are never more than the run allows, over all domains', async () => {
      const { seen, run } = watched();
      const leaves = [0, 1, 2, 3].map((i) => leaf(`l${i}`, { run }));
      const scenario = scenarioOf(
        [0, 1, 2].map((i) => domain(`d${i}`, leaves)),
        { limits: { concurrency: 3 } },
      );
      const done = await performed(open(), scenario);
      expect(done.brief.findings).toHaveLength(12);
      expect(seen.most).toBeLessThanOrEqual(3);
    });

    it('hold for each pool, and a full one delays nobody else', async () => {
      const { seen, run } = watched();
      const free = watched();
      const scenario = scenarioOf(
        [
          domain('d', [
            ...[0, 1, 2, 3].map((i) => leaf(`built${i}`, { run, pools: ['build'] })),
            ...[0, 1].map((i) => leaf(`free${i}`, { run: free.run })),
          ]),
        ],
        { limits: { concurrency: 4, pools: { build: 1 } } },
      );
      const done = await performed(open(), scenario);
      expect(done.brief.findings).toHaveLength(6);
      expect(seen.most).toBe(1);
    });

    it('go to whoever is expected to take longest', async () => {
      const { seen, run } = watched();
      const estimates = { short: 1_000, long: 60_000, middle: 9_000 };
      const leaves = Object.entries(estimates).map(([name, estimate]) => leaf(name, { run, estimate }));
      await performed(open(), scenarioOf([domain('d', leaves)], { limits: { concurrency: 1 } }));
      expect(seen.order).toEqual(['root/d/long', 'root/d/middle', 'root/d/short']);
    });

    it('are lost by whoever holds one for too long, also when it is tried again', async () => {
      let attempts = 0;
      const again: LeafSpec['run'] = () => {
        if (++attempts === 1) throw new Error('it broke');
        return never();
      };
      const leaves = [
        leaf('again', { attempts: 2, estimate: '500ms', run: again }),
        // One has the slot before `again` asks for it once more, and for longer than it would be handed on; the other waits.
        leaf('first', { estimate: '400ms', run: ({ task }) => pause(500).then(() => said(task.path)) }),
        leaf('waits', { estimate: '400ms' }),
      ];
      const scenario = scenarioOf([domain('d', leaves)], { limits: { concurrency: 1, deadline: '6s' } });
      const done = await performed(open(), scenario);
      const lost = { kind: 'failure', status: 'timeout', attempts: 2 };
      expect(done.endOf('root/d/again')).toMatchObject({ ...lost, message: HELD_TOO_LONG.message });
      expect(done.endOf('root/d/waits')).toMatchObject({ kind: 'report' });
    });

    it('come back from an orchestrator that works as a leaf', async () => {
      const work = { execute: ({ task }: { task: { path: string } }) => said(task.path) };
      const names = ['a', 'b', 'c', 'd', 'e'];
      const inTurn = names.map((name, i) =>
        domain(name, [domain('deep', [leaf('l')], work)], i === 0 ? {} : { needs: [names[i - 1] ?? ''] }),
      );
      const scenario = scenarioOf(inTurn, { limits: { concurrency: 1, deadline: '8s', maxDepth: 2 } });
      const done = await performed(open(), scenario); // a lease for each would be more than there is
      expect(done.gaps.every(({ kind }) => kind === 'demoted')).toBe(true);
      expect(pathsIn(done)).toEqual(names.map((name) => `root/${name}/deep`));
    });

    it('are waited for by who is tried again, though a limit is felt meanwhile', async () => {
      const attempts = new Map<string, number>();
      const first = (path: string): boolean => {
        attempts.set(path, (attempts.get(path) ?? 0) + 1);
        return attempts.get(path) === 1;
      };
      const holds: LeafSpec['run'] = async ({ task }) => {
        await pause(700);
        return said(task.path);
      };
      const again: LeafSpec['run'] = ({ task }) => {
        if (first(task.path)) throw new Error('it broke'); // and asks for a slot while `refused` is at work in its own
        return said(task.path);
      };
      const refused: LeafSpec['run'] = async ({ task }) => {
        await pause(200);
        if (first(task.path)) throw Object.assign(new Error('slow down'), { diagnosis: 'rate-limited' });
        return said(task.path);
      };
      const leaves = [
        leaf('holds', { run: holds }),
        leaf('holds-too', { run: holds }),
        leaf('again', { run: again }),
        leaf('refused', { run: refused }),
      ];
      const done = await performed(open(), scenarioOf([domain('d', leaves)], { limits: { concurrency: 3 } }));
      expect(done.endOf('root/d/again')).toMatchObject({ kind: 'report', usage: { self: { attempts: 2 } } });
      expect(done.status).toBe('complete');
    });

    it('come back from who has ended to who is tried again, when a rate limit leaves fewer', async () => {
      let refusals = 0;
      const run: LeafSpec['run'] = async ({ task }) => {
        await pause(100); // the others have ended
        if (refusals++ < 4) throw Object.assign(new Error('slow down'), { diagnosis: 'rate-limited' });
        return said(task.path);
      };
      // Of such estimates no lease ends within the run.
      const quick = Array.from({ length: 40 }, (_, i) => leaf(`quick${i}`, { estimate: 60_000 }));
      const again = Array.from({ length: 4 }, (_, i) => leaf(`again${i}`, { run, estimate: 60_000 }));
      const scenario = scenarioOf([domain('d', [...quick, ...again])], { limits: { concurrency: 44 } });
      const done = await performed(open(), scenario);
      expect(done.eventsOf('slots.changed')[0]).toMatchObject({ pool: 'total', why: 'rate-limited' });
      expect(done.gaps).toEqual([]);
      expect(done.status).toBe('complete');
    });

    it('are halved by a rate limit, and that is said', async () => {
      let refusals = 0;
      const run: LeafSpec['run'] = ({ task }) => {
        if (refusals++ < 1) throw Object.assign(new Error('slow down'), { status: 429, diagnosis: 'rate-limited' });
        return said(task.path);
      };
      const scenario = scenarioOf([domain('d', [leaf('l0', { run }), leaf('l1')])], { limits: { concurrency: 8 } });
      const done = await performed(open(), scenario);
      expect(done.eventsOf('slots.changed')[0]).toMatchObject({ pool: 'total', limit: 4, why: 'rate-limited' });
      expect(done.status).toBe('complete');
    });
  });
}
