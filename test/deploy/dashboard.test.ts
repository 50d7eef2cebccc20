/** What the dashboard asks for is what the command sends, under the names that Prometheus gives it. */
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { openOtel } from '../../src/cli/otel.ts';
import { defineDomain, defineLeaf, defineScenario, inMemorySources, run } from '../../src/index.ts';
import { scriptedModel } from '../../src/testing/index.ts';
import { otlpReceiver, type OtlpPoint } from '../support/otlp-receiver.ts';
import { CRITICAL, draft } from '../support/world.ts';

const Dashboard = z.object({
  panels: z.array(
    z.object({
      id: z.int(),
      type: z.string(),
      title: z.string().min(1),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int().max(24), h: z.int() }),
      datasource: z.object({ uid: z.literal('${datasource}') }).optional(),
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
});
const { panels, templating } = Dashboard.parse(JSON.parse(readFileSync('deploy/grafana/espalier.json', 'utf8')));
const queries = panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })));

/** Whatever a run can come to, so that no metric is missing only because nothing happened. */
const eventful = defineScenario({
  name: 'eventful',
  thesis: 'It holds',
  dependencies: 'observe',
  sources: inMemorySources([{ id: 'jobs', title: 'Jobs', unit: '', values: [['2008-01-01', 1]] }]),
  domains: [
    defineDomain({
      name: 'asks',
      charter: '',
      children: [
        defineLeaf({
          name: 'model',
          asks: true,
          run: async ({ task, model }) => draft(task.path, { statement: (await model.ask({ prompt: 'Why?' })).text }),
        }),
        defineLeaf({ name: 'alarm', run: ({ task }) => draft(task.path, CRITICAL) }),
        defineLeaf({ name: 'dropped', run: ({ task }) => draft(task.path) }),
      ],
      synthesize: ({ children }) => {
        const findings = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
        const [first, ...rest] = findings;
        return {
          narrative: '',
          dispositions: [
            { id: first?.id ?? '', as: 'kept' },
            ...rest.map(({ id }) => ({ id, as: 'dropped' as const, why: 'no room' })),
          ],
        };
      },
    }),
    defineDomain({
      name: 'breaks',
      charter: '',
      children: [
        defineLeaf({ name: 'throws', attempts: 2, run: () => Promise.reject(new Error('no')) }),
        defineLeaf({
          name: 'reads',
          run: async ({ task, sources }) => draft(task.path, { value: (await sources.series('jobs')).last.value }),
        }),
      ],
      synthesize: () => Promise.reject(new Error('no')),
    }),
    defineDomain({
      name: 'deep',
      charter: '',
      execute: ({ task }) => draft(task.path),
      children: [
        defineDomain({
          name: 'deeper',
          charter: '',
          children: [defineLeaf({ name: 'l', run: ({ task }) => draft(task.path) })],
        }),
      ],
    }),
  ],
  limits: { maxDepth: 2 },
});

/** What a host does not let happen: a node below the limit, a number that came from nowhere. They are said to have. */
function broken(events: readonly RunEvent[], telemetry: Telemetry): void {
  for (const event of structuredClone(events)) {
    if (event.type === 'node.reported' && event.report.retention) event.report.retention.numbersFabricated = 1;
    telemetry.onEvent({ ...event, runId: 'broken' });
    const { at, seq } = event;
    if (event.type !== 'node.started' || event.path !== 'root') continue;
    telemetry.onEvent({
      v: 1,
      runId: 'broken',
      seq,
      at,
      path: 'root',
      type: 'integrity.alert',
      kind: 'depth',
      message: '',
    });
  }
}

