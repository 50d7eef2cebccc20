/** Takes OTLP/http as a collector does, and decodes it with the official definitions. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

// The only package that has the definitions as files is an old one of OpenTelemetry's own; messages have only grown since.
const { resolve } = createRequire(import.meta.url);
const PROTOS = join(dirname(resolve('@opentelemetry/otlp-grpc-exporter-base/package.json')), 'build/protos');
const SERVICES = ['trace/v1/trace_service.proto', 'metrics/v1/metrics_service.proto'];

const root = new protobuf.Root();
root.resolvePath = (_, target) => join(PROTOS, target);
root.loadSync(SERVICES.map((service) => `opentelemetry/proto/collector/${service}`));
const requestOf = (signal: string): protobuf.Type =>
  root.lookupType(
    `opentelemetry.proto.collector.${signal}.v1.Export${signal === 'trace' ? 'Trace' : 'Metrics'}ServiceRequest`,
  );
const REQUESTS: Readonly<Record<string, protobuf.Type>> = {
  '/v1/traces': requestOf('trace'),
  '/v1/metrics': requestOf('metrics'),
};

type Attributes = Readonly<Record<string, string | number | boolean>>;
export type OtlpSpan = {
  service: string;
  traceId: string;
  spanId: string;
  /** Empty at the root of a trace. */
  parentSpanId: string;
  name: string;
  kind: string;
  /** Epoch ms. */
  startedAt: number;
  endedAt: number;
  attributes: Attributes;
  status: { code: string; message: string };
  links: { traceId: string; spanId: string }[];
  events: { name: string; attributes: Attributes }[];
};
export type OtlpPoint = {
  metric: string;
  unit: string;
  kind: 'sum' | 'gauge' | 'histogram' | 'exponentialHistogram';
  attributes: Attributes;
  /** Of a sum. */
  value: number;
  /** Of a histogram. */
  count: number;
  sum: number;
  /** Of an exponential one: how often each value came, nearly. */
  values: { value: number; times: number }[];
};

export type OtlpReceiver = Awaited<ReturnType<typeof otlpReceiver>>;
/** Listens on a free port until disposed of. */
export async function otlpReceiver() {
  const bodies: { path: string; body: Buffer }[] = [];
  const problems: string[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const path = request.url ?? '';
    if (request.headers['content-type'] !== 'application/x-protobuf') problems.push('it is not protobuf');
    const definition = REQUESTS[path];
    const misfit = definition ? definition.verify(definition.decode(body)) : `nobody takes ${path}`;
    if (misfit !== null) problems.push(misfit);
    bodies.push({ path, body });
    response.setHeader('content-type', 'application/x-protobuf');
    response.end();
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const messages = (path: string): unknown[] =>
    bodies.filter((one) => one.path === path).map(({ body }) => plain(path, body));
  return {
    url: `http://127.0.0.1:${port}`,
    problems,
    spans: (): OtlpSpan[] => (messages('/v1/traces') as TraceRequest[]).flatMap(spansIn),
    /** Of the last export: they are cumulative. */
    points: (): OtlpPoint[] => (messages('/v1/metrics') as MetricsRequest[]).slice(-1).flatMap(pointsIn),
    /** All that came, as it came: text stands in protobuf as it is. */
    text: () => Buffer.concat(bodies.map(({ body }) => body)).toString('latin1'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function plain(path: string, body: Buffer): unknown {
  const definition = REQUESTS[path];
  return definition?.toObject(definition.decode(body), { longs: String, enums: String, bytes: Buffer, defaults: true });
}

type Value = { value?: 'stringValue' | 'intValue' | 'doubleValue' | 'boolValue' } & Record<string, unknown>;
type KeyValue = { key: string; value: Value };
type Resource = { resource: { attributes: KeyValue[] } };
type Id = { traceId: Buffer; spanId: Buffer };
type TraceRequest = { resourceSpans: (Resource & { scopeSpans: { spans: SentSpan[] }[] })[] };
type SentSpan = Id & {
  parentSpanId: Buffer;
  name: string;
  kind: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: KeyValue[];
  status: { code: string; message: string };
  links: Id[];
  events: { name: string; attributes: KeyValue[] }[];
};
type SentPoint = {
  attributes: KeyValue[];
  asInt?: string;
  asDouble?: number;
  count?: string;
  sum?: number;
  scale?: number;
  zeroCount?: string;
  positive?: { offset: number; bucketCounts: string[] };
};
type SentMetric = { name: string; unit: string } & Partial<
  Record<OtlpPoint['kind'], { dataPoints: SentPoint[] } | null>
>;
type MetricsRequest = { resourceMetrics: (Resource & { scopeMetrics: { metrics: SentMetric[] }[] })[] };

function valueOf(value: Value): string | number | boolean {
  for (const kind of ['stringValue', 'boolValue', 'doubleValue'] as const) {
    const held = value[kind];
    if (held !== undefined && held !== null) return held as string | number | boolean;
  }
  return Number(value['intValue']);
}
const attributesOf = (sent: readonly KeyValue[]): Attributes =>
  Object.fromEntries(sent.map(({ key, value }) => [key, valueOf(value)]));
const idsOf = ({ traceId, spanId }: Id) => ({ traceId: traceId.toString('hex'), spanId: spanId.toString('hex') });
const ms = (nanos: string): number => Number(BigInt(nanos) / 1_000n) / 1_000;

const spansIn = ({ resourceSpans }: TraceRequest): OtlpSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(attributesOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service,
        ...idsOf(span),
        parentSpanId: span.parentSpanId.toString('hex'),
        name: span.name,
        kind: span.kind,
        startedAt: ms(span.startTimeUnixNano),
        endedAt: ms(span.endTimeUnixNano),
        attributes: attributesOf(span.attributes),
        status: { code: span.status.code, message: span.status.message },
        links: span.links.map(idsOf),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: attributesOf(attributes) })),
      })),
    );
  });

const KINDS = ['sum', 'gauge', 'histogram', 'exponentialHistogram'] as const;
const pointsIn = ({ resourceMetrics }: MetricsRequest): OtlpPoint[] =>
  resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((metric) =>
        KINDS.flatMap((kind) =>
          (metric[kind]?.dataPoints ?? []).map((point) => ({
            metric: metric.name,
            unit: metric.unit,
            kind,
            attributes: attributesOf(point.attributes),
            value: point.asDouble ?? Number(point.asInt ?? 0),
            count: Number(point.count ?? 0),
            sum: point.sum ?? 0,
            values: valuesIn(point),
          })),
        ),
      ),
    ),
  );

/** Bucket i of scale s holds (b^i, b^(i+1)] with b = 2^(2^-s); its middle stands for it. */
function valuesIn({ scale = 0, zeroCount = '0', positive }: SentPoint): OtlpPoint['values'] {
  const base = 2 ** (2 ** -scale);
  const zeros = Number(zeroCount) > 0 ? [{ value: 0, times: Number(zeroCount) }] : [];
  const above = (positive?.bucketCounts ?? []).flatMap((times, i) => {
    const below = base ** ((positive?.offset ?? 0) + i);
    return Number(times) > 0 ? [{ value: (below * (1 + base)) / 2, times: Number(times) }] : [];
  });
  return [...zeros, ...above];
}
