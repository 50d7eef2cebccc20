/** Invariants 1 to 3 of opentelemetry.ts: nothing thrown, nothing kept, nothing made for nobody. */
import {
  context,
  metrics,
  trace,
  type ContextManager,
  type MeterProvider,
  type TracerProvider,
} from '@opentelemetry/api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { opentelemetry } from '../../../src/adapters/telemetry/opentelemetry.ts';
import type { Telemetry } from '../../../src/ports/telemetry.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import type { Task } from '../../../src/protocol/task.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, tree, world, type World } from '../../support/world.ts';
import { pathOf, recorder } from './recorder.ts';

afterEach(() => {
  vi.restoreAllMocks();
  context.disable();
  trace.disable();
  metrics.disable();
});

const hanging = (): ReturnType<typeof tree> => tree([2, 2], { leaf: { run: never } });
/** Starts a run and stops it when its leaves are at work. */
async function stopMidway(run: World): Promise<void> {
  const handle = run.start();
  while (run.eventsOf('attempt.started').length < 4) await Promise.resolve();
  handle.stop();
  await expect(handle.result).rejects.toThrow('stopped');
}
const taskOf = (path: string, runId = 'run'): Task => ({
  runId,
  path,
  tier: 'leaf',
  question: '',
  charter: '',
  grant: { depthLeft: 0, issuedAt: 0, deadline: 1, reserveMs: 0, budget: {}, maxChildren: 1, sources: [], tools: [] },
  prior: [],
  enrichments: [],
});

describe('a run that is stopped', () => {
  it('ends every span it had started, and is forgotten', async () => {
    const { telemetry, spans, nodes, span, values } = recorder();
    const run = world(hanging(), {}, { telemetry });
    await stopMidway(run);
    expect(nodes().map(pathOf).sort()).toEqual(['', ...run.eventsOf('node.started').map(({ path }) => path)].sort());
    const active = { root: 0, domain: 0, leaf: 0 };
    expect(await values('espalier.node.active', 'espalier.tier')).toEqual(active);
    const cutOff = spans().filter(({ name }) => name !== 'plan'); // which had been through
    expect(cutOff.map(({ name }) => name)).toEqual(expect.arrayContaining(['gather', 'attempt']));
    for (const { attributes, status } of cutOff) {
      expect(attributes).toMatchObject({ 'espalier.status': 'stopped', 'error.type': 'stopped' });
      expect(status.code).toBe(2);
    }
    expect(telemetry.traceparentOf('run', 'root')).toBeUndefined();
    expect(span('invoke_workflow tree').ended).toBe(true);
    telemetry.onEnd('run'); // again, and of a run that never was
    telemetry.onEnd('nobody');
    expect(nodes()).toHaveLength(8);
  });

  it('is closed by the next one well past its deadline, should nobody say that it is over', async () => {
    const { telemetry, nodes } = recorder();
    const bare = { ...telemetry, onEnd: () => {} };
    const run = world(hanging(), {}, { telemetry: bare });
    await stopMidway(run);
    const next = world([1], {}, { telemetry: bare, runId: 'next' });
    await next.run();
    expect(nodes()).toHaveLength(3); // the first may still be at work
    const later = performance.now() + 8 * 60_000 + 61_000;
    vi.spyOn(performance, 'now').mockReturnValue(later);
    await world([1], {}, { telemetry: bare, runId: 'another' }).run();
    expect(nodes().filter(({ attributes }) => attributes['espalier.run.id'] === 'run')).toHaveLength(8);
    expect(telemetry.traceparentOf('run', 'root')).toBeUndefined();
  });

  it('makes way for a run of the same id', async () => {
    const { telemetry, nodes } = recorder();
    const bare = { ...telemetry, onEnd: () => {} };
    await stopMidway(world(hanging(), {}, { telemetry: bare }));
    await world([1], {}, { telemetry: bare }).run();
    expect(nodes()).toHaveLength(8 + 3);
  });

  it('measures until it was stopped', async () => {
    const { telemetry, span } = recorder();
    const clock = { now: Date.now, setTimeout, clearTimeout };
    telemetry.onEvent({
      v: 1,
      runId: 'r',
      seq: 0,
      at: clock.now(),
      type: 'run.started',
      path: 'root',
      scenario: 'slow',
      thesis: '',
      maxDepth: 1,
      deadline: clock.now() + 1000,
      concurrency: 1,
      hostVersion: '0',
    });
    await new Promise((done) => setTimeout(done, 50));
    telemetry.onEnd('r');
    const [seconds, nanos] = span('invoke_workflow slow').duration;
    expect(seconds * 1000 + nanos / 1e6).toBeGreaterThanOrEqual(45);
  });
});

it('keeps nothing of a run that has ended', async () => {
  const { telemetry } = recorder();
  const run = world([2, 2], {}, { telemetry });
  await run.run();
  for (const { path } of run.eventsOf('node.started')) expect(telemetry.traceparentOf('run', path)).toBeUndefined();
  expect(run.leftovers()).toEqual(NOTHING_LEFT);
});

