/** What leaves the process when the command starts the SDK: real OTLP, decoded as a collector would. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ATTRIBUTE, METRIC, RETENTION, SPAN, TIME } from '../../src/adapters/telemetry/names.ts';
import { replaySpans } from '../../src/adapters/telemetry/replay.ts';
import { openOtel, type OtelFlags } from '../../src/cli/otel.ts';
import { defineDomain, defineLeaf, defineScenario, run, type RunOptions, type Scenario } from '../../src/index.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { otlpReceiver, type OtlpReceiver, type OtlpSpan } from '../support/otlp-receiver.ts';
import { expectTree, isA, pathOf } from '../support/trace-tree.ts';
import { CRITICAL, draft } from '../support/world.ts';

afterEach(() => vi.unstubAllEnvs());

/** What the command would tell a collector of these runs. */
async function exported(work: () => Promise<unknown>, to: OtlpReceiver, flags: OtelFlags = { otel: true }) {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', to.url);
  const said: string[] = [];
  const otel = await openOtel(flags, (line) => said.push(line));
  telemetry = otel?.telemetry;
  await work();
  await otel?.close();
  expect(said).toEqual([]);
  expect(to.problems).toEqual([]);
}
let telemetry: NonNullable<Awaited<ReturnType<typeof openOtel>>>['telemetry'] | undefined;
async function perform(scenario: Scenario, runId: string, more: RunOptions = {}): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  await run(scenario, { ...more, runId, onEvent: (event) => void events.push(event), ...(telemetry && { telemetry }) });
  return events;
}

const eventful = defineScenario({
  name: 'eventful',
  thesis: 'It holds',
  domains: [
    defineDomain({
      name: 'macro',
      charter: '',
      children: [
        defineDomain({
          name: 'labour',
          charter: '',
          children: [
            defineLeaf({ name: 'jobs', run: ({ task }) => draft(task.path, CRITICAL) }),
            defineLeaf({ name: 'wages', run: ({ task }) => draft(task.path) }),
          ],
        }),
        defineLeaf({ name: 'prices', needs: ['labour'], run: ({ task }) => draft(task.path) }),
      ],
    }),
    defineDomain({
      name: 'company',
      charter: '',
      children: [defineLeaf({ name: 'broken', attempts: 2, run: () => Promise.reject(new Error('no')) })],
    }),
  ],
  limits: { maxDepth: 3 },
});

