/** Stages, needs, quorum, deadlines of every tier. */
import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafRun } from '../../src/define/spec.ts';
import type { Report } from '../../src/protocol/report.ts';
import {
  CRITICAL,
  draft,
  endsOf,
  MINUTES_8,
  never,
  NOTHING_LEFT,
  reportOf,
  tree,
  world,
  type World,
} from '../support/world.ts';

const said: LeafRun = ({ task }) => draft(task.path);
const only = (...domains: Parameters<typeof defineScenario>[0]['domains']) =>
  defineScenario({ name: 'staged', thesis: 'It holds', domains });

describe('stages', () => {
  it('run in order; a later child reads the reports it needs and no others', async () => {
    const starts: Record<string, number> = {};
    let prior: readonly Report[] = [];
    const timed: LeafRun = async ({ task }) => {
      starts[task.path] = w.clock.now();
      await w.clock.sleep(1_000);
      return draft(task.path);
    };
    const w: World = world(
      only(
        defineLeaf({
          name: 'c',
          needs: ['a'],
          run: async (context) => {
            ({ prior } = context.task);
            expect(context.prior('a')?.path).toBe('root/a');
            expect(context.prior('b')).toBeUndefined();
            return timed(context);
          },
        }),
        defineLeaf({ name: 'a', run: timed }),
        defineLeaf({ name: 'b', run: timed }),
      ),
    );
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(starts).toEqual({ 'root/a': 0, 'root/b': 0, 'root/c': 1_000 });
    expect(prior).toMatchObject([{ path: 'root/a', findings: [{ id: 'root/a#said' }] }]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a child whose need failed still runs, and sees that it is missing', async () => {
    let hadPrior: unknown = 'not asked';
    const w = world(
      only(
        defineLeaf({ name: 'a', attempts: 1, run: () => Promise.reject(new Error('no')) }),
        defineLeaf({
          name: 'b',
          needs: ['a'],
          run: ({ task, prior }) => {
            hadPrior = prior('a');
            return draft(task.path);
          },
        }),
      ),
    );
    const { brief } = await w.run();
    expect(hadPrior).toBeUndefined();
    expect(brief.children.map(({ status }) => status)).toEqual(['error', 'complete']);
  });

  it('a child that cannot do without it says which need failed, at once and once', async () => {
    const w = world(
      only(
        defineLeaf({ name: 'a', attempts: 1, run: () => Promise.reject(new Error('no')) }),
        defineLeaf({ name: 'c', run: said }),
        defineLeaf({
          name: 'b',
          needs: ['a', 'c'],
          run({ task, report, need }) {
            report(draft(task.path, { key: 'early', statement: need('c').path }));
            return draft(task.path, { statement: need('a').path });
          },
        }),
      ),
    );
    const { brief } = await w.run();
    const b = reportOf(w.endOf('root/b'));
    expect(b.findings.map(({ statement }) => statement)).toEqual(['root/c']);
    expect(b).toMatchObject({ status: 'partial', usage: { self: { attempts: 1 } } });
    const gap = { kind: 'undone', path: 'root/b', why: 'it needs "a", which left no report' };
    expect(b.gaps).toEqual([gap]);
    expect(brief.gaps).toContainEqual(gap);
  });

  it('a need that was not declared fails for good, with an alert', async () => {
    const w = world(
      only(
        defineLeaf({ name: 'a', run: said }),
        defineLeaf({ name: 'b', needs: ['a'], run: ({ need }) => draft('root/b', { statement: need('aa').path }) }),
      ),
    );
    await w.run();
    expect(w.endOf('root/b')).toMatchObject({
      status: 'error',
      attempts: 1,
      message: 'root/b asked for need("aa"), which is not among its needs. Add it there, or correct the name.',
    });
    expect(w.eventsOf('integrity.alert')).toMatchObject([{ path: 'root/b', kind: 'read' }]);
  });

  it('a report that a later child reads cannot be altered by it', async () => {
    const w = world(
      only(
        defineLeaf({ name: 'a', run: ({ task }) => draft(task.path, CRITICAL) }),
        defineLeaf({
          name: 'b',
          needs: ['a'],
          run: ({ task, prior }) => {
            expect(() => prior('a')?.findings.pop()).toThrow(TypeError);
            expect(() => task.prior[0]?.escalations.splice(0)).toThrow(TypeError);
            return draft(task.path);
          },
        }),
      ),
    );
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(brief.findings.map(({ id }) => id).sort()).toEqual(['root/a#said', 'root/b#said']);
  });

  it('one that hangs leaves time for the next', async () => {
    let began = 0;
    const w: World = world(
      only(
        defineLeaf({ name: 'a', run: said }),
        defineLeaf({ name: 'hung', run: never }),
        defineLeaf({
          name: 'b',
          needs: ['a'],
          run: async ({ task }) => {
            began = w.clock.now();
            await w.clock.sleep(1_000);
            return draft(task.path);
          },
        }),
      ),
    );
    const { brief } = await w.run();
    expect(brief.children.map(({ path, status }) => [path, status])).toEqual([
      ['root/a', 'complete'],
      ['root/hung', 'timeout'],
      ['root/b', 'complete'],
    ]);
    expect(began).toBeGreaterThan(0);
    expect(began).toBeLessThan(MINUTES_8 * 0.75);
    expect(w.eventsOf('join.expired')).toEqual([]); // the leaf closed itself at hand-off
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('all that hang still leave the root in time', async () => {
    const w = world(
      only(
        defineDomain({ name: 'a', charter: '', children: [defineLeaf({ name: 'x', run: never })] }),
        defineDomain({ name: 'b', charter: '', needs: ['a'], children: [defineLeaf({ name: 'x', run: never })] }),
        defineDomain({ name: 'c', charter: '', needs: ['b'], children: [defineLeaf({ name: 'x', run: never })] }),
      ),
    );
    const { brief } = await w.run();
    expect(brief.children.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    expect(w.clock.now()).toBeLessThanOrEqual(MINUTES_8);
    const starts = w.eventsOf('node.started').filter(({ tier }) => tier === 'domain');
    const windows = starts.map(({ grant }) => grant.deadline - grant.issuedAt);
    expect(Math.min(...windows)).toBeGreaterThan(MINUTES_8 / 10);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a quorum', () => {
  const half = tree([4], { scenario: { join: { quorum: 2 } } });

  it('closes the join; the others are not needed, which is no loss', async () => {
    const w = world(half, (own) => ({
      attempt: (input, io) => (/l[02]/.test(input.task.path) ? never() : own.attempt(input, io)),
    }));
    const { brief, status } = await w.run();
    expect(status).toBe('complete');
    expect(brief.children.map((child) => child.status)).toEqual(['cancelled', 'complete', 'cancelled', 'complete']);
    expect(brief.gaps).toEqual([
      { path: 'root/l0', kind: 'not-needed', why: expect.stringContaining('quorum') },
      { path: 'root/l2', kind: 'not-needed', why: expect.stringContaining('quorum') },
    ]);
    expect(w.clock.now()).toBe(0);
    expect(w.endOf('root/l0')).toMatchObject({ kind: 'failure', status: 'cancelled' });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is not made of tokens', async () => {
    const w = world(half, (own) => ({
      attemptsOf: () => 1,
      attempt: (input, io) =>
        /l[01]/.test(input.task.path) ? Promise.reject(new Error('no')) : own.attempt(input, io),
    }));
    const { brief } = await w.run();
    expect(brief.children.map((child) => child.status)).toEqual(['error', 'error', 'complete', 'complete']);
  });

  it('ends the nodes below a domain that was not needed', async () => {
    const scenario = tree([3, 2], { scenario: { join: { quorum: 2 } } });
    const w = world(scenario, (own) => ({
      attempt: (input, io) => (input.task.path === 'root/d2/l1' ? never() : own.attempt(input, io)),
    }));
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(w.endOf('root/d2')).toMatchObject({ status: 'cancelled', partial: { findings: [{ path: 'root/d2/l0' }] } });
    expect(w.endOf('root/d2/l1')).toMatchObject({ kind: 'failure', status: 'cancelled' });
    expect(endsOf(w.events)).toHaveLength(w.eventsOf('node.started').length);
  });
});

describe('six tiers deep', () => {
  it('every tier closes itself, with what it has, before its parent stops waiting', async () => {
    const hung = 'root/d0/d0/d0/d0/d0/l0';
    const w = world([2, 2, 2, 2, 2, 2], (own) => ({
      attempt: (input, io) => (input.task.path === hung ? never() : own.attempt(input, io)),
    }));
    const { brief } = await w.run({ concurrency: 64 });
    expect(brief.gaps).toEqual([
      { path: hung, kind: 'token', why: 'timeout: closed itself at its deadline', status: 'timeout' },
    ]);
    expect(w.eventsOf('finding.reported')).toHaveLength(63);
    expect(w.eventsOf('join.expired')).toEqual([]);
    const ends = endsOf(w.events).filter(({ path }) => hung.startsWith(path));
    expect(ends.map(({ path }) => path.split('/').length - 1)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(ends.slice(1).map((end) => end.kind)).toEqual(Array.from({ length: 6 }, () => 'report'));
    for (const { path, grant } of w.eventsOf('node.started')) {
      const end = w.endOf(path);
      const endedAt = end.kind === 'report' ? end.timing.endedAt : grant.issuedAt + end.elapsedMs;
      expect(endedAt).toBeLessThanOrEqual(grant.deadline);
    }
    const deadlines = w.eventsOf('node.started').filter(({ path }) => hung.startsWith(path));
    const falling = deadlines.map(({ grant }) => grant.deadline);
    expect(falling).toEqual([...new Set(falling)].toSorted((a, b) => b - a)); // strictly, tier by tier
    const parent = deadlines.at(-2)?.grant;
    const stopsWaiting = (parent?.deadline ?? 0) - (parent?.reserveMs ?? 0);
    expect(deadlines.at(-1)?.grant.deadline).toBe(stopsWaiting - 100); // the hand-off
    // shares would have compounded: the deepest tier still has nearly all of the window
    const deepest = w.eventsOf('node.started').find(({ path }) => path === hung);
    expect(deepest?.grant.deadline).toBeGreaterThan(MINUTES_8 * 0.99);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a domain that runs out of time delivers its own partial report', async () => {
    const w = world([2, 4], {
      attempt: async ({ task }, { report }) => {
        report(draft(task.path, { key: 'live' }));
        return /d0.l[12]/.test(task.path) ? never() : draft(task.path);
      },
    });
    const { brief } = await w.run({ deadline: 100_000 });
    expect(brief).toMatchObject({ status: 'partial', children: [{ status: 'partial' }, { status: 'complete' }] });
    expect(w.endOf('root/d0/l1')).toMatchObject({
      status: 'timeout',
      partial: { findings: [{ id: 'root/d0/l1#live' }] },
    });
    const inBrief = brief.findings.filter(({ path }) => path === 'root/d0/l1').map(({ id }) => id);
    expect(inBrief).toEqual(['root/d0/l1#live']);
    expect(w.clock.now()).toBeLessThan(100_000);
  });
});

it('5,000 wide, one in ten failing', async () => {
  const w = world([5_000], (own) => ({
    attemptsOf: () => 1,
    attempt: (input, io) => (input.task.path.endsWith('0') ? Promise.reject(new Error('no')) : own.attempt(input, io)),
  }));
  const { brief } = await w.run();
  expect(brief.retention?.incoming).toBe(4_500);
  expect(brief.gaps).toHaveLength(500);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
});