/** By the name that Prometheus gives a series: its labels. */
const series = new Map<string, Set<string>>();
beforeAll(async () => {
  await using to = await otlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', to.url);
  const otel = await openOtel({ otel: true }, () => {});
  if (!otel) throw new Error('no SDK');
  const { telemetry } = otel;
  const events: RunEvent[] = [];
  const models = { adapter: scriptedModel(() => 'Because.') };
  await run(eventful, { telemetry, models, onEvent: (event) => void events.push(event) });
  broken(events, telemetry);
  await otel.close();
  vi.unstubAllEnvs();
  expect(to.problems).toEqual([]);
  for (const point of to.points()) {
    for (const name of namesInPrometheus(point)) {
      const labels = series.get(name) ?? new Set(['job', 'instance']);
      for (const key of Object.keys(point.attributes)) labels.add(key.replaceAll('.', '_'));
      if (name.endsWith('_bucket')) labels.add('le');
      series.set(name, labels);
    }
  }
});

/** The rules of its OTLP receiver: dots become underscores, units words, sums totals; a unit in braces is dropped. */
function namesInPrometheus({ metric, unit, kind }: OtlpPoint): string[] {
  const word = unit === 's' ? '_seconds' : unit === '1' || unit.startsWith('{') ? '' : `_${unit}`;
  const name = `${metric.replaceAll('.', '_')}${word}`;
  if (kind === 'histogram') return ['_bucket', '_sum', '_count'].map((part) => `${name}${part}`);
  if (kind !== 'sum' || metric === 'espalier.node.active') return [name]; // an up-down counter is no total
  return [`${name}_total`];
}

/** With values in the place of Grafana's variables. */
const filled = (expr: string): string =>
  expr.replaceAll('$__range', '1h').replaceAll('$__interval', '1m').replaceAll('$job', '.*');

type Asked = { metrics: Set<string>; labels: Set<string>; isWrong: boolean };
function askedBy(expr: string): Asked {
  const asked: Asked = { metrics: new Set(), labels: new Set(), isWrong: false };
  parser.parse(expr).iterate({
    enter({ name, type, from, to }) {
      const text = expr.slice(from, to);
      if (type.isError) asked.isWrong = true;
      if (name === 'Identifier') asked.metrics.add(text);
      if (name === 'LabelName') asked.labels.add(text);
    },
  });
  return asked;
}

describe('the dashboard', () => {
  it.each(queries)('$title: $legendFormat', ({ expr, legendFormat }) => {
    const { metrics, labels, isWrong } = askedBy(filled(expr));
    expect({ expr, isWrong }).toEqual({ expr, isWrong: false });
    expect(filled(expr)).not.toContain('$');
    expect(metrics.size).toBeGreaterThan(0);
    const named = Array.from(legendFormat.matchAll(/{{(\w+)}}/g), ([, label = '']) => label);
    for (const metric of metrics) {
      expect(series.keys()).toContain(metric);
      for (const label of labels) expect(series.get(metric)).toContain(label);
    }
    expect([...labels]).toEqual(expect.arrayContaining(named));
  });

  it('shows every metric but those that say the same of a subtree', () => {
    const shown = new Set(queries.flatMap(({ expr }) => [...askedBy(filled(expr)).metrics]));
    const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');
    const isShown = new Set([...shown].map(base));
    const missing = new Set([...series.keys()].map(base).filter((name) => !isShown.has(name)));
    expect([...missing]).toEqual(['espalier_tokens_subtree_total']);
  });

  it('asks for the services that there are', () => {
    const definitions = templating.list.flatMap(({ definition }) => definition ?? []);
    expect(definitions).toEqual(['label_values(espalier_node_active, job)']);
    expect(series.get('espalier_node_active')).toContain('job');
  });

  it('has panels side by side, and none over another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  it('would not pass with a query that nobody can answer', () => {
    expect(askedBy('sum by (tier (espalier_nothing_total)').isWrong).toBe(true);
    expect([...askedBy('sum by (tier) (espalier_nothing_total{job="a"})').metrics]).toEqual(['espalier_nothing_total']);
    expect([...askedBy('sum by (tier) (x{job="a"})').labels]).toEqual(['tier', 'job']);
  });
});
