/** What a leaf flags as critical reaches the brief byte for byte, whatever anybody does on the way. */
import { describe, expect, it } from 'vitest';
import type { LeafContext, LeafRun } from '../../src/define/spec.ts';
import type { Finding, FindingDraft } from '../../src/protocol/finding.ts';
import { CRITICAL, draft, json, never, NOTHING_LEFT, reportOf, tree, world, type World } from '../support/world.ts';

const alarm = (path: string, over: Partial<FindingDraft> = {}): FindingDraft => draft(path, { ...CRITICAL, ...over });
const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id);
/** A tree of one leaf per domain, all with this run. */
const running = (widths: readonly number[], run: LeafRun): World => world(tree(widths, { leaf: { run } }));

/** Every critical finding that was reported stands in the brief, as it was reported, once. */
function expectVerbatim(w: World, escalations: readonly Finding[]): void {
  const reported = w.eventsOf('finding.reported').filter(({ finding }) => finding.critical);
  expect(json(escalations)).toEqual(expect.arrayContaining(reported.map(({ finding }) => json(finding))));
  expect(escalations).toHaveLength(reported.length);
  expect(w.eventsOf('finding.escalated').map(({ finding }) => json(finding))).toEqual(
    expect.arrayContaining(json(escalations) as unknown[]),
  );
  expect(w.eventsOf('finding.escalated')).toHaveLength(reported.length);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
}

