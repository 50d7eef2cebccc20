/** Spans as OTLP/JSON: one ExportTraceServiceRequest, as a collector takes it at /v1/traces. */
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { TraceFlags } from '@opentelemetry/api';
import type { RecordedSpan } from './span-recorder.ts';

type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: AnyValue[] } };
type KeyValue = { key: string; value: AnyValue };

/** The text of one file in pieces, so that no string need hold all of a wide run. */
export function* otlpJson(spans: readonly RecordedSpan[]): Iterable<string> {
  const services = Map.groupBy(spans, ({ service }) => service);
  yield '{"resourceSpans":[';
  let isFirst = true;
  for (const [service, own] of services) {
    const { scope } = own[0] as RecordedSpan; // a group holds at least one
    const { version } = scope;
    const attributes = keyValues({
      'service.name': service,
      ...(version !== undefined && { 'service.version': version }),
    });
    yield `${isFirst ? '' : ','}\n{"resource":${JSON.stringify({ attributes })},`;
    yield `"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`;
    for (const [i, span] of own.entries()) yield `${i === 0 ? '' : ','}\n${JSON.stringify(spanOf(span))}`;
    yield '\n]}]}';
    isFirst = false;
  }
  yield '\n]}\n';
}

const spanOf = (span: RecordedSpan) => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
  flags: TraceFlags.SAMPLED,
  name: span.name,
  kind: span.kind + 1, // OTLP counts from UNSPECIFIED, the API from INTERNAL
  startTimeUnixNano: nanoseconds(span.startedAt),
  endTimeUnixNano: nanoseconds(span.endedAt ?? span.startedAt),
  attributes: keyValues(span.attributes),
  events: span.events.map(({ name, at, attributes }) => ({
    timeUnixNano: nanoseconds(at),
    name,
    attributes: keyValues(attributes),
  })),
  links: span.links.map(({ context, attributes = {} }) => ({
    traceId: context.traceId,
    spanId: context.spanId,
    attributes: keyValues(attributes),
    flags: context.traceFlags,
  })),
  status: span.status,
});

const keyValues = (attributes: Attributes): KeyValue[] =>
  Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));

function anyValue(value: AttributeValue): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => anyValue(each)) } };
  return { stringValue: JSON.stringify(value) };
}

/** As a string: a 64-bit number is more than JSON's readers keep exactly. */
const nanoseconds = (ms: number): string => `${Math.round(ms * 1000)}000`;
