import { createActor, setup, waitFor, type AnyActorRef, type InspectionEvent, type Observer } from 'xstate';
import { createInspector } from '@statelyai/inspect';
import { describe, expect, test } from 'vitest';
import type { Report, RunEvent, Scenario } from 'espalier';
import { EspalierError } from 'espalier';
import { VirtualClock } from 'espalier/testing';
import { orchestrator, type OrchestratorOptions } from 'espalier/xstate';
import { CRITICAL, draft, never, NOTHING_LEFT, tree } from '../support/world.ts';

/** A caller's machine that researches in one of its states. */
function caller(scenario: Scenario, options: OrchestratorOptions) {
  return setup({
    types: {} as {
      context: { heard: RunEvent[]; report: Report | undefined; error: unknown };
      events: { type: 'GO' } | { type: 'LEAVE' } | { type: 'CANCEL' } | RunEvent;
    },
    actors: { research: orchestrator(scenario, options) },
    actions: {
      hear: ({ context, event }) => void context.heard.push(event as RunEvent),
      cancel: ({ self }) => self.getSnapshot().children['research']?.send({ type: 'cancel' }),
    },
  }).createMachine({
    context: { heard: [], report: undefined, error: undefined },
    initial: 'idle',
    states: {
      idle: { on: { GO: 'researching' } },
      researching: {
        invoke: {
          src: 'research',
          id: 'research',
          input: { runId: 'embedded' },
          onDone: { target: 'done', actions: ({ context, event }) => void (context.report = event.output) },
          onError: { target: 'idle', actions: ({ context, event }) => void (context.error = event.error) },
        },
        on: {
          LEAVE: 'idle',
          CANCEL: { actions: 'cancel' },
          'finding.escalated': { actions: 'hear' },
          'node.reported': { actions: 'hear' },
          'synthesis.interim': { actions: 'hear' },
          'run.completed': { actions: 'hear' },
        },
      },
      done: {},
    },
  });
}

/** A caller's machine on virtual time, and what of the tree is still alive. */
function inCallersSystem(scenario: Scenario, options: OrchestratorOptions = {}) {
  const clock = new VirtualClock();
  const seen = new Set<AnyActorRef>();
  const signals: AbortSignal[] = [];
  const machine = caller(scenario, {
    ...options,
    clock,
    activities: (own) => ({
      ...own,
      attempt(input, io) {
        signals.push(io.abortSignal);
        return own.attempt(input, io);
      },
    }),
  });
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.actor') seen.add(event.actorRef as AnyActorRef);
  };
  const actor = createActor(machine, { clock, inspect });
  actor.start();
  const isRunning = (one: AnyActorRef): boolean =>
    (one as unknown as { _processingStatus: number })._processingStatus === 1;
  return {
    actor,
    clock,
    seen,
    leftovers: () => ({
      ...NOTHING_LEFT,
      actors: [...seen].filter((one) => one !== actor && isRunning(one)).map(({ id }) => id),
      timers: clock.pending,
      signals: signals.filter((signal) => !signal.aborted).map(() => 'attempt'),
    }),
  };
}

const alarming = tree([2, 2], { leaf: { run: ({ task }) => draft(task.path, CRITICAL) } });
const hanging = tree([2, 2], { leaf: { run: never } });

