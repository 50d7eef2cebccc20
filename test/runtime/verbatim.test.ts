/** What a leaf flags as critical reaches the brief byte for byte, whatever anybody does on the way. */
import { describe, expect, it } from 'vitest';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
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
        void w.clock.sleep(50).then(() => {
          report(alarm(task.path));
          report(draft(task.path, { key: 'dull' }));
        });
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

describe('too late', () => {
  const deaf =
    (say: (context: LeafContext) => void): LeafRun =>
    (context) => {
      if (!context.task.path.endsWith('l0')) return draft(context.task.path);
      say(context);
      return never();
    };
  const sayOnAbort = (run: (context: LeafContext) => void) =>
    deaf((context) => context.abortSignal.addEventListener('abort', () => run(context)));

  it('a critical finding after the leaf was closed is told, and a gap names it', async () => {
    const w = running(
      [2, 2],
      sayOnAbort(({ task, report }) => report(alarm(task.path, { statement: 'too late for the brief' }))),
    );
    const { brief, escalations } = await w.run();
    const late = w.eventsOf('child.late');
    expect(late).toMatchObject([
      { path: 'root/d0', child: 'l0', why: 'late', findings: [{ id: 'root/d0/l0#said', critical: {} }] },
      { path: 'root/d1', child: 'l0', why: 'late', findings: [{ id: 'root/d1/l0#said' }] },
    ]);
    expect(escalations).toEqual([]);
    expect(brief.status).toBe('partial');
    for (const path of ['root/d0/l0', 'root/d1/l0']) {
      const why = expect.stringContaining('too late for the brief');
      expect(brief.gaps).toContainEqual({ path, kind: 'undone', why });
    }
  });

  it('one that is not critical is no news', async () => {
    const w = running(
      [2, 2],
      sayOnAbort(({ task, report }) => report(draft(task.path))),
    );
    const { brief } = await w.run();
    expect(w.eventsOf('child.late')).toEqual([]);
    expect(brief.gaps.map(({ kind }) => kind)).toEqual(['token', 'token']);
  });

  it('it never takes the id of another body', async () => {
    const w = running(
      [1, 2],
      sayOnAbort(({ task, report }) => report(alarm(task.path, { statement: 'again' }))),
    );
    const speaking = tree([1, 2], {
      leaf: {
        run: deaf(({ task, report, abortSignal }) => {
          report(alarm(task.path, { statement: 'in time' }));
          abortSignal.addEventListener('abort', () => report(alarm(task.path, { statement: 'again' })));
        }),
      },
    });
    await w.run();
    const spoken = world(speaking);
    const { escalations } = await spoken.run();
    expect(escalations).toMatchObject([{ id: 'root/d0/l0#said', statement: 'in time' }]);
    expect(spoken.eventsOf('child.late')).toMatchObject([
      { findings: [{ id: 'root/d0/l0#said~2', statement: 'again' }] },
    ]);
  });

  it('one that had been said in time is not late', async () => {
    const w = running(
      [1, 2],
      deaf(({ task, report, abortSignal }) => {
        report(alarm(task.path));
        abortSignal.addEventListener('abort', () => report(alarm(task.path)));
      }),
    );
    const { escalations } = await w.run();
    expect(w.eventsOf('child.late')).toEqual([]);
    expectVerbatim(w, escalations);
  });

  it('one from a leaf that had reported is late as well', async () => {
    const w: World = running([1, 2], async ({ task, report }) => {
      if (task.path.endsWith('l0'))
        void w.clock.sleep(50).then(() => report(alarm(task.path, { key: 'afterthought' })));
      else await w.clock.sleep(100);
      return draft(task.path);
    });
    const { brief } = await w.run();
    expect(w.eventsOf('child.late')).toMatchObject([{ child: 'l0', findings: [{ id: 'root/d0/l0#afterthought' }] }]);
    expect(brief).toMatchObject({ status: 'partial', gaps: [{ path: 'root/d0/l0', kind: 'undone' }] });
  });

  it('one that is returned after the leaf was closed is late as well', async () => {
    const hung = defineLeaf({
      name: 'hung',
      run: async ({ task }) => {
        await w.clock.sleep(400_000); // deaf to its signal
        return [draft(task.path, { key: 'dull' }), alarm(task.path)];
      },
    });
    const next = defineLeaf({
      name: 'next',
      needs: ['hung'],
      run: async ({ task }) => {
        await w.clock.sleep(200_000);
        return alarm(task.path);
      },
    });
    const w: World = world(defineScenario({ name: 'late', thesis: 'It holds', domains: [hung, next] }));
    const { brief, escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/next#said']);
    expect(w.eventsOf('child.late')).toMatchObject([{ child: 'hung', findings: [{ id: 'root/hung#said' }] }]);
    expect(brief.gaps).toContainEqual({ path: 'root/hung', kind: 'undone', why: expect.any(String) });
  });

  it('one that an attempt returns after it was given up counts', async () => {
    const w: World = running([1, 1], async ({ task, attempt, report }) => {
      if (attempt === 1) {
        report({} as never);
        return alarm(task.path);
      }
      await w.clock.sleep(100);
      return draft(task.path, { key: 'at last' });
    });
    const { escalations } = await w.run();
    expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
    expectVerbatim(w, escalations);
  });

  it('one from a leaf that was not needed any more is late as well', async () => {
    const scenario = tree([2], {
      scenario: { join: { quorum: 1 } },
      leaf: { run: sayOnAbort(({ task, report }) => report(alarm(task.path))) },
    });
    const w = world(scenario);
    const { brief } = await w.run();
    expect(w.eventsOf('child.late')).toMatchObject([{ child: 'l0', findings: [{ id: 'root/l0#said' }] }]);
    expect(brief.gaps).toContainEqual({ path: 'root/l0', kind: 'undone', why: expect.any(String) });
    expect(brief.status).toBe('partial');
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
