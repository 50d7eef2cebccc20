/** A program's own say: before a node works, when it says it is done, when it is silent, and when something is critical. */
import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafRun, LeafSpec } from '../../src/define/spec.ts';
import type { Hooks } from '../../src/ports/hooks.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, NOTHING_LEFT, tree, world } from '../support/world.ts';

const says: LeafRun = ({ task }) => draft(task.path);
const withHooks = (hooks: Hooks, over: Partial<LeafSpec> = {}) =>
  defineScenario({
    name: 'hooked',
    thesis: 'It holds',
    domains: [
      defineDomain({
        name: 'x',
        charter: 'x',
        children: [defineLeaf({ name: 'a', run: says, ...over }), defineLeaf({ name: 'b', run: says })],
      }),
    ],
    hooks,
  });

describe('beforeSpawn', () => {
  it('is asked of every node before it works, and of a leaf before each attempt', async () => {
    const asked: string[] = [];
    const failing: LeafRun = ({ task, attempt }) => {
      if (attempt === 1) throw new Error('not yet');
      return draft(task.path);
    };
    await world(
      withHooks(
        { beforeSpawn: ({ path, enrichments }) => void asked.push(`${path} ${enrichments.length}`) },
        { run: failing },
      ),
    ).run();
    expect(asked.sort()).toEqual(['root 0', 'root/x 0', 'root/x/a 0', 'root/x/a 1', 'root/x/b 0']);
  });

  it('refusing a leaf sends it into recovery, with the reason', async () => {
    const seen: string[][] = [];
    const hooks: Hooks = {
      beforeSpawn: ({ path, enrichments }) =>
        path.endsWith('a') && enrichments.length === 0 ? { refuse: 'say why first' } : undefined,
    };
    const w = world(withHooks(hooks, { run: ({ task }) => (seen.push([...task.enrichments]), draft(task.path)) }));
    const { status } = await w.run();
    expect(status).toBe('complete');
    expect(seen).toEqual([['The last attempt failed (refused): beforeSpawn refused: say why first']]);
    expect(w.eventsOf('attempt.failed')).toMatchObject([{ fault: { status: 'refused' } }]);
  });

  it('refusing a domain leaves a token, and its parent a gap', async () => {
    const hooks: Hooks = { beforeSpawn: ({ path }) => (path === 'root/x' ? { refuse: 'not today' } : undefined) };
    const { gaps } = await world(withHooks(hooks)).run();
    expect(gaps).toMatchObject([{ path: 'root/x', status: 'refused', why: expect.stringContaining('not today') }]);
  });
});

describe('taskCompleted', () => {
  it('sends a leaf back with the reason until it is content', async () => {
    const hooks: Hooks = {
      taskCompleted: ({ tier }, findings) =>
        tier === 'leaf' && findings.some(({ value }) => value === undefined) ? { refuse: 'give a number' } : undefined,
    };
    const run: LeafRun = ({ task, attempt }) => draft(task.path, attempt < 2 ? {} : { value: attempt });
    const w = world(withHooks(hooks, { run }));
    const { brief } = await w.run();
    expect(brief.findings.find(({ path }) => path === 'root/x/a')).toMatchObject({ value: 2 });
    // b never gives one, and what it said in vain does not stand
    expect(brief.gaps).toMatchObject([{ path: 'root/x/b', status: 'refused' }]);
  });

  it('has its say after the own check of a leaf', async () => {
    const order: string[] = [];
    const hooks: Hooks = { taskCompleted: ({ path }) => void (path.endsWith('a') && order.push('hook')) };
    await world(withHooks(hooks, { verify: () => (order.push('verify'), { ok: true }) })).run();
    expect(order).toEqual(['verify', 'hook']);
  });

  it('refusing a synthesis has it asked again, then replaced, flagged', async () => {
    const hooks: Hooks = { taskCompleted: ({ path }) => (path === 'root/x' ? { refuse: 'too bold' } : undefined) };
    const w = world(withHooks(hooks));
    const { brief } = await w.run();
    expect(w.eventsOf('synthesis.rejected').map(({ willRetry }) => willRetry)).toEqual([true, false]);
    expect(brief.gaps).toMatchObject([{ path: 'root/x', kind: 'synthesis', why: expect.stringContaining('too bold') }]);
    expect(brief.findings).toHaveLength(2);
  });
});

describe('nodeIdle', () => {
  const idle = (path: string, ms: number): string => `${path} ${ms}`;
  it('is asked of a leaf that says nothing, each time it is idle that long', async () => {
    const asked: string[] = [];
    const hooks: Hooks = { idleAfter: '10s', nodeIdle: ({ path }, ms) => void asked.push(idle(path, ms)) };
    const clock = new VirtualClock();
    const slow = withHooks(hooks, {
      run: async ({ task, report, abortSignal }) => {
        await clock.sleep(12_000, abortSignal);
        report(draft(task.path, { key: 'half' }));
        await clock.sleep(19_000, abortSignal);
        return draft(task.path);
      },
    });
    const { status } = await world(slow, {}, { clock }).run();
    expect(status).toBe('complete');
    expect(asked).toEqual([idle('root/x/a', 10_000), idle('root/x/a', 10_000)]);
  });

  it('refusing ends the attempt and aborts its signal', async () => {
    let aborted = 0;
    const hooks: Hooks = { idleAfter: '10s', nodeIdle: () => ({ refuse: 'it hangs' }) };
    const run: LeafRun = ({ abortSignal }) => {
      abortSignal.addEventListener('abort', () => aborted++);
      return new Promise(() => {});
    };
    const w = world(withHooks(hooks, { run, attempts: 2 }));
    const { gaps } = await w.run();
    expect(gaps).toMatchObject([{ path: 'root/x/a', status: 'refused' }]);
    expect(w.clock.now()).toBe(20_000);
    expect(aborted).toBe(2);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

it('onEscalation hears of each critical finding once, and what it throws is its own', async () => {
  const heard: string[] = [];
  const hooks: Hooks = {
    onEscalation({ id }) {
      heard.push(id);
      throw new Error('deaf');
    },
  };
  const w = world(withHooks(hooks, { run: ({ task }) => draft(task.path, CRITICAL) }));
  const { status } = await w.run();
  expect({ status, heard }).toEqual({ status: 'complete', heard: ['root/x/a#said'] });
  expect(w.eventsOf('run.completed')).toHaveLength(1);
});

it.each<[string, Hooks]>([
  [
    'throws',
    {
      beforeSpawn: () => {
        throw new Error('boom');
      },
    },
  ],
  ['rejects', { beforeSpawn: () => Promise.reject(new Error('boom')) }],
  ['answers nonsense', { beforeSpawn: () => 'no' as never }],
  ['hangs', { beforeSpawn: () => new Promise(() => {}) }],
])('a hook that %s harms nothing but the node it was asked of, and the root is on time', async (_, hooks) => {
  const only: Hooks = { beforeSpawn: (task) => (task.path === 'root/d0/l0' ? hooks.beforeSpawn?.(task) : undefined) };
  const w = world(tree([2, 2], { scenario: { hooks: only } }));
  const { brief } = await w.run();
  expect(brief.gaps).toHaveLength(1);
  expect(brief.findings).toHaveLength(3);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
});

it.each([
  [{ beforeSpawn: 'yes' }, 'Scenario "hooked" with its hooks has beforeSpawn'],
  [{ idleAfter: 'soon' }, 'The idleAfter of the hooks "soon"'],
])('%j is said where it is written', (hooks, message) => {
  expect(() => withHooks(hooks as never)).toThrow(message);
});