describe("in a caller's machine", () => {
  test('escalations and the ends of orchestrators arrive as its events while it runs, the report as the output', async () => {
    const { actor, clock } = inCallersSystem(alarming);
    actor.send({ type: 'GO' });
    await clock.advance(1_000);
    const { value, context } = actor.getSnapshot();
    expect(value).toBe('done');
    expect(context.report).toMatchObject({ runId: 'embedded', status: 'complete' });
    const escalated = context.heard.filter((event) => event.type === 'finding.escalated');
    expect(escalated.map(({ finding }) => finding)).toEqual(context.report?.escalations);
    const reported = context.heard.filter((event) => event.type === 'node.reported');
    expect(reported.map(({ path }) => path)).toEqual(['root/d0', 'root/d1', 'root']);
  });

  test('interims arrive as its events, the whole report with those of the root', async () => {
    const { actor, clock, leftovers } = inCallersSystem(alarming, { synthesis: 'incremental' });
    actor.send({ type: 'GO' });
    await clock.advance(1_000);
    const interims = actor.getSnapshot().context.heard.filter((event) => event.type === 'synthesis.interim');
    expect(new Set(interims.map(({ path }) => path))).toEqual(new Set(['root', 'root/d0', 'root/d1']));
    for (const { path, report } of interims) expect(report !== undefined).toBe(path === 'root');
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  test('leaving the state midway stops the whole tree at once; entering it again starts a fresh one', async () => {
    const { actor, clock, leftovers } = inCallersSystem(hanging);
    actor.send({ type: 'GO' });
    await clock.advance(5);
    expect(leftovers().signals).toHaveLength(4);
    actor.send({ type: 'LEAVE' });
    expect(leftovers()).toEqual(NOTHING_LEFT);
    actor.send({ type: 'GO' });
    await clock.advance(5);
    expect(leftovers().signals).toHaveLength(4);
    actor.send({ type: 'CANCEL' });
    await clock.advance(200);
    expect(actor.getSnapshot().value).toBe('done');
    expect(actor.getSnapshot().context.report?.status).toBe('failed');
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  test('20 rapid entries and exits leave nothing', async () => {
    const { actor, clock, leftovers } = inCallersSystem(hanging);
    for (let i = 0; i < 20; i++) {
      actor.send({ type: 'GO' });
      if (i % 3 > 0) await clock.advance(i % 2);
      actor.send({ type: 'LEAVE' });
    }
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  test('an input that cannot be read is its error, with what to do', () => {
    const logic = orchestrator(alarming);
    const actor = createActor(logic, { input: { asOf: 'yesterday' } });
    let error: unknown;
    actor.subscribe({ error: (cause) => void (error = cause) });
    actor.start();
    expect(EspalierError.isInstance(error)).toBe(true);
    expect(String(error)).toContain('Write it as YYYY-MM-DD');
  });

  test("its own action's fault gives the tree no stop, but the deadline ends it", async () => {
    const clock = new VirtualClock();
    const machine = setup({ actors: { research: orchestrator(hanging, { clock }) } }).createMachine({
      invoke: { src: 'research', input: undefined },
      on: {
        BOOM: {
          actions: () => {
            throw new Error('the caller died');
          },
        },
      },
    });
    const actor = createActor(machine, { clock });
    actor.subscribe({ error: () => {} });
    actor.start();
    await clock.advance(5);
    actor.send({ type: 'BOOM' });
    expect(actor.getSnapshot().status).toBe('error');
    expect(clock.pending).toBeGreaterThan(0);
    await clock.advance(480_000);
    expect(clock.pending).toBe(0);
  });
});

describe('by itself', () => {
  test('createActor: emits every event, and its output is the report', async () => {
    const clock = new VirtualClock();
    const actor = createActor(orchestrator(alarming, { clock }), { input: { thesis: 'It is alarming' } });
    const types: string[] = [];
    const criticals: string[] = [];
    actor.on('*', (event) => void types.push(event.type));
    actor.on('finding.escalated', (event) => void criticals.push(event.finding.id));
    actor.start();
    await clock.run(waitFor(actor, ({ status }) => status !== 'active'));
    const report = actor.getSnapshot().output;
    expect(report?.question).toBe('It is alarming');
    expect(types.at(0)).toBe('run.started');
    expect(types.at(-1)).toBe('run.completed');
    expect(criticals).toEqual(report?.escalations.map(({ id }) => id));
  });

  test('two runs of one logic do not mix', async () => {
    const clock = new VirtualClock();
    const logic = orchestrator(alarming, { clock });
    const actors = ['a', 'b'].map((runId) => createActor(logic, { input: { runId } }).start());
    await clock.advance(1_000);
    expect(actors.map((actor) => actor.getSnapshot().output?.runId)).toEqual(['a', 'b']);
  });
});

test('inspect, and the Stately inspector, see every actor of the tree', async () => {
  const sent: { type: string; sessionId?: string }[] = [];
  const adapter = { start() {}, stop() {}, send: (event: { type: string }) => void sent.push(event) };
  const { inspect } = createInspector(adapter as never);
  const clock = new VirtualClock();
  const seen = new Set<string>();
  const actor = createActor(orchestrator(alarming, { clock }), {
    input: undefined,
    inspect(event) {
      if (event.type === '@xstate.actor') seen.add((event.actorRef as AnyActorRef).sessionId);
      (inspect as Observer<InspectionEvent>).next?.(event);
    },
  });
  actor.start();
  await clock.advance(1_000);
  // the run and its gather; the root and two domains with plan, gather and synthesize each; four leaves
  expect(seen.size).toBe(2 + 3 * 4 + 4);
  await expect.poll(() => sent.filter(({ type }) => type === '@xstate.actor').length).toBe(seen.size);
});
