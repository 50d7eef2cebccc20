/** Invariants of run-metrics.ts, and the figures themselves. */
import { metrics } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { opentelemetry } from '../../../src/adapters/telemetry/opentelemetry.ts';
import { defineDomain, defineLeaf, defineScenario, type FindingDraft } from '../../../src/index.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import { CRITICAL, draft, tree, world } from '../../support/world.ts';
import { recorder } from './recorder.ts';

afterEach(() => metrics.disable());

const leaf = (name: string, run: (path: string) => FindingDraft | { gap: 'stale'; why: string } | Promise<never>) =>
  defineLeaf({ name, attempts: 1, run: ({ task }) => run(task.path) });

/** Every figure at least once: retries apart, all that a run can come to. */
const eventful = defineScenario({
  name: 'eventful',
  thesis: 'It holds',
  domains: [
    defineDomain({
      name: 'loud',
      charter: '',
      children: [
        leaf('alarm', (path) => draft(path, CRITICAL)),
        leaf('bell', (path) => draft(path, CRITICAL)),
        leaf('throws', () => Promise.reject(new Error('no'))),
      ],
    }),
    defineDomain({ name: 'old', charter: '', children: [leaf('stale', () => ({ gap: 'stale', why: 'too old' }))] }),
  ],
  limits: { maxDepth: 4 },
});