describe('without an SDK', () => {
  it('makes nothing for a node, and calls its work as it is', async () => {
    const telemetry = opentelemetry();
    const getTracer = vi.spyOn(trace.getTracerProvider(), 'getTracer');
    const within = vi.spyOn(context, 'with');
    const tasks: Task[] = [];
    const run = world([2, 2], (own) => ({ attempt: (input, io) => (tasks.push(input.task), own.attempt(input, io)) }), {
      telemetry,
    });
    await run.run();
    expect(tasks.map(({ traceparent }) => traceparent)).toEqual([undefined, undefined, undefined, undefined]);
    expect(within).not.toHaveBeenCalled();
    expect(getTracer).toHaveBeenCalledOnce();
  });

  it('is told of the start of a run, and of nothing that happens in it', async () => {
    const told: string[] = [];
    const watched = (telemetry: Telemetry): Telemetry => ({
      ...telemetry,
      onEvent: (event) => (told.push(event.type), telemetry.onEvent(event)),
    });
    const run = world([2, 2], {}, { telemetry: watched(opentelemetry()) });
    await run.run();
    expect(told).toEqual(['run.started']);
    expect(run.events.length).toBeGreaterThan(10); // whoever else listens hears it all
    told.length = 0;
    await world([2, 2], {}, { telemetry: watched(recorder().telemetry) }).run();
    expect(told.length).toBe(run.events.length);
  });

  it('takes a span that only travels through for none of its own', async () => {
    const parent = trace.setSpanContext(context.active(), {
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      traceFlags: 1,
    });
    const telemetry = opentelemetry({ parent });
    const seen = new Set<string | undefined>();
    const onEvent = ({ path }: RunEvent): void => void seen.add(telemetry.traceparentOf('run', path));
    await world([1], {}, { telemetry, onEvent }).run();
    expect([...seen]).toEqual([undefined]);
  });
});

describe('a fault of the SDK', () => {
  const fault = (): never => {
    throw new Error('the SDK is broken');
  };
  const brokenSpan = Object.fromEntries(
    ['setAttribute', 'setAttributes', 'addEvent', 'setStatus', 'end'].map((name) => [name, fault]),
  );
  const { tracerProvider: real } = recorder();
  const spanThat = (breaks: object): TracerProvider => ({
    getTracer: () => ({
      startSpan: (name, options, parent) =>
        Object.assign(real.getTracer('real').startSpan(name, options, parent), breaks),
      startActiveSpan: fault,
    }),
  });
  const noMeters: MeterProvider = { getMeter: fault };
  const brokenInstruments: MeterProvider = {
    getMeter(...args) {
      const meter = recorder().meterProvider.getMeter(...args);
      return Object.assign(Object.create(meter) as typeof meter, {
        createHistogram: () => ({ record: fault }),
        createCounter: () => ({ add: fault }),
      });
    },
  };
  const brokenContext = (also: Partial<ContextManager>): ContextManager => ({
    active: () => fault(),
    with: fault,
    bind: (_, target) => target,
    enable: () => brokenContext({}),
    disable: () => brokenContext({}),
    ...also,
  });

  it.each<[string, TracerProvider | undefined, MeterProvider | undefined, ContextManager | undefined]>([
    ['no tracer', { getTracer: fault }, undefined, undefined],
    ['no span', { getTracer: () => ({ startSpan: fault, startActiveSpan: fault }) }, undefined, undefined],
    ['a span that throws', spanThat(brokenSpan), undefined, undefined],
    ['a span without a context', spanThat({ spanContext: fault }), undefined, undefined],
    ['no meter', undefined, noMeters, undefined],
    ['instruments that throw', undefined, brokenInstruments, undefined],
    ['no context', real, undefined, brokenContext({})],
    ['no context to work in', real, undefined, brokenContext({ active: () => context.active() })],
  ])('(%s) is not the run’s', async (_, tracerProvider, meterProvider, manager) => {
    if (manager) context.setGlobalContextManager(manager);
    const sdk = { ...(tracerProvider && { tracerProvider }), ...(meterProvider && { meterProvider }) };
    const attempts: string[] = [];
    const scenario = tree([2, 2], {
      leaf: { run: ({ task }) => (attempts.push(task.path), draft(task.path, CRITICAL)) },
    });
    const plain = await world(scenario).run();
    const traced = await world(scenario, {}, { telemetry: opentelemetry(sdk) }).run();
    expect(traced.brief.digest).toBe(plain.brief.digest);
    expect(attempts).toHaveLength(8);
  });

  it('does not hide what user work throws, nor has it done twice', () => {
    const { telemetry } = recorder();
    const work = vi.fn<() => void>(() => {
      throw new Error('of the user');
    });
    const task = { ...taskOf('root/l0'), traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
    expect(() => telemetry.within(task, work)).toThrow('of the user');
    expect(work).toHaveBeenCalledOnce();
  });

  it('leaves the other signals working', async () => {
    const record = recorder({ tracerProvider: { getTracer: fault } });
    await world([2], {}, { telemetry: record.telemetry }).run();
    expect(await record.values('espalier.node.duration', 'espalier.tier')).toEqual({ root: 1, leaf: 2 });
    const other = recorder({ meterProvider: noMeters });
    await world([2], {}, { telemetry: other.telemetry }).run();
    expect(other.nodes()).toHaveLength(4);
  });
});
