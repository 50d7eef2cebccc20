/** An SDK that keeps what it is told: what telemetry says of a run, as an exporter would have it. */
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { MeterProvider, MetricReader, type DataPoint, type Histogram } from '@opentelemetry/sdk-metrics';
import { opentelemetry } from '../../../src/adapters/telemetry/opentelemetry.ts';
import type { OpenTelemetryOptions } from '../../../src/adapters/telemetry/opentelemetry.ts';

class Reader extends MetricReader {
  protected override onForceFlush = (): Promise<void> => Promise.resolve();
  protected override onShutdown = (): Promise<void> => Promise.resolve();
}

export type Recorder = ReturnType<typeof recorder>;
export function recorder(options: OpenTelemetryOptions = {}, sampler: Sampler = new AlwaysOnSampler()) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const reader = new Reader();
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  const metrics = async () => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  };
  const points = async (name: string): Promise<DataPoint<number | Histogram>[]> => {
    const found = (await metrics()).find(({ descriptor }) => descriptor.name === name);
    return (found?.dataPoints ?? []) as DataPoint<number | Histogram>[];
  };
  return {
    telemetry: opentelemetry({ tracerProvider, meterProvider, ...options }),
    tracerProvider,
    meterProvider,
    spans,
    /** Those of runs and nodes, without their steps. */
    nodes: () => spans().filter((span) => pathOf(span) !== '' || isRun(span)),
    /** Those of the steps of a node, in the order of their end. */
    steps: (path: string) => spans().filter((span) => pathOf(span) === '' && at(span) === path),
    /** The one span of this name, or the one of the node at this path. */
    span(name: string): ReadableSpan {
      const found = spans().filter((span) => span.name === name || pathOf(span) === name);
      if (found.length !== 1 || !found[0]) throw new Error(`${found.length} spans are ${name}`);
      return found[0];
    },
    metrics,
    points,
    /** A counter's values by one attribute; a histogram's counts. */
    async values(name: string, attribute = ''): Promise<Record<string, number>> {
      const entries = (await points(name)).map(({ attributes, value }): [string, number] => [
        text(attributes[attribute]),
        typeof value === 'number' ? value : value.count,
      ]);
      const sums: Record<string, number> = {};
      for (const [key, value] of entries) sums[key] = (sums[key] ?? 0) + value;
      return sums;
    },
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
export const parentIdOf = (span: ReadableSpan): string | undefined => span.parentSpanContext?.spanId;
export const traceOf = (span: ReadableSpan): string => span.spanContext().traceId;
const at = (span: ReadableSpan): string => text(span.attributes['espalier.path']);
const isA = (span: ReadableSpan, operation: string): boolean => span.attributes['gen_ai.operation.name'] === operation;
const isRun = (span: ReadableSpan): boolean => isA(span, 'invoke_workflow');
/** Of a node's own span; of any other, empty. */
export const pathOf = (span: ReadableSpan): string => (isA(span, 'invoke_agent') ? at(span) : '');
