/** A critical finding that comes after its node had ended is not lost silently: it is told, and a gap names it. */
import { expect, it } from 'vitest';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafContext, LeafRun } from '../../src/define/spec.ts';
import type { Finding, FindingDraft } from '../../src/protocol/finding.ts';
import { CRITICAL, draft, never, tree, world, type World } from '../support/world.ts';

const alarm = (path: string, over: Partial<FindingDraft> = {}): FindingDraft => draft(path, { ...CRITICAL, ...over });
const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id);
const running = (widths: readonly number[], run: LeafRun): World => world(tree(widths, { leaf: { run } }));

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
  expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
});

it('one from a leaf that had reported is late as well', async () => {
  const w: World = running([1, 2], async ({ task, report }) => {
    if (task.path.endsWith('l0')) void w.clock.sleep(50).then(() => report(alarm(task.path, { key: 'afterthought' })));
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
  expect(idsOf(escalations)).toEqual(['root/d0/l0#said']);
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