describe('a trace over OTLP', () => {
  it('is one for each run, with every node once and under the right parent at every tier', async () => {
    await using to = await otlpReceiver();
    const runs = new Map<string, RunEvent[]>();
    await exported(async () => {
      for (const id of ['one', 'two']) runs.set(id, await perform(eventful, id));
    }, to);
    const all = to.spans();
    expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(2);
    for (const [id, events] of runs) {
      const spans = all.filter(({ attributes }) => attributes['espalier.run.id'] === id);
      const started = events.filter(({ type }) => type === 'node.started');
      expectTree(
        spans,
        'eventful',
        started.map(({ path }) => path),
      );
    }
  });

  it('is of one service for each tier, and of one when that is asked for or the environment names it', async () => {
    const servicesOf = async (flags: OtelFlags): Promise<Record<string, string[]>> => {
      await using to = await otlpReceiver();
      await exported(() => perform(eventful, 'run'), to, flags);
      const kinds = Map.groupBy(to.spans(), ({ service }) => service);
      return Object.fromEntries(
        Array.from(kinds, ([service, spans]) => [service, [...new Set(spans.map(({ name }) => name))].sort()]),
      );
    };
    expect(await servicesOf({ otel: true })).toEqual({
      'espalier-root': ['escalation', 'gather', 'invoke_agent root', 'invoke_workflow eventful', 'plan', 'synthesis'],
      'espalier-domain': [
        'gather',
        ...['company', 'labour', 'macro'].map((name) => `invoke_agent ${name}`),
        'plan',
        'synthesis',
      ],
      'espalier-leaf': ['attempt', ...['broken', 'jobs', 'prices', 'wages'].map((name) => `invoke_agent ${name}`)],
    });
    expect(Object.keys(await servicesOf({ otel: true, otelService: 'single' }))).toEqual(['espalier']);
    vi.stubEnv('OTEL_SERVICE_NAME', 'desk');
    expect(Object.keys(await servicesOf({ otel: true }))).toEqual(['desk']);
    const both = await servicesOf({ otel: true, otelService: 'per-tier' });
    expect(Object.keys(both).sort()).toEqual(['desk-domain', 'desk-leaf', 'desk-root']);
  });

  it('has statuses, and links from escalations alone, never from what stands above their target', async () => {
    await using to = await otlpReceiver();
    await exported(() => perform(eventful, 'run'), to);
    const spans = to.spans();
    const statusOf = (path: string) => spans.find((span) => isA('invoke_agent')(span) && pathOf(span) === path)?.status;
    expect(statusOf('root/macro/labour')).toEqual({ code: 'STATUS_CODE_UNSET', message: '' });
    expect(statusOf('root/company/broken')).toEqual({ code: 'STATUS_CODE_ERROR', message: 'error' });
    expect(statusOf('root')).toEqual({ code: 'STATUS_CODE_ERROR', message: 'partial' });
    const linked = spans.filter(({ links }) => links.length > 0);
    expect(linked.map(({ name }) => name)).toEqual(['escalation']);
    const [escalation] = linked;
    const target = spans.find(({ spanId }) => spanId === escalation?.links[0]?.spanId);
    expect(target?.name).toBe('invoke_agent jobs');
    // A viewer that takes a link for a parent would otherwise make a root the child of its own leaf.
    expect(escalation?.parentSpanId).not.toBe('');
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const above: string[] = [];
    for (let at = target; at; at = byId.get(at.parentSpanId)) above.push(at.spanId);
    expect(above).not.toContain(escalation?.spanId);
  });

  it('is the one that a file of the run has later', async () => {
    await using to = await otlpReceiver();
    let events: RunEvent[] = [];
    await exported(async () => void (events = await perform(eventful, 'run')), to);
    const told = (spans: readonly Pick<OtlpSpan, 'service' | 'traceId' | 'spanId' | 'name'>[]) =>
      spans.map(({ service, traceId, spanId, name }) => `${service} ${traceId} ${spanId} ${name}`).sort();
    const later = replaySpans(JSON.parse(JSON.stringify(events)) as RunEvent[], {
      serviceOf: (tier) => `espalier-${tier}`,
    });
    expect(told(to.spans())).toEqual(told(later));
  });

  it('says nothing under a name that is not listed', async () => {
    await using to = await otlpReceiver();
    await exported(() => perform(eventful, 'run'), to);
    const known = new Set<string>([ATTRIBUTE, RETENTION, TIME].flatMap((names) => Object.values<string>(names)));
    const said = to
      .spans()
      .flatMap(({ attributes, events }) =>
        [attributes, ...events.map((event) => event.attributes)].flatMap(Object.keys),
      );
    expect([...new Set(said)].filter((name) => !known.has(name))).toEqual([]);
    const names = new Set<string>(Object.values(SPAN));
    expect(to.spans().filter(({ name }) => !names.has(name.split(' ')[0] ?? ''))).toEqual([]);
    const metrics = new Set<string>(Object.values(METRIC));
    expect(to.points().filter(({ metric }) => !metrics.has(metric))).toEqual([]);
  });
});

