/** What the spans of steps say: how long each took, and of what. */
import { describe, expect, it } from 'vitest';
import { defineLeaf, defineScenario, inMemorySources, type ScenarioSpec } from '../../../src/index.ts';
import type { ToolAnswer, ToolServer } from '../../../src/ports/tools.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { draft, tree, world, type World } from '../../support/world.ts';
import { idOf, parentIdOf, recorder, type Recorder } from './recorder.ts';

const jobs = inMemorySources([{ id: 'jobs', values: [['2008-01-01', 1]] }]);

/** One leaf that reads these; `slow` takes a second, `stuck` for ever. */
function reading(ids: readonly string[], record: Recorder, more: Partial<ScenarioSpec> = {}): World {
  const clockOf = () => run.clock;
  const leaf = defineLeaf({
    name: 'l0',
    attempts: 1,
    sources: ['jobs', 'slow', 'stuck', 'lost'],
    async run({ task, sources }) {
      for (const id of ids) await sources.series(id).catch(() => {});
      return draft(task.path);
    },
  });
  const scenario = defineScenario({
    name: 'reading',
    thesis: 'It holds',
    asOf: '2008-06-01',
    domains: [leaf],
    sources: {
      async load(id, io) {
        if (id === 'stuck') await new Promise(() => {});
        if (id === 'slow') await clockOf().sleep(1_000);
        return id === 'slow' ? { ...(await jobs.load('jobs', io)), id } : jobs.load(id, io);
      },
    },
    ...more,
  });
  const run = world(scenario, {}, { telemetry: record.telemetry });
  return run;
}
const aMicrosecondBefore = ([seconds, nanoseconds]: readonly [number, number] = [0, 0]): [number, number] =>
  nanoseconds >= 1_000 ? [seconds, nanoseconds - 1_000] : [seconds - 1, nanoseconds + 1e9 - 1_000];
const readsIn = ({ steps }: Recorder) => steps('root/l0').filter(({ name }) => name === 'execute_tool read_source');

describe('a read of a source', () => {
  it('is a span of the attempt, as long as it took', async () => {
    const record = recorder();
    await reading(['jobs', 'slow', 'slow'], record).run();
    const reads = readsIn(record);
    expect(reads.map(({ attributes }) => attributes['espalier.source'])).toEqual(['jobs', 'slow', 'slow']);
    expect(reads.map(({ duration }) => duration)).toEqual([
      [0, 1_000], // no time at all
      [0, 999_999_000], // 1 s, and a microsecond before whatever follows
      [0, 1_000], // shared
    ]);
    const attempt = record.steps('root/l0').find(({ name }) => name === 'attempt');
    for (const read of reads) {
      expect(parentIdOf(read)).toBe(attempt && idOf(attempt));
      expect(read.attributes).toMatchObject({
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'read_source',
        'espalier.observations': 1,
        'espalier.status': 'complete',
      });
    }
  });

  it('that fails, or is not through when its leaf is out of time, says so', async () => {
    const record = recorder();
    await reading(['lost', 'stuck'], record, { limits: { deadline: '10s' } }).run();
    expect(readsIn(record)).toMatchObject([
      { attributes: { 'espalier.source': 'lost', 'espalier.status': 'error', 'espalier.observations': 0 } },
      { attributes: { 'espalier.source': 'stuck', 'espalier.status': 'timeout' }, status: { message: 'timeout' } },
    ]);
  });

  it('that was not declared does not say of what', async () => {
    const record = recorder();
    const adapter = inMemorySources([{ id: 'https://user:word@host/', values: [['2008-01-01', 1]] }]);
    const more = { sources: adapter, dependencies: 'observe' } as const;
    await reading(['https://user:word@host/'], record, more).run();
    expect(readsIn(record)).toMatchObject([{ attributes: { 'espalier.source': '(undeclared)' } }]);
    const told = recorder({ captureContent: true });
    await reading(['https://user:word@host/'], told, more).run();
    expect(readsIn(told)).toMatchObject([{ attributes: { 'espalier.source': 'https://user:word@host/' } }]);
  });
});

