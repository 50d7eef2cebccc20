/**
 * Spans in the JSON that Jaeger's page reads from a file, which needs no server for it.
 *  1. A span's first reference is its parent: the page hangs a span below the first reference that it finds. Links
 *     follow, as FOLLOWS_FROM; a span without a parent has none, or it would hang below one of its own descendants.
 *  2. Whole numbers are int64 and others float64, as Jaeger has them from OTLP. Instants and durations are whole µs.
 */
import { SpanKind, SpanStatusCode, type Attributes, type AttributeValue } from '@opentelemetry/api';
import type { RecordedSpan } from './span-recorder.ts';

type Tag = { key: string; type: 'string' | 'bool' | 'int64' | 'float64'; value: string | number | boolean };

/** The text of one file in pieces, so that no string need hold all of a wide run. */
export function* jaegerJson(spans: readonly RecordedSpan[]): Iterable<string> {
  const traces = Map.groupBy(spans, ({ traceId }) => traceId);
  yield '{"data":[';
  let isFirst = true;
  for (const [traceID, own] of traces) {
    yield `${isFirst ? '' : ','}\n{"traceID":${JSON.stringify(traceID)},"spans":[`;
    const processes = new Map<string, { id: string; serviceName: string; tags: Tag[] }>();
    for (const [i, span] of own.entries()) {
      const { service, scope } = span;
      const process = processes.get(service) ?? {
        id: `p${processes.size + 1}`,
        serviceName: service,
        tags: scope.version === undefined ? [] : tagsOf({ 'service.version': scope.version }),
      };
      processes.set(service, process);
      yield `${i === 0 ? '' : ','}\n${JSON.stringify(spanOf(span, process.id))}`;
    }
    const named = [...processes.values()].map(({ id, ...process }) => [id, process]);
    yield `\n],"processes":${JSON.stringify(Object.fromEntries(named))},"warnings":null}`;
    isFirst = false;
  }
  yield '\n]}\n';
}

function spanOf(span: RecordedSpan, processID: string) {
  const { traceId: traceID, spanId: spanID, parentSpanId, name, startedAt, endedAt = startedAt } = span;
  const startTime = microseconds(startedAt);
  const parent = parentSpanId === undefined ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parentSpanId }];
  const links = span.links.map(({ context }) => ({
    refType: 'FOLLOWS_FROM',
    traceID: context.traceId,
    spanID: context.spanId,
  }));
  return {
    traceID,
    spanID,
    operationName: name,
    references: parentSpanId === undefined ? [] : [...parent, ...links],
    startTime,
    duration: Math.max(0, microseconds(endedAt) - startTime),
    tags: [...tagsOf(span.attributes), ...standingTags(span)],
    logs: span.events.map(({ name, at, attributes }) => ({
      timestamp: microseconds(at),
      fields: tagsOf({ event: name, ...attributes }),
    })),
    processID,
    warnings: null,
  };
}

/** What OTLP says beside attributes, under the names that Jaeger gives it. */
function standingTags({ kind, status, scope }: RecordedSpan): Tag[] {
  const isError = status.code === SpanStatusCode.ERROR;
  return tagsOf({
    'span.kind': SpanKind[kind].toLowerCase(),
    'otel.scope.name': scope.name,
    ...(scope.version !== undefined && { 'otel.scope.version': scope.version }),
    ...(status.code === SpanStatusCode.OK && { 'otel.status_code': 'OK' }),
    ...(isError && { 'otel.status_code': 'ERROR', error: true }),
    ...(status.message !== undefined && { 'otel.status_description': status.message }),
  });
}

const tagsOf = (attributes: Attributes): Tag[] =>
  Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, ...typed(value) }]));

function typed(value: AttributeValue): Omit<Tag, 'key'> {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'int64' : 'float64', value };
  return { type: 'string', value: JSON.stringify(value) };
}

const microseconds = (ms: number): number => Math.round(ms * 1000);