describe('metrics', () => {
  it('count what became of nodes, by tier and status', async () => {
    const { telemetry, points, values } = recorder();
    const { brief } = await world(eventful, {}, { telemetry }).run();
    const ended = (await points('espalier.node.duration')).map(({ attributes, value }) => {
      const count = typeof value === 'number' ? value : value.count;
      return `${count} ${String(attributes['espalier.tier'])} ${String(attributes['espalier.status'])}`;
    });
    const expected = ['1 domain failed', '1 domain partial', '1 leaf error', '1 root partial', '3 leaf complete'];
    expect(ended.sort()).toEqual(expected);
    expect(await values('espalier.failure_tokens', 'espalier.status')).toEqual({ error: 1 });
    expect(await values('espalier.escalations')).toEqual({ '': 2 });
    expect(await values('espalier.synthesis.retention.recall', 'espalier.tier')).toEqual({ domain: 2, root: 1 });
    expect(await values('espalier.synthesis.retention.verbatim', 'espalier.tier')).toEqual({ domain: 2, root: 1 });
    const kinds = Object.groupBy(brief.gaps, ({ kind }) => kind);
    expect(await values('espalier.gaps', 'espalier.gap.kind')).toEqual({
      token: kinds.token?.length,
      stale: kinds.stale?.length,
    });
  });

  it('hold the observed depth of each run against the configured one', async () => {
    const { telemetry, points } = recorder();
    await world(eventful, {}, { telemetry }).run();
    await world([2, 2, 2], {}, { telemetry }).run();
    expect(await points('espalier.run.depth.observed')).toMatchObject([{ value: { count: 2, min: 2, max: 3 } }]);
    expect(await points('espalier.run.depth.limit')).toMatchObject([{ value: { count: 2, min: 3, max: 4 } }]);
  });

  it('tell a node of minutes from one of milliseconds, and nearly everything from everything', async () => {
    const { telemetry, points } = recorder();
    const clockOf = () => run.clock;
    const slow = tree([1, 1], {
      leaf: {
        run: async ({ task }) => {
          await new Promise<void>((done) => void clockOf().setTimeout(done, 400_000));
          return draft(task.path);
        },
      },
    });
    const run = world(slow, {}, { telemetry });
    await run.run();
    const [duration] = await points('espalier.node.duration');
    const { boundaries, counts } = bucketsOf(duration?.value);
    expect(Math.max(...boundaries)).toBeGreaterThan(8 * 60);
    const bucket = counts.indexOf(1);
    expect([boundaries[bucket - 1], boundaries[bucket]]).toEqual([360, 420]);

    const [recall] = await points('espalier.synthesis.retention.recall');
    const share = bucketsOf(recall?.value);
    expect(share.counts.indexOf(1)).toBe(share.boundaries.length); // past the last bound: nothing was lost
  });

  it('carry tiers, statuses, kinds and names of agents, and no id of anything', async () => {
    const { telemetry, metrics: all } = recorder();
    for (const shape of [[2, 2], [3], [1, 1, 1]])
      await world(shape, {}, { telemetry, runId: `run-of-${shape.length}-tiers` }).run();
    await world(eventful, {}, { telemetry }).run();
    const seen = (await all()).flatMap(({ dataPoints }) =>
      dataPoints.flatMap(({ attributes }) => Object.keys(attributes)),
    );
    const words = ['tier', 'status', 'gap.kind', 'disposition', 'phase'].map((name) => `espalier.${name}`);
    expect(new Set(seen)).toEqual(new Set(words.filter((name) => seen.includes(name)).concat('gen_ai.agent.name')));
    for (const { descriptor, dataPoints } of await all()) {
      expect(descriptor.unit).not.toBe('');
      expect(descriptor.description).not.toBe('');
      expect(dataPoints.length).toBeLessThan(20);
    }
  });

  it('carry a limited number of names, whatever makes them', async () => {
    const { telemetry, values } = recorder();
    const named = (name: string) =>
      defineScenario({
        name: 'named',
        thesis: 'It holds',
        domains: [defineDomain({ name, charter: '', children: [leaf('same', (path) => draft(path))] })],
      });
    const run = world(named('made-0'));
    await run.run();
    const events = JSON.stringify(run.events);
    for (let i = 0; i < 300; i++) {
      for (const event of JSON.parse(events.replaceAll('made-0', `made-${i}`)) as RunEvent[]) telemetry.onEvent(event);
    }
    const waitedFor = await values('espalier.join.wait', 'gen_ai.agent.name');
    const { same, '(other)': other, ...rest } = waitedFor;
    expect(same).toBe(300);
    expect(Object.keys(rest).length).toBeLessThanOrEqual(200);
    expect(Object.values(waitedFor).reduce((sum, count) => sum + count, 0)).toBe(600);
    expect(other).toBeGreaterThanOrEqual(100);
  });

  it('count what goes deeper than the limit, and what tried to', async () => {
    const { telemetry, values } = recorder();
    const run = world([1, 1], {}, { maxDepth: 2 });
    await run.run();
    const { path, at } = run.eventsOf('node.started')[2] ?? { path: '', at: 0 };
    for (const event of run.events) {
      if (event.type === 'run.started') telemetry.onEvent({ ...event, maxDepth: 1 }); // the leaf is at 2
      else telemetry.onEvent(event);
      if (event.type !== 'node.started' || event.path !== path) continue;
      telemetry.onEvent({ ...event, at, type: 'integrity.alert', kind: 'depth', message: 'it would have spawned' });
    }
    expect(await values('espalier.depth.breaches')).toEqual({ '': 2 });
    expect(await values('espalier.integrity.alerts', 'espalier.alert.kind')).toEqual({ depth: 1 });
  });

  it('count alerts by kind', async () => {
    const { telemetry, values } = recorder();
    const spawning = tree([2], {
      leaf: {
        run: ({ task, spawn }) => {
          try {
            spawn('child');
          } catch {
            // refused
          }
          return draft(task.path);
        },
      },
    });
    await world(spawning, {}, { telemetry }).run();
    expect(await values('espalier.integrity.alerts', 'espalier.alert.kind')).toEqual({ spawn: 2 });
  });

  it('count the gap that a dead root leaves', async () => {
    const { telemetry, values } = recorder();
    const run = world([1], {}, { telemetry, faults: ['root:gather=hang'] });
    const { brief } = await run.run();
    expect(brief.gaps).not.toEqual([]);
    const counted = Object.values(await values('espalier.gaps')).reduce((sum, value) => sum + value, 0);
    expect(counted).toBe(brief.gaps.length);
  });

  it('go to the provider that is registered when a run starts', async () => {
    const telemetry = opentelemetry();
    await world([2], {}, { telemetry }).run(); // before anybody listens
    for (const round of [1, 2]) {
      const { meterProvider, values } = recorder();
      metrics.setGlobalMeterProvider(meterProvider);
      for (let i = 0; i < round; i++) await world([2], {}, { telemetry: opentelemetry() }).run();
      await world([2], {}, { telemetry }).run();
      expect(await values('espalier.node.duration', 'espalier.tier')).toEqual({ root: round + 1, leaf: 2 * round + 2 });
      metrics.disable();
    }
  });
});

function bucketsOf(value: unknown): { boundaries: number[]; counts: number[] } {
  return (value as { buckets: { boundaries: number[]; counts: number[] } }).buckets;
}