describe('a call of a tool', () => {
  it('is a span of the attempt, named after the tool, and says nothing of what was asked and answered', async () => {
    const record = recorder();
    const secret = 'sk-ant-0123456789';
    const tool = (name: string, call: () => Promise<ToolAnswer>) => ({
      name,
      description: '',
      input: { type: 'object' },
      call,
    });
    const files: ToolServer = {
      open: async () => ({
        tools: [
          tool('read', async () => (await run.clock.sleep(1_000), { text: secret })),
          tool('write', async () => ({ text: secret, isError: true })),
          tool('lose', () => Promise.reject(new Error(secret))),
          tool('hang', () => new Promise(() => {})),
        ],
        close: async () => {},
      }),
    };
    const leaf = defineLeaf({
      name: 'l0',
      attempts: 1,
      tools: ['files'],
      async run({ tools }) {
        for (const name of ['read', 'write', 'lose', 'hang', 'never']) {
          await tools.call(`files/${name}`, { path: secret }).catch(() => {});
        }
        return [];
      },
    });
    const scenario = defineScenario({
      name: 'calling',
      thesis: 'It holds',
      domains: [leaf],
      tools: { files },
      limits: { deadline: '10s' },
    });
    const run = world(scenario, {}, { telemetry: record.telemetry });
    await run.run();
    const steps = record.steps('root/l0');
    const attempt = steps.find(({ name }) => name === 'attempt');
    const calls = steps.filter(({ name }) => name.startsWith('execute_tool '));
    expect(calls.map(({ name, attributes }) => [name, attributes['espalier.status']])).toEqual([
      ['execute_tool files/read', 'complete'],
      ['execute_tool files/write', 'error'],
      ['execute_tool files/lose', 'error'],
      ['execute_tool files/hang', 'timeout'],
    ]);
    expect(calls[0]?.duration).toEqual([0, 999_999_000]);
    for (const call of calls) {
      expect(parentIdOf(call)).toBe(attempt && idOf(attempt));
      expect(call.attributes['gen_ai.tool.name']).toBe(call.name.slice('execute_tool '.length));
    }
    expect(
      JSON.stringify(calls.map(({ attributes, status, events }) => ({ attributes, status, events }))),
    ).not.toContain(secret);
  });
});

describe('a hedged attempt', () => {
  it('is two spans side by side, of which the one that is outrun is no error', async () => {
    const record = recorder();
    const clock = new VirtualClock();
    const scenario = tree([1], {
      leaf: { idempotent: true, run: ({ task }) => draft(task.path) },
      scenario: { limits: { maxDepth: 1, hedge: { after: 300, extra: 1 } } },
    });
    const run = world(
      scenario,
      (own) => ({
        async attempt(input, io) {
          await clock.sleep(input.isHedge ? 100 : 10_000, io.abortSignal);
          return own.attempt(input, io);
        },
      }),
      { telemetry: record.telemetry, clock },
    );
    await run.run();
    expect(run.eventsOf('execution.dropped')).toMatchObject([{ which: 'first' }]);
    const [first, hedge] = record.steps('root/l0');
    expect(first).toMatchObject({ name: 'attempt', startTime: [0, 0], endTime: [0, 399_999_000], status: { code: 0 } });
    expect(first?.attributes).toMatchObject({ 'espalier.attempt': 1, 'espalier.status': 'outrun' });
    expect(hedge).toMatchObject({ name: 'attempt', startTime: [0, 300_000_000], endTime: [0, 399_999_000] });
    expect(hedge?.attributes).toMatchObject({
      'espalier.attempt': 1,
      'espalier.hedge': true,
      'espalier.status': 'complete',
    });
  });
});

