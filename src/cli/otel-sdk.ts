/**
 * The OpenTelemetry SDK as the command starts it: traces and metrics over OTLP/http, as the OTEL_* variables say.
 * Imported only when telemetry is wanted: its packages are optional.
 */
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { opentelemetry } from '../adapters/telemetry/opentelemetry.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { HOST_VERSION } from '../version.ts';

export type Signal = 'traces' | 'metrics';
type Env = Readonly<Record<string, string | undefined>>;
type Exported = { code: number; error?: Error };
type Exporter<Items> = { export(items: Items, done: (result: Exported) => void): void };

export type Sdk = {
  readonly telemetry: Telemetry;
  /** Sends what is left, and takes the SDK out of the process. */
  shutdown(): Promise<void>;
  /** Exports that have not been answered. */
  readonly pending: number;
  /** The first failure of each signal. */
  readonly failures: ReadonlyMap<Signal, Error>;
};

/** A provider that the process has registered already, by `node --import`, stays: then that one is told of the run. */
export function startSdk(env: Env): Sdk {
  const failures = new Map<Signal, Error>();
  let pending = 0;
  const watched = <Items, Own extends Exporter<Items>>(signal: Signal, exporter: Own & Exporter<Items>): Own => {
    const send = exporter.export.bind(exporter);
    exporter.export = (items, done) => {
      pending++;
      send(items, (result) => {
        pending--;
        const { code, error = new Error('no reason given') } = result;
        if (code !== 0 && !failures.has(signal)) failures.set(signal, error);
        done(result);
      });
    };
    return exporter;
  };
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'espalier', 'service.version': HOST_VERSION }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
  const ends: (() => Promise<void>)[] = [];

  if (env['OTEL_TRACES_EXPORTER']?.trim() !== 'none') {
    const exporter = watched('traces', new OTLPTraceExporter());
    const provider = new TracerProvider({
      resource,
      sampler: samplerFrom(env),
      spanProcessors: [new BatchSpanProcessor({ exporter, ...batchingFrom(env) })],
    });
    if (trace.setGlobalTracerProvider(provider)) {
      ends.push(() => provider.shutdown().finally(() => trace.disable()));
    }
    const manager = new AsyncLocalStorageContextManager().enable();
    if (context.setGlobalContextManager(manager)) ends.push(async () => context.disable());
  }
  if (env['OTEL_METRICS_EXPORTER']?.trim() !== 'none') {
    const exporter = watched('metrics', new OTLPMetricExporter());
    const reader = new PeriodicExportingMetricReader({ exporter, ...intervalFrom(env) });
    const provider = new MeterProvider({ resource, readers: [reader] });
    if (metrics.setGlobalMeterProvider(provider)) {
      ends.push(() => provider.shutdown().finally(() => metrics.disable()));
    }
  }
  return {
    telemetry: opentelemetry(),
    failures,
    get pending() {
      return pending;
    },
    async shutdown() {
      await Promise.allSettled(ends.map((end) => end()));
    },
  };
}

/** A whole number above zero; what is not one counts as not set, as the OTEL_* variables have it. */
function numberOf(env: Env, name: string): number | undefined {
  const text = env[name]?.trim() ?? '';
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** A wide tree ends many nodes at once: the SDK's own queue of 2,048 spans would lose most of them. */
function batchingFrom(env: Env) {
  return {
    maxQueueSize: numberOf(env, 'OTEL_BSP_MAX_QUEUE_SIZE') ?? 16_384,
    maxExportBatchSize: numberOf(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? 1024,
    scheduledDelayMillis: numberOf(env, 'OTEL_BSP_SCHEDULE_DELAY') ?? 5000,
    exportTimeoutMillis: numberOf(env, 'OTEL_BSP_EXPORT_TIMEOUT') ?? 30_000,
  };
}

function intervalFrom(env: Env) {
  const exportIntervalMillis = numberOf(env, 'OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000;
  const timeout = numberOf(env, 'OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000;
  return { exportIntervalMillis, exportTimeoutMillis: Math.min(timeout, exportIntervalMillis) };
}

function samplerFrom(env: Env): Sampler {
  const name = env['OTEL_TRACES_SAMPLER']?.trim() ?? '';
  const root = rootSampler(name.replace(/^parentbased_/, ''), env['OTEL_TRACES_SAMPLER_ARG']);
  if (root && !name.startsWith('parentbased_')) return root;
  return new ParentBasedSampler({ root: root ?? new AlwaysOnSampler() });
}

function rootSampler(name: string, argument: string | undefined): Sampler | undefined {
  if (name === 'always_on') return new AlwaysOnSampler();
  if (name === 'always_off') return new AlwaysOffSampler();
  if (name !== 'traceidratio') return undefined;
  const ratio = Number(argument || 1);
  return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1);
}
