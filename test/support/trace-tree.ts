/** What the trace of one run is, whoever performed it. */
import { expect } from 'vitest';
import { parentOf } from '../../src/protocol/path.ts';
import type { OtlpSpan } from './otlp-receiver.ts';

export const pathOf = ({ attributes }: OtlpSpan): string => String(attributes['espalier.path'] ?? '');
export const isA = (operation: string) => (span: OtlpSpan) => span.attributes['gen_ai.operation.name'] === operation;

/** `spans`: those of one run. One trace, every node once, and under the right parent at every tier. */
export function expectTree(spans: readonly OtlpSpan[], scenario: string, started: readonly string[]): void {
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size).toBe(spans.length);
  const nodes = spans.filter(isA('invoke_agent'));
  expect(nodes.map(pathOf).sort()).toEqual(started.toSorted());
  const [workflow, ...more] = spans.filter(({ parentSpanId }) => parentSpanId === '');
  expect([workflow?.name, more]).toEqual([`invoke_workflow ${scenario}`, []]);
  for (const span of spans.filter((one) => one !== workflow)) {
    const parent = byId.get(span.parentSpanId);
    const place = `${span.name} of ${pathOf(span)}, under ${parent?.name} of ${parent && pathOf(parent)}`;
    if (isA('invoke_agent')(span) && pathOf(span) !== 'root') {
      expect(place).toBe(`${span.name} of ${pathOf(span)}, under gather of ${parentOf(pathOf(span))}`);
    } else if (span.name === 'escalation' || pathOf(span) === 'root') {
      expect([workflow, nodes.find((node) => pathOf(node) === 'root')]).toContain(parent);
    } else {
      expect(place).toBe(`${span.name} of ${pathOf(span)}, under ${parent?.name} of ${pathOf(span)}`);
      expect(parent && isA('invoke_agent')(parent)).toBe(true);
    }
    expect(span.startedAt).toBeGreaterThanOrEqual((parent?.startedAt ?? Infinity) - 0.001);
    expect(span.kind).toBe('SPAN_KIND_INTERNAL');
  }
}