describe('the time of a node', () => {
  it('is told apart: waiting for a slot, work, planning, gathering, synthesis', async () => {
    const record = recorder();
    const clockOf = () => run.clock;
    const wait = async (ms: number): Promise<void> => void (await clockOf().sleep(ms));
    const scenario = tree([1, 2], {
      leaf: { run: async ({ task }) => (await wait(3_000), draft(task.path)) },
      scenario: { limits: { concurrency: 1 } },
    });
    const run = world(
      scenario,
      (own) => ({
        plan: async (input, io) => (await wait(100), own.plan(input, io)),
        synthesize: async (input, io) => (await wait(2_000), own.synthesize(input, io)),
      }),
      { telemetry: record.telemetry },
    );
    await run.run();
    const timesOf = (path: string) =>
      Object.entries(record.span(path).attributes).filter(([name]) => name.startsWith('espalier.time.'));
    expect(timesOf('root/d0/l0')).toEqual([['espalier.time.work_ms', 3_000]]);
    expect(timesOf('root/d0/l1')).toEqual([
      ['espalier.time.slot_ms', 3_000],
      ['espalier.time.work_ms', 3_000],
    ]);
    expect(timesOf('root/d0')).toEqual([
      ['espalier.time.planning_ms', 100],
      ['espalier.time.gathering_ms', 6_000],
      ['espalier.time.synthesis_ms', 2_000],
    ]);
    const [plan, gather, synthesis] = record.steps('root/d0');
    expect([plan, gather, synthesis].map((step) => step?.duration)).toEqual([
      [0, 99_999_000],
      [5, 999_999_000],
      [1, 999_999_000],
    ]);
    const starts = [gather, synthesis].map((step) => step?.startTime);
    expect([plan, gather].map((step) => step?.endTime)).toEqual(starts.map(aMicrosecondBefore));
    expect(gather?.attributes).toMatchObject({
      'espalier.stage': 0,
      'espalier.stages': 1,
      'espalier.children': 2,
      'espalier.slowest': 'l1',
      'espalier.wait_ms': 3_000,
      'espalier.saved_ms': 0, // one slot: nothing ran side by side
    });
    expect(synthesis?.attributes).toMatchObject({
      'espalier.retention.recall': 1,
      'espalier.made_by': 'deterministic',
    });
  });

  it('has a gather for each stage, and a synthesis for each that was asked for', async () => {
    const record = recorder();
    const leaf = (name: string, needs: string[] = []) =>
      defineLeaf({ name, needs, run: ({ task }) => draft(task.path) });
    const scenario = defineScenario({
      name: 'staged',
      thesis: 'It holds',
      domains: [leaf('a'), leaf('b', ['a']), leaf('c', ['b'])],
      synthesize: () => ({ narrative: 'There are 4711 reasons', dispositions: [] }),
    });
    const run = world(scenario, {}, { telemetry: record.telemetry });
    await run.run();
    const names = record.steps('root').map(({ name, attributes }) => [name, attributes['espalier.status']]);
    expect(names).toEqual([
      ['plan', 'complete'],
      ['gather', undefined],
      ['gather', undefined],
      ['gather', undefined],
      ['synthesis', 'invalid'],
      ['synthesis', 'invalid'],
      ['synthesis', 'complete'], // by rules
    ]);
    const gathers = record.steps('root').filter(({ name }) => name === 'gather');
    expect(gathers.map(({ attributes }) => attributes['espalier.stage'])).toEqual([0, 1, 2]);
    for (const [stage, name] of ['a', 'b', 'c'].entries()) {
      const gather = gathers[stage];
      expect(parentIdOf(record.span(`root/${name}`))).toBe(gather && idOf(gather));
    }
    expect(await record.values('espalier.synthesis.rejected', 'espalier.status')).toEqual({ invalid: 2 });
  });

  it('that a plan cost is told though it never came', async () => {
    const record = recorder();
    const run = world([1, 1], {}, { telemetry: record.telemetry, faults: ['root/d0:plan=hang'] });
    await run.run();
    expect(record.steps('root/d0')).toMatchObject([{ name: 'plan', attributes: { 'espalier.status': 'failed' } }]);
  });
});
