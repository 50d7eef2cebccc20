/** The depth limit is enforced in one place, and what it costs is said. */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { renderBrief } from '../../src/render/brief.ts';
import { gatherActor } from '../../src/runtime/in-process/gather-actor.ts';
import type { GatherInput } from '../../src/tier/orchestrator-machine.ts';
import { bareHost, rootTask } from '../support/bare-host.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, reportOf, tree, world } from '../support/world.ts';

const executing = tree([2, 2], { domain: { execute: ({ task }) => draft(task.path, CRITICAL) } });

describe('with depth for the domains alone', () => {
  it('they execute as leaves, and everybody can see it', async () => {
    const w = world(executing);
    const { brief, status, escalations } = await w.run({ maxDepth: 1 });
    expect(status).toBe('complete');
    expect(brief.run).toMatchObject({ maxDepth: 1, observedDepth: 1, demotions: ['root/d0', 'root/d1'] });
    expect(brief.gaps).toMatchObject([
      { path: 'root/d0', kind: 'demoted' },
      { path: 'root/d1', kind: 'demoted' },
    ]);
    expect(w.eventsOf('depth.refused')).toMatchObject([
      { path: 'root/d0', maxDepth: 1, children: ['l0', 'l1'] },
      { path: 'root/d1', maxDepth: 1, children: ['l0', 'l1'] },
    ]);
    expect(reportOf(w.endOf('root/d0'))).toMatchObject({
      tier: 'domain',
      madeBy: 'leaf',
      decision: { mode: 'execute', stages: [], demoted: ['l0', 'l1'] },
    });
    expect(escalations.map(({ id }) => id)).toEqual(['root/d0#said', 'root/d1#said']);
    expect(w.eventsOf('node.started').map(({ path }) => path)).toEqual(['root', 'root/d0', 'root/d1']);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a domain without an execute of its own leaves a gap per child, and none besides', async () => {
    const w = world([2, 2]);
    const { brief } = await w.run({ maxDepth: 1 });
    expect(brief.status).toBe('failed');
    expect(brief.gaps.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'undone root/d0/l0',
      'undone root/d0/l1',
      'undone root/d1/l0',
      'undone root/d1/l1',
    ]);
    expect(brief.run?.demotions).toEqual([]); // it did not execute either
    expect(renderBrief(brief)).toContain(
      '- **undone** `root/d0: l0 and l1`: depth is spent, and d0 cannot execute: it has no execute of its own\n',
    );
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('one of them may fail in place of its children, and is retried like a leaf', async () => {
    let tries = 0;
    const scenario = tree([2, 2], {
      domain: {
        execute: ({ task }) => {
          if (task.path === 'root/d0' && ++tries > 0) throw new Error('no');
          return draft(task.path);
        },
      },
    });
    const w = world(scenario);
    const { brief } = await w.run({ maxDepth: 1 });
    expect(tries).toBe(3);
    expect(w.endOf('root/d0')).toMatchObject({ kind: 'failure', tier: 'domain', status: 'error', attempts: 3 });
    expect(brief.status).toBe('partial');
    expect(brief.run?.demotions).toEqual(['root/d0', 'root/d1']);
  });

  it('one of them may hang: it closes itself, because nobody above tells an orchestrator', async () => {
    const w = world(executing, (own) => ({
      attempt: (input, io) => (input.task.path === 'root/d0' ? never() : own.attempt(input, io)),
    }));
    const { brief } = await w.run({ maxDepth: 1 });
    const token = w.endOf('root/d0');
    expect(token).toMatchObject({ status: 'timeout', message: 'closed itself at its deadline' });
    expect(brief.children.map(({ status }) => status)).toEqual(['timeout', 'complete']);
    expect(w.clock.now()).toBeLessThan(480_000);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a plan that will not hear of it is made to execute', async () => {
    const w = world(executing, (own) => ({ plan: async (input, io) => own.plan(input, io) }));
    await w.run({ maxDepth: 1 });
    expect(w.calls.filter((call) => call.startsWith('plan')).sort()).toEqual([
      'plan root',
      'plan root/d0',
      'plan root/d1',
    ]);
    expect(w.calls.filter((call) => call.startsWith('attempt')).sort()).toEqual(['attempt root/d0', 'attempt root/d1']);
  });
});

describe('with no depth at all', () => {
  it('the root executes', async () => {
    const w = world(tree([2, 2], { scenario: { execute: ({ task }) => draft(task.path) } }));
    const { brief, status } = await w.run({ maxDepth: 0 });
    expect(status).toBe('complete');
    expect(brief).toMatchObject({ madeBy: 'leaf', run: { maxDepth: 0, observedDepth: 0, demotions: ['root'] } });
    expect(brief.findings).toMatchObject([{ id: 'root#said' }]);
    expect(w.eventsOf('depth.refused')).toMatchObject([{ path: 'root', maxDepth: 0, children: ['d0', 'd1'] }]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a root that cannot execute says what is undone', async () => {
    const { brief } = await world([2, 2]).run({ maxDepth: 0 });
    expect(brief.status).toBe('failed');
    expect(brief.gaps.map(({ path, kind }) => [path, kind])).toEqual([
      ['root/d0', 'undone'],
      ['root/d1', 'undone'],
    ]);
    expect(renderBrief(brief)).toContain(
      'Decided by scenario: could neither divide the task, since depth was spent, nor execute it, so its children are gaps.',
    );
  });

  it('a root that hangs while it executes still reports', async () => {
    const w = world([2, 2], { attempt: never });
    const { brief } = await w.run({ maxDepth: 0 });
    expect(brief.status).toBe('failed');
    expect(brief.gaps).toContainEqual(expect.objectContaining({ path: 'root', kind: 'token', status: 'timeout' }));
    expect(w.clock.now()).toBeLessThanOrEqual(480_000);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a fourth tier', () => {
  const nested = defineScenario({
    name: 'nested',
    thesis: 'It holds',
    domains: [
      defineDomain({
        name: 'macro',
        charter: 'the economy',
        children: [
          defineDomain({
            name: 'labour',
            charter: 'jobs',
            children: [defineLeaf({ name: 'claims', run: ({ task }) => draft(task.path, CRITICAL) })],
            execute: ({ task }) => draft(task.path, CRITICAL),
          }),
          defineLeaf({ name: 'growth', run: ({ task }) => draft(task.path) }),
        ],
      }),
    ],
  });

  it('runs when maxDepth allows it', async () => {
    const w = world(nested);
    const { brief, escalations } = await w.run({ maxDepth: 3 });
    expect(brief).toMatchObject({ status: 'complete', run: { maxDepth: 3, observedDepth: 3, demotions: [] } });
    expect(escalations.map(({ id }) => id)).toEqual(['root/macro/labour/claims#said']);
    const depths = w.eventsOf('node.started').map(({ path, depth, grant }) => [path, depth, grant.depthLeft]);
    expect(depths).toEqual([
      ['root', 0, 3],
      ['root/macro', 1, 2],
      ['root/macro/labour', 2, 1],
      ['root/macro/growth', 2, 1],
      ['root/macro/labour/claims', 3, 0],
    ]);
  });

  it('is executed by its parent where it does not', async () => {
    const { brief, escalations } = await world(nested).run({ maxDepth: 2 });
    expect(brief).toMatchObject({ status: 'complete', run: { observedDepth: 2, demotions: ['root/macro/labour'] } });
    expect(escalations.map(({ id }) => id)).toEqual(['root/macro/labour#said']);
  });
});

it('a gather that is asked to spawn without depth refuses, whoever asks', async () => {
  const host = bareHost(tree([2]), async () => {});
  const gather = gatherActor(host, { logicFor: () => fromPromise(never) });
  const input = { task: rootTask(0), stage: 0, children: [{ name: 'l0', role: 'leaf' }], deadline: 1_000, before: [] };
  const actor = createActor(gather, { input: input as GatherInput, clock: host.clock }).start();
  expect(actor.getSnapshot()).toMatchObject({ status: 'done', output: { closedBy: 'all', ended: [] } });
  expect(host.events).toMatchObject([{ type: 'integrity.alert', kind: 'depth', path: 'root' }]);
});

describe('a leaf that tries to spawn', () => {
  it('is refused, with an alert and a token', async () => {
    const scenario = tree([1, 2], {
      leaf: {
        attempts: 1,
        run: ({ task, spawn }) => (task.path.endsWith('l0') ? spawn('helper') : draft(task.path)),
      },
    });
    const w = world(scenario);
    const { brief } = await w.run();
    expect(w.eventsOf('integrity.alert')).toMatchObject([
      { path: 'root/d0/l0', kind: 'spawn', message: expect.stringContaining('"helper"') },
    ]);
    const token = w.endOf('root/d0/l0');
    expect(token).toMatchObject({
      kind: 'failure',
      status: 'error',
      message: expect.stringContaining('Make it a domain'),
    });
    expect(w.eventsOf('node.started')).toHaveLength(4);
    expect(brief.children).toMatchObject([{ path: 'root/d0', status: 'partial' }]);
  });
});
