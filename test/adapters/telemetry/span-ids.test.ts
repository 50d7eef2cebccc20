/** Invariants of span-ids.ts: an id follows from the run and the path, wherever it is asked for. */
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AlwaysOnSampler, InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { derivedSpanIds, opentelemetry, traceparentFor } from '../../../src/adapters/telemetry/opentelemetry.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import type { Task } from '../../../src/protocol/task.ts';
import { CRITICAL, draft, tree, world } from '../../support/world.ts';
import { idOf, parentIdOf, pathOf, traceOf } from './recorder.ts';

function derived(parent = ROOT_CONTEXT) {
  const ids = derivedSpanIds();
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    idGenerator: ids,
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  return {
    telemetry: opentelemetry({ tracerProvider, ids, parent }),
    tracerProvider,
    spans: () => exporter.getFinishedSpans(),
  };
}
const loud = tree([2, 2], { leaf: { run: ({ task }) => draft(task.path, CRITICAL) } });
const sense = ({ spans }: ReturnType<typeof derived>) =>
  spans().map((span) => `${span.name} ${pathOf(span)} ${traceOf(span)} ${idOf(span)} under ${parentIdOf(span)}`);

describe('derived ids', () => {
  it('are those that a process can compute which knows the run alone', async () => {
    const made = derived();
    const tasks: Task[] = [];
    let ofRun: string | undefined;
    const run = world(loud, (own) => ({ attempt: (input, io) => (tasks.push(input.task), own.attempt(input, io)) }), {
      telemetry: made.telemetry,
      runId: 'mine',
      onEvent: ({ type }: RunEvent) => {
        if (type === 'node.started') ofRun ??= made.telemetry.traceparentOf('mine', '');
      },
    });
    await run.run();
    expect(ofRun).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    const nodes = made.spans().filter((span) => pathOf(span) !== '');
    expect(nodes).toHaveLength(7);
    for (const node of nodes) {
      const expected = `00-${traceOf(node)}-${idOf(node)}-01`;
      expect(traceparentFor(ofRun ?? '', 'mine', pathOf(node))).toBe(expected);
    }
    for (const task of tasks) expect(task.traceparent).toBe(traceparentFor(ofRun ?? '', 'mine', task.path));
    const elsewhere = opentelemetry(); // which need not make any itself
    expect(elsewhere.traceparentFor?.(ofRun ?? '', 'mine', 'root')).toBe(traceparentFor(ofRun ?? '', 'mine', 'root'));
    expect(elsewhere.traceparentFor?.(`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, 'mine', 'root')).toBeUndefined();
    expect(new Set(made.spans().map(idOf)).size).toBe(made.spans().length);
  });

  it('are the same when a run is replayed from its events, and others in another run', async () => {
    const [live, replayed, other] = [derived(), derived(), derived()];
    const run = world(loud, {}, { telemetry: live.telemetry });
    await run.run();
    for (const event of run.events) replayed.telemetry.onEvent(event);
    expect(sense(replayed)).toEqual(sense(live));
    await world(loud, {}, { telemetry: other.telemetry, runId: 'another' }).run();
    const theirs = new Set(other.spans().flatMap((span) => [idOf(span), traceOf(span)]));
    for (const span of live.spans())
      expect([theirs.has(idOf(span)), theirs.has(traceOf(span))]).toEqual([false, false]);
  });

  it("join the caller's trace, and leave spans of its own alone", async () => {
    const outer = derived();
    const tracer = outer.tracerProvider.getTracer('of the user');
    const request = tracer.startSpan('request');
    const inner = derived(trace.setSpan(ROOT_CONTEXT, request));
    await world(loud, {}, { telemetry: inner.telemetry }).run();
    expect(new Set(inner.spans().map(traceOf))).toEqual(new Set([traceOf(request as never)]));
    const own = [tracer.startSpan('a'), tracer.startSpan('b')].map((span) => span.spanContext());
    expect(new Set(own.map(({ spanId }) => spanId)).size).toBe(2);
    expect(new Set(own.map(({ traceId }) => traceId)).size).toBe(2);
  });

  it("are not given to what an SDK's own parts start while it starts ours", () => {
    const ids = derivedSpanIds();
    const given = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
    const ours = ids.giving(given, () => {
      const own = { spanId: ids.generateSpanId(), traceId: ids.generateTraceId() };
      expect([ids.generateSpanId(), ids.generateTraceId()]).not.toEqual([given.spanId, given.traceId]);
      return own;
    });
    expect(ours).toEqual(given);
    expect(ids.generateSpanId()).toMatch(/^(?!2{16})[\da-f]{16}$/);
  });

  it('of a run that is taken up again are new ones in the same trace', () => {
    const made = derived();
    const begin = (events?: number): void =>
      made.telemetry.onEvent({
        v: 1,
        runId: 'mine',
        seq: events ?? 0,
        at: 1,
        type: 'run.started',
        path: 'root',
        scenario: 'slow',
        thesis: '',
        maxDepth: 1,
        deadline: 1000,
        concurrency: 1,
        hostVersion: '0',
        ...(events !== undefined && { resumed: { events } }),
      });
    begin();
    begin(5);
    made.telemetry.onEnd('mine');
    const [first, second] = made.spans();
    expect([first, second].map((span) => span && traceOf(span))).toEqual(Array(2).fill(first && traceOf(first)));
    expect(first && idOf(first)).not.toBe(second && idOf(second));
    expect(second?.attributes['espalier.resumed_after']).toBe(5);
  });

  it('cannot be had of what is no trace context', () => {
    expect(traceparentFor('', 'run', 'root')).toBeUndefined();
    expect(traceparentFor(`00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, 'run', 'root')).toBeUndefined();
  });
});