describe('identity', () => {
  it('two leaves that use the same key are two findings', async () => {
    const w = running([1, 2], ({ task }) => alarm(task.path, { key: 'same', statement: 'It rings' }));
    const { escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#same', 'root/d0/l1#same']);
    expectVerbatim(w, escalations);
  });

  it('two findings of one leaf under the same key are two findings', async () => {
    const w = running([1, 1], ({ task }) => ['first', 'second'].map((statement) => alarm(task.path, { statement })));
    const { escalations } = await w.run();
    expect(escalations.map(({ id, statement }) => [id, statement])).toEqual([
      ['root/d0/l0#said', 'first'],
      ['root/d0/l0#said~2', 'second'],
    ]);
    expectVerbatim(w, escalations);
  });

  it('a finding said live and returned again is one', async () => {
    const w = running([1, 1], ({ task, report }) => {
      report(alarm(task.path));
      return alarm(task.path);
    });
    const { escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expectVerbatim(w, escalations);
  });

  it('a draft that its author alters after saying it stays as it was said', async () => {
    const w = running([1, 1], async ({ task, report }) => {
      const live = { ...alarm(task.path, { key: 'live', data: { level: [1] } }), flags: ['a'] };
      const final = alarm(task.path, { key: 'final' });
      report(live);
      live.statement = 'all is well';
      live.flags.push('b');
      (live.data as { level: number[] }).level.push(2);
      await Promise.resolve();
      setImmediate(() => (final.statement = 'all is well'));
      return final;
    });
    const { escalations } = await w.run();
    expect(escalations).toMatchObject([
      { id: 'root/d0/l0#live', statement: 'Said by root/d0/l0', flags: ['a'], data: { level: [1] } },
      { id: 'root/d0/l0#final', statement: 'Said by root/d0/l0' },
    ]);
    expectVerbatim(w, escalations);
  });
});

describe('across attempts', () => {
  const failingFirst =
    (before: (context: LeafContext) => void): LeafRun =>
    (context) => {
      if (context.attempt > 1) return draft(context.task.path, { key: 'at last' });
      before(context);
      throw new Error('after saying it');
    };

  it('what an attempt said before it failed is kept', async () => {
    const w = running(
      [1, 2],
      failingFirst(({ task, report }) => report(alarm(task.path))),
    );
    const { brief, escalations } = await w.run();
    expect(brief.status).toBe('complete');
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said', 'root/d0/l1#said']);
    expectVerbatim(w, escalations);
  });

  it('a retry that changes it under the same key adds to it', async () => {
    const w = running([1, 1], ({ task, attempt, report }) => {
      const said = alarm(task.path, { statement: `as of attempt ${attempt}` });
      report(said);
      if (attempt === 1) throw new Error('again');
      return said;
    });
    const { escalations } = await w.run();
    expect(escalations.map(({ id, statement }) => [id, statement])).toEqual([
      ['root/d0/l0#said', 'as of attempt 1'],
      ['root/d0/l0#said~2', 'as of attempt 2'],
    ]);
    expectVerbatim(w, escalations);
  });

  it('a retry that no longer calls it critical leaves the critical one standing', async () => {
    const w = running([1, 1], ({ task, attempt, report }) => {
      if (attempt > 1) return draft(task.path);
      report(alarm(task.path));
      throw new Error('again');
    });
    const { brief, escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expect(idsOf(brief.findings)).toEqual(expect.arrayContaining(['root/d0/l0#said', 'root/d0/l0#said~2']));
    expectVerbatim(w, escalations);
  });

  it('what a leaf said that failed for good is in its token, and in the brief', async () => {
    const w = running([1, 1], ({ task, report }) => {
      report(alarm(task.path));
      throw new Error('and again');
    });
    const { escalations } = await w.run();
    expect(w.endOf('root/d0/l0')).toMatchObject({ kind: 'failure', attempts: 3, partial: { escalations: [{}] } });
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expectVerbatim(w, escalations);
  });

  it('what an answer calls critical was said, though the rest of it fails its schema', async () => {
    const w = running([1, 1], ({ task }) => [alarm(task.path), { statement: '' }]);
    const { escalations } = await w.run();
    expect(w.endOf('root/d0/l0')).toMatchObject({ kind: 'failure', status: 'invalid' });
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expectVerbatim(w, escalations);
  });

  it('what is said between two attempts counts', async () => {
    const w = running([1, 1], ({ task, attempt, report, abortSignal }) => {
      if (attempt > 1) return draft(task.path, { key: 'at last' });
      abortSignal.addEventListener('abort', () => report(alarm(task.path)));
      throw new Error('no');
    });
    const { escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expectVerbatim(w, escalations);
  });

  it('what an earlier attempt still says counts when it is critical', async () => {
    const w: World = running([1, 1], async ({ task, attempt, report }) => {
      if (attempt === 1) {
        w.clock.setTimeout(() => {
          report(alarm(task.path));
          report(draft(task.path, { key: 'dull' }));
        }, 50);
        throw new Error('gave up early');
      }
      await w.clock.sleep(100);
      return draft(task.path, { key: 'at last' });
    });
    const { brief, escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expect(idsOf(brief.findings).sort()).toEqual(['root/d0/l0#at last', 'root/d0/l0#said']);
    expectVerbatim(w, escalations);
  });
});

describe('under another’s name', () => {
  it('a draft with another node’s path stands under its author’s, flagged and alerted', async () => {
    const w = running([1, 2], ({ task }) =>
      alarm(task.path, task.path.endsWith('l1') ? { path: 'root/d0/l0', statement: 'It was l0' } : {}),
    );
    const { escalations } = await w.run();
    expect(escalations).toMatchObject([
      { id: 'root/d0/l0#said', flags: [] },
      { id: 'root/d0/l1#said', path: 'root/d0/l1', flags: ['misattributed'], statement: 'It was l0' },
    ]);
    expect(w.eventsOf('integrity.alert')).toMatchObject([{ path: 'root/d0/l1', kind: 'misattributed' }]);
    expectVerbatim(w, escalations);
  });

  it('a leaf that alters its task stays where it is', async () => {
    const w = running([1, 2], ({ task }) => {
      try {
        Object.assign(task, { path: 'root/d0/l0' });
      } catch {
        // frozen
      }
      return alarm(task.path);
    });
    const { escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said', 'root/d0/l1#said']);
    expectVerbatim(w, escalations);
  });

  it('a leaf that alters its grant alters nobody else’s', async () => {
    const budgets: unknown[] = [];
    const w = running([1, 2], ({ task }) => {
      budgets.push({ ...task.grant.budget }, task.grant.tools.length);
      expect(() => Object.assign(task.grant.budget, { usd: 1_000_000 })).toThrow(TypeError);
      expect(() => task.grant.tools.push('shell')).toThrow(TypeError);
      return draft(task.path);
    });
    const { status } = await w.run();
    expect(status).toBe('complete');
    expect(budgets).toEqual([{}, 0, {}, 0]);
  });
});

describe('the way up', () => {
  it('critical findings reach the root the instant they are said, others in batches; each once', async () => {
    const w: World = running([2, 2, 10], async ({ task, attempt, report }) => {
      const nth = Number(task.path.at(-1));
      await w.clock.sleep(100 + nth);
      if (nth === 3) {
        report(alarm(task.path));
        await w.clock.sleep(500);
        return alarm(task.path);
      }
      if (nth === 4 && attempt === 1) {
        report(alarm(task.path, { key: 'lost' }));
        throw new Error('after saying it');
      }
      return draft(task.path);
    });
    const { escalations } = await w.run({ concurrency: 40 });
    expect(new Set(w.eventsOf('finding.escalated').map(({ at }) => at))).toEqual(new Set([103, 104]));
    expect(escalations).toHaveLength(8);
    expect(w.eventsOf('finding.reported')).toHaveLength(44);
    expectVerbatim(w, escalations);
  });

  it('44 findings over three hops take few messages', async () => {
    let hops = 0;
    const scenario = tree([2, 2, 11], { leaf: { run: ({ task }) => draft(task.path) } });
    const w = world(
      scenario,
      {},
      { inspect: (event) => void (event.type === '@xstate.event' && event.event.type === 'espalier.up' && hops++) },
    );
    await w.run({ concurrency: 44 });
    expect(w.eventsOf('finding.reported')).toHaveLength(44);
    expect(hops).toBeLessThanOrEqual(20);
  });

  it('a tier that is cut off passes up what it had heard', async () => {
    const w = world(
      [2, 2],
      { attempt: async ({ task }, { report }) => (report(alarm(task.path)), never()) },
      {
        faults: ['root/d1:gather=hang'],
      },
    );
    const { escalations } = await w.run();
    expect(idsOf(escalations).sort()).toEqual([
      'root/d0/l0#said',
      'root/d0/l1#said',
      'root/d1/l0#said',
      'root/d1/l1#said',
    ]);
    expectVerbatim(w, escalations);
  });

  it('a report keeps the criticals of every tier below it', async () => {
    const w = running([2, 2, 2], ({ task }) => alarm(task.path));
    const { brief } = await w.run();
    expect(reportOf(w.endOf('root/d1/d0')).escalations).toHaveLength(2);
    expect(reportOf(w.endOf('root/d1')).escalations).toHaveLength(4);
    expect(brief.escalations).toHaveLength(8);
    expect(brief.children.map(({ retention }) => retention?.verbatim)).toEqual([1, 1]);
  });
});
