/** Whoever stands outside the tree, or in a node's place, cannot bend what the brief says. */
import { createActor } from 'xstate';
import { describe, expect, it, vi } from 'vitest';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import { orchestrator } from '../../src/runtime/in-process/embed.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { guestAt, guestFinding, guestReport, telling } from '../support/guests.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, tree, world } from '../support/world.ts';
import { fromPromise, type AnyActorLogic } from 'xstate';

const withGuest = (logic: AnyActorLogic) => world([3], {}, { guestFor: guestAt('root/l1', logic) });

describe('a guest', () => {
  it.each([
    ['a forged critical', { type: 'espalier.up', from: 'l0', findings: [guestFinding('root/l0', CRITICAL)] }],
    ['a message without findings', { type: 'espalier.up', from: 'l0' }],
    ['a cancel', { type: 'gather.cancel' }],
    ['a cut-off', { type: 'gather.cutoff' }],
    ['a stop', { type: 'xstate.stop' }],
  ])('cannot harm or speak for a sibling: %s', async (_, message) => {
    const w = withGuest(telling(message));
    const { brief } = await w.run();
    expect(brief.status).toBe('partial');
    expect(brief.children.map(({ status }) => status)).toEqual(['complete', 'timeout', 'complete']);
    expect(brief.escalations.filter(({ path }) => path !== 'root/l1')).toEqual([]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('may end with what a leaf would return', async () => {
    const said = [draft('root/l1', { ...CRITICAL, key: 'k' }), { gap: 'stale', why: 'old' }];
    const { brief } = await withGuest(fromPromise(async () => said)).run();
    expect(brief.status).toBe('complete');
    expect(brief.escalations.map(({ id }) => id)).toEqual(['root/l1#k']);
    expect(brief.gaps).toEqual([{ path: 'root/l1', kind: 'stale', why: 'old' }]);
  });

  it('is not believed about its depth, its run, its siblings or its weight', async () => {
    const lying = guestReport('root/l1', {
      runId: 'other',
      depth: 77,
      findings: [guestFinding('root/l1')],
      gaps: [{ path: 'root/l0', kind: 'token', why: 'slander' }],
    });
    const usage = { ...lying.usage.self, depth: 77, leaves: 99 };
    const w = withGuest(fromPromise(async () => ({ ...lying, usage: { self: usage, subtree: usage } })));
    const { brief } = await w.run();
    expect(brief.gaps).toEqual([]);
    expect(brief.run?.observedDepth).toBe(1);
    expect(brief.usage.subtree.leaves).toBe(3);
    expect(w.endOf('root/l1')).toMatchObject({ runId: 'run', depth: 1 });
  });

  it('cannot alter what it is shown', async () => {
    let fault: unknown;
    const altering = fromPromise(async ({ input }) => {
      const { task } = input as { task: { prior: { findings: unknown[] }[] } };
      try {
        task.prior.length = 0;
      } catch (error) {
        fault = error;
      }
      return draft('root/l1');
    });
    await withGuest(altering).run();
    expect(fault).toBeInstanceOf(TypeError);
  });
});

describe('a listener', () => {
  const rejecting = async (): Promise<never> => {
    throw new Error('of its own');
  };
  const watching: Telemetry = {
    onEvent: () => {},
    onEnd: () => {},
    traceparentOf: () => undefined,
    within: (_, work) => work(),
  };

  it('that rejects harms nobody, also beside telemetry and embedded', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      await world([2], {}, { onEvent: rejecting, telemetry: watching }).run();
      const clock = new VirtualClock();
      createActor(orchestrator(tree([2]), { clock, onEvent: rejecting }), { input: undefined }).start();
      await clock.advance(1_000);
      await new Promise((done) => setImmediate(done));
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    expect(unhandled).not.toHaveBeenCalled();
  });

  it.each(['onEvent', 'onEnd', 'traceparentOf', 'within'] as const)(
    'of telemetry whose %s throws changes nothing',
    async (name) => {
      const telemetry = {
        ...watching,
        [name]: () => {
          throw new Error('of its own');
        },
      };
      const heard: string[] = [];
      const { brief } = await world([2], {}, { telemetry, onEvent: ({ type }) => void heard.push(type) }).run();
      expect(brief.status).toBe('complete');
      expect(heard).toContain('run.completed');
    },
  );

  it('cannot alter a report', async () => {
    const w = world(
      [2],
      {},
      {
        onEvent: (event) => {
          if (event.type === 'node.reported') (event.report.findings as unknown[]).length = 0;
        },
      },
    );
    expect((await w.run()).brief.findings).toHaveLength(2);
  });
});

it('an embedder that sends the run nonsense does not break it', async () => {
  const clock = new VirtualClock();
  const actor = createActor(orchestrator(tree([2]), { clock }), { input: undefined }).start();
  const forged = ['espalier.up', 'xstate.done.actor.gather', 'xstate.error.actor.gather', 'gather.cancel'];
  for (const type of forged) actor.send({ type, output: { ended: [] } });
  await clock.advance(1_000);
  expect(actor.getSnapshot().output?.status).toBe('complete');
});

it('a finding without a key, said live and then returned in another order, stays one', async () => {
  const [a, b] = ['A', 'B'].map((statement) => ({ statement, stance: -1, ...CRITICAL }));
  const w = world(
    tree([1], {
      leaf: {
        run({ report }) {
          if (b) report(b);
          return [a, b].filter((one) => one !== undefined);
        },
      },
    }),
  );
  const { escalations } = await w.run();
  expect(escalations.map(({ statement }) => statement).sort()).toEqual(['A', 'B']);
  expect(w.eventsOf('finding.escalated')).toHaveLength(2);
});

describe('a quorum', () => {
  it('does not close over a child that a later stage needs', async () => {
    const w = world([3], {
      plan: async () => ({
        by: 'test',
        mode: 'divide',
        quorum: 1,
        stages: [
          [
            { name: 'l0', role: 'leaf' },
            { name: 'l1', role: 'leaf' },
          ],
          [{ name: 'l2', role: 'leaf', needs: ['l1'] }],
        ],
        skipped: [],
        estimates: { leaves: 3, criticalPathMs: 1 },
      }),
      attemptsOf: () => 1,
      estimateOf: () => 1,
      attempt: async ({ task }) => {
        if (task.path === 'root/l1') await w.clock.sleep(1_000);
        return draft(task.path, { statement: `${task.path} after ${task.prior.length}` });
      },
    });
    const { brief } = await w.run();
    expect(brief.findings.map(({ statement }) => statement)).toContain('root/l2 after 1');
  });

  it('is not reached by what children end with when they are cancelled', async () => {
    const scenario = tree([3, 2], {
      scenario: { join: { quorum: 1 } },
      leaf: { run: ({ task }) => (task.path.endsWith('l0') ? draft(task.path) : never()) },
    });
    const w = world(scenario);
    const handle = w.start();
    await w.clock.advance(10);
    handle.cancel();
    const { brief } = await w.clock.run(handle.result);
    expect(brief.findings).toHaveLength(3);
    expect(brief.gaps.map(({ kind }) => kind)).toEqual(['token', 'token', 'token']);
  });
});

describe('what a token says of its attempts', () => {
  it('counts those that began', async () => {
    const w = world(tree([3], { leaf: { run: never } }), {}, { concurrency: 1 });
    await w.run();
    const started = w.eventsOf('attempt.started').length;
    const counted = ['l0', 'l1', 'l2']
      .map((name) => w.endOf(`root/${name}`))
      .map((end) => ('attempts' in end ? end.attempts : 0));
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe(started);
  });
});

it('a lease lasts at least twice the estimate', async () => {
  const scenario = tree([2], {
    leaf: { estimate: '3m', run: async ({ task }) => (await w.clock.sleep(170_000), draft(task.path)) },
  });
  const w: ReturnType<typeof world> = world(scenario, {}, { concurrency: 1 });
  expect((await w.run()).brief.status).toBe('complete');
});
