/** The tracer provider of ours, used as the API has it. */
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { otlpJson } from '../../../src/adapters/telemetry/otlp-json.ts';
import { jaegerJson } from '../../../src/adapters/telemetry/jaeger-json.ts';
import { derivedSpanIds } from '../../../src/adapters/telemetry/span-ids.ts';
import { recordSpans } from '../../../src/adapters/telemetry/span-recorder.ts';
import { pageFile } from '../../support/jaeger-page.ts';

const AT = Date.UTC(2026, 10, 20);

it('keeps what a span is told until it has ended', () => {
  const recorder = recordSpans(derivedSpanIds());
  const tracer = recorder.providerOf('mine').getTracer('scope', '1.2.3');
  const span = tracer.startSpan('first', { startTime: new Date(AT), attributes: { a: 1 } }, ROOT_CONTEXT);
  expect(span.isRecording()).toBe(true);
  span.setAttribute('b', 'two').setAttributes({ c: true }).updateName('second');
  span.addEvent('early', [AT / 1000, 5e6]).addEvent('late', { why: 'x' }, AT + 20);
  span.recordException(new RangeError('not said'), AT + 30);
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'timeout' });
  span.end(AT + 40);
  span
    .setAttribute('d', 4)
    .addEvent('too late', AT)
    .setStatus({ code: SpanStatusCode.OK })
    .end(AT + 50);
  expect(span.isRecording()).toBe(false);
  expect(recorder.spans).toEqual([
    {
      service: 'mine',
      scope: { name: 'scope', version: '1.2.3' },
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
      name: 'second',
      kind: SpanKind.INTERNAL,
      startedAt: AT,
      endedAt: AT + 40,
      attributes: { a: 1, b: 'two', c: true },
      events: [
        { name: 'early', at: AT + 5, attributes: {} },
        { name: 'late', at: AT + 20, attributes: { why: 'x' } },
        { name: 'exception', at: AT + 30, attributes: { 'exception.type': 'RangeError' } },
      ],
      links: [],
      status: { code: SpanStatusCode.ERROR, message: 'timeout' },
    },
  ]);
});

it('has parents from the context it is given, and none where a root is asked for', () => {
  const { spans, providerOf } = recordSpans(derivedSpanIds());
  const tracer = providerOf('mine').getTracer('scope');
  const answer = tracer.startActiveSpan('above', { kind: SpanKind.CLIENT }, ROOT_CONTEXT, (above) => {
    const held = trace.setSpan(context.active(), above);
    expect(tracer.startSpan('below', {}, held).spanContext().traceFlags).toBe(TraceFlags.SAMPLED);
    tracer.startSpan('alone', { root: true }, held);
    return 42;
  });
  const [above, below, alone] = spans;
  expect(answer).toBe(42);
  expect(below).toMatchObject({ traceId: above?.traceId, parentSpanId: above?.spanId });
  expect(alone).not.toHaveProperty('parentSpanId');
  expect(alone?.traceId).not.toBe(above?.traceId);
});

it('is written with every kind of value, in both forms', () => {
  const recorder = recordSpans(derivedSpanIds());
  const tracer = recorder.providerOf('mine').getTracer('scope');
  const attributes = { whole: 3, part: 0.5, text: 'é"\n', yes: true, list: ['a', 1], nothing: undefined };
  const link = { context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED } };
  const above = tracer.startSpan('above', { startTime: new Date(AT), links: [link] }, ROOT_CONTEXT);
  const options = { startTime: AT + 0.25, attributes, links: [link] };
  tracer.startSpan('below', options, trace.setSpan(ROOT_CONTEXT, above)).end(AT + 1.5);
  above.end(AT + 2);

  const [page] = pageFile([...jaegerJson(recorder.spans)].join(''));
  const [first, second] = page?.spans ?? [];
  expect(first?.references).toEqual([]); // the page would hang it below what it links to
  expect(second).toMatchObject({ startTime: AT * 1000 + 250, duration: 1250 });
  expect(second?.references.map(({ refType, spanID }) => [refType, spanID])).toEqual([
    ['CHILD_OF', first?.spanID],
    ['FOLLOWS_FROM', 'b'.repeat(16)],
  ]);
  expect(second?.tags.slice(0, 5)).toEqual([
    { key: 'whole', type: 'int64', value: 3 },
    { key: 'part', type: 'float64', value: 0.5 },
    { key: 'text', type: 'string', value: 'é"\n' },
    { key: 'yes', type: 'bool', value: true },
    { key: 'list', type: 'string', value: '["a",1]' },
  ]);

  const otlp = JSON.parse([...otlpJson(recorder.spans)].join('')) as { resourceSpans: object[] };
  expect(otlp.resourceSpans).toHaveLength(1);
  expect(otlp.resourceSpans[0]).toMatchObject({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: 'mine' } }] },
    scopeSpans: [
      {
        scope: { name: 'scope' },
        spans: [
          { name: 'above', links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }] },
          {
            name: 'below',
            startTimeUnixNano: `${AT * 1000 + 250}000`,
            endTimeUnixNano: `${AT * 1000 + 1500}000`,
            attributes: [
              { key: 'whole', value: { intValue: '3' } },
              { key: 'part', value: { doubleValue: 0.5 } },
              { key: 'text', value: { stringValue: 'é"\n' } },
              { key: 'yes', value: { boolValue: true } },
              { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } } },
            ],
          },
        ],
      },
    ],
  });
});