describe('metrics over OTLP', () => {
  it('have exponential histograms of durations, from which mean and variance follow', async () => {
    await using to = await otlpReceiver();
    const seconds = [2, 4, 6, 8];
    const clock = new VirtualClock();
    const sleepy = defineScenario({
      name: 'sleepy',
      thesis: 'It holds',
      domains: seconds.map((long) =>
        defineLeaf({
          name: `l${long}`,
          run: async ({ task }) => (await clock.sleep(long * 1_000), draft(task.path)),
        }),
      ),
    });
    await exported(() => clock.run(perform(sleepy, 'run', { clock })), to);
    const leaves = to
      .points()
      .find(({ metric, attributes }) => metric === METRIC.nodeDuration && attributes[ATTRIBUTE.tier] === 'leaf');
    expect(leaves).toMatchObject({ kind: 'exponentialHistogram', unit: 's', count: 4 });
    const { values = [] } = leaves ?? {};
    const mean = (of: (value: number) => number): number =>
      values.reduce((sum, { value, times }) => sum + of(value) * times, 0) / 4;
    expect(mean((value) => value)).toBeCloseTo(5, 1);
    expect(mean((value) => (value - 5) ** 2)).toBeCloseTo(5, 1);
  });

  it('are as many series after a thousand runs as the program is wide, whatever decisions made', async () => {
    await using to = await otlpReceiver();
    vi.stubEnv('OTEL_TRACES_EXPORTER', 'none');
    const dividing = defineScenario({
      name: 'dividing',
      thesis: 'It holds',
      domains: ['a', 'b'].map((name) =>
        defineLeaf({ name, run: ({ task }) => draft(task.path, name === 'a' ? CRITICAL : {}) }),
      ),
      decide: () => ({
        shape: 'divide',
        groups: [{ name: 'made-0', members: ['a', 'b'] }],
        reasons: [],
      }),
      limits: { maxDepth: 2 },
    });
    await exported(async () => {
      // One run, and 999 like it whose decisions made others: to telemetry a run is its events.
      const events = JSON.stringify(await perform(dividing, 'run-0'));
      expect(events.split('made-0').length).toBeGreaterThan(10);
      for (let i = 1; i < 1_000; i++) {
        const told = JSON.parse(events.replaceAll('made-0', `made-${i}`).replaceAll('run-0', `run-${i}`)) as RunEvent[];
        for (const event of told) telemetry?.onEvent(event);
      }
    }, to);
    const points = to.points();
    expect(points.find(({ metric }) => metric === METRIC.runDuration)?.count).toBe(1_000);
    const agents = new Set(points.flatMap(({ attributes }) => attributes[ATTRIBUTE.agent] ?? []));
    expect(agents).toContain('(sub-domain)');
    expect(['(sub-domain)', 'a', 'b', 'root']).toEqual(expect.arrayContaining([...agents]));
    const series = Map.groupBy(points, ({ metric }) => metric);
    for (const [metric, own] of series) expect({ metric, isFew: own.length <= 15 }).toEqual({ metric, isFew: true });
    const values = points.flatMap(({ attributes }) => Object.values(attributes).map(String));
    expect(values.filter((value) => /run-|made-|root\//.test(value))).toEqual([]);
  });
});

describe('content over OTLP', () => {
  const SECRET = 'sk-secret-4f1c';
  const telling = defineScenario({
    name: 'telling',
    thesis: `Hold ${SECRET}`,
    domains: [
      defineLeaf({
        name: 'says',
        question: SECRET,
        run: ({ task }) => draft(task.path, { ...CRITICAL, statement: SECRET, source: { kind: SECRET, ref: SECRET } }),
      }),
      defineLeaf({ name: 'fails', attempts: 2, recover: () => SECRET, run: () => Promise.reject(new Error(SECRET)) }),
    ],
  });

  it.each([
    [{ otel: true }, false],
    [{ otel: true, otelContent: true }, true],
  ] as const)('with %j: is it sent? %j', async (flags, isSent) => {
    await using to = await otlpReceiver();
    await exported(() => perform(telling, 'run'), to, flags);
    expect(to.spans().length).toBeGreaterThan(5);
    expect(to.text().includes(SECRET)).toBe(isSent);
  });
});

it('refuses to say how telemetry is sent when none is', async () => {
  await expect(openOtel({ otelContent: true }, () => {})).rejects.toThrow(/^--otel-content .* Add --otel, or set/);
  await expect(openOtel({ otelService: 'single' }, () => {})).rejects.toThrow(/^--otel-service /);
});
