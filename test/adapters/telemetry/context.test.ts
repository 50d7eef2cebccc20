/** What is active around a run and within its nodes, with the context manager that programs use. */
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opentelemetry } from '../../../src/adapters/telemetry/opentelemetry.ts';
import type { Task } from '../../../src/protocol/task.ts';
import { draft, tree, world } from '../../support/world.ts';
import { idOf, pathOf, recorder, traceOf, type Recorder } from './recorder.ts';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

/** A tree whose every step makes a span of its own: at once, and after others have had their turn. */
function instrumented({ tracerProvider }: Recorder) {
  const tracer = tracerProvider.getTracer('of the user');
  const mark = (name: string): void => tracer.startSpan(name).end();
  const clockOf = () => run.clock;
  const scenario = tree([3, 3], {
    leaf: {
      run: async ({ task }) => {
        mark(`at once in ${task.path}`);
        await new Promise<void>((done) => void clockOf().setTimeout(done, 10));
        mark(`later in ${task.path}`);
        return draft(task.path);
      },
      verify: async (_, { task }) => {
        await Promise.resolve();
        mark(`verify in ${task.path}`);
        return { ok: true };
      },
    },
  });
  const run = world(scenario);
  return run;
}

describe('the context of a run', () => {
  it("makes the user's own spans children of the leaf's, however leaves interleave", async () => {
    const record = recorder();
    const run = instrumented(record);
    await run.run({ telemetry: record.telemetry });
    const own = record.spans().filter(({ instrumentationScope }) => instrumentationScope.name === 'of the user');
    expect(own).toHaveLength(27);
    for (const span of own) {
      const [, path = ''] = span.name.split(' in ');
      const leaf = record.span(path);
      expect({ span: span.name, parent: span.parentSpanContext?.spanId }).toEqual({
        span: span.name,
        parent: idOf(leaf),
      });
    }
  });

  it('is that of the caller: its span is the parent, its baggage travels', async () => {
    const { telemetry, tracerProvider, span, spans } = recorder();
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
    const seen: (string | undefined)[] = [];
    const scenario = tree([1, 1], {
      leaf: {
        run({ task }) {
          seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
          trace.getActiveSpan()?.setAttribute('of the user', true);
          return draft(task.path);
        },
      },
    });
    const run = world(scenario, {}, { telemetry });
    const request = tracerProvider.getTracer('of the user').startSpan('request');
    const caller = propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, request), baggage);
    const handle = context.with(caller, () => run.start());
    await run.clock.run(handle.result);
    request.end();

    const workflow = span('invoke_workflow tree');
    expect(workflow.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(new Set(spans().map(traceOf))).toEqual(new Set([request.spanContext().traceId]));
    expect(seen).toEqual(['acme']);
    expect(span('root/d0/l0').attributes['of the user']).toBe(true);
  });

  it('can be given, for callers whose own has no meaning', async () => {
    const request = recorder().tracerProvider.getTracer('of the user').startSpan('request');
    const record = recorder({ parent: trace.setSpan(ROOT_CONTEXT, request) });
    await world([1], {}, { telemetry: record.telemetry }).run();
    expect(record.span('invoke_workflow tree').parentSpanContext?.spanId).toBe(request.spanContext().spanId);
  });

  it("travels in the task: each node's is its own span's, at every tier", async () => {
    const { telemetry, spans } = recorder();
    const tasks: Task[] = [];
    const note = (input: { task: Task }): void => void tasks.push(input.task);
    const run = world(
      [2, 2],
      (own) => ({
        plan: (input, io) => (note(input), own.plan(input, io)),
        attempt: (input, io) => (note(input), own.attempt(input, io)),
      }),
      { telemetry },
    );
    await run.run();
    const nodes = spans().filter((span) => pathOf(span) !== '');
    const expected = nodes.map((span) => `${pathOf(span)} 00-${traceOf(span)}-${idOf(span)}-01`);
    expect(tasks.map(({ path, traceparent }) => `${path} ${traceparent}`).sort()).toEqual(expected.sort());
  });

  it("is the task's where another process, or nobody any more, holds the span", async () => {
    const record = recorder();
    const seen: Task[] = [];
    const run = world([1], (own) => ({ attempt: (input, io) => (seen.push(input.task), own.attempt(input, io)) }), {
      telemetry: record.telemetry,
    });
    await run.run();
    const [task] = seen;
    if (!task) throw new Error('no attempt');
    const elsewhere = opentelemetry();
    const active = () => trace.getActiveSpan()?.spanContext();
    expect(elsewhere.within(task, active)).toMatchObject({ spanId: idOf(record.span('root/l0')), isRemote: true });
    expect(elsewhere.within({ ...task, traceparent: 'no such thing' }, active)).toBeUndefined();
    expect(
      elsewhere.within({ ...task, traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }, active),
    ).toBeUndefined();
  });

  it('keeps what is not sampled out of the trace, user spans included', async () => {
    const record = recorder({}, new AlwaysOffSampler());
    const seen: unknown[] = [];
    const scenario = tree([1], {
      leaf: { run: ({ task }) => (seen.push(trace.getActiveSpan()?.spanContext()), draft(task.path)) },
    });
    await world(scenario, {}, { telemetry: record.telemetry }).run();
    expect(record.spans()).toEqual([]);
    expect(seen).toMatchObject([{ traceFlags: 0 }]);
    expect(await record.values('espalier.node.duration', 'espalier.tier')).toEqual({ root: 1, leaf: 1 });
  });
});
