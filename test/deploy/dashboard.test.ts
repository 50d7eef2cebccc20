/** What the dashboard asks for is what the command sends, under the names that Prometheus gives it. */
import { parser } from '@prometheus-io/lezer-promql';
import { beforeAll, describe, expect, it } from 'vitest';
import { filled, panels, queries, tellOfEventfulRuns, templating } from '../support/dashboard.ts';
import { otlpReceiver, type OtlpPoint } from '../support/otlp-receiver.ts';

/** By the name that Prometheus gives a series: its labels. */
const series = new Map<string, Set<string>>();
beforeAll(async () => {
  await using to = await otlpReceiver();
  expect(await tellOfEventfulRuns({ OTEL_EXPORTER_OTLP_ENDPOINT: to.url })).toEqual([]);
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
    const asked = templating.list.map(({ name, query }) => [name, typeof query === 'string' ? query : query.query]);
    expect(asked).toEqual([
      ['datasource', 'prometheus'],
      ['job', 'label_values(espalier_node_active, job)'],
    ]);
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
