/**
 * The OpenTelemetry SDK as the command starts it: traces and metrics over OTLP/http, as the OTEL_* variables say.
 * Imported only when telemetry is wanted: its packages are optional.
 */
import { randomUUID } from 'node:crypto';
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
import {
  AggregationType,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { SCOPE, SERVICE, TIERS } from '../adapters/telemetry/names.ts';
import { derivedSpanIds, opentelemetry, type OpenTelemetryOptions } from '../adapters/telemetry/opentelemetry.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { HOST_VERSION } from '../version.ts';

export type Signal = 'traces' | 'metrics';
export type SdkOptions = {
  readonly signals: ReadonlySet<Signal>;
  /** Which services a trace is of. Default: one for each tier, unless the environment names the service. */
  readonly services?: 'per-tier' | 'single' | undefined;
  readonly capturesContent: boolean;
};
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
export function startSdk(env: Env, { signals, services, capturesContent }: SdkOptions): Sdk {
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
  const named = detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] });
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': SERVICE,
        'service.version': HOST_VERSION,
        'service.instance.id': randomUUID(), // each process counts from 0: a store must not take two for one
      }),
    )
    .merge(named);
  const ends: (() => Promise<void>)[] = [];
  const options: OpenTelemetryOptions = { captureContent: capturesContent };

  if (signals.has('traces')) {
    const exporter = watched('traces', new OTLPTraceExporter());
    const ids = derivedSpanIds();
    const shared = {
      idGenerator: ids,
      sampler: samplerFrom(env),
      spanProcessors: [new BatchSpanProcessor({ exporter, ...batchingFrom(env) })],
    };
    const isSingle = services === undefined ? named.attributes['service.name'] !== undefined : services === 'single';
    const suffixed = (suffix: string): TracerProvider => {
      const name = `${String(resource.attributes['service.name'])}${suffix}`;
      return new TracerProvider({
        ...shared,
        resource: resource.merge(resourceFromAttributes({ 'service.name': name })),
      });
    };
    const one = isSingle ? suffixed('') : undefined;
    const [root, domain, leaf] = TIERS.map((tier) => one ?? suffixed(`-${tier}`)) as [
      TracerProvider,
      TracerProvider,
      TracerProvider,
    ];
    // What makes spans of its own is mostly called by leaves.
    if (trace.setGlobalTracerProvider(leaf)) {
      ends.push(() => leaf.shutdown().finally(() => trace.disable())); // and with it the processor that all share
      Object.assign(options, { ids, tierProviders: { root, domain, leaf } });
    }
    const manager = new AsyncLocalStorageContextManager().enable();
    if (context.setGlobalContextManager(manager)) ends.push(async () => context.disable());
  }
  if (signals.has('metrics')) {
    const exporter = watched('metrics', new OTLPMetricExporter());
    const reader = new PeriodicExportingMetricReader({ exporter, ...intervalFrom(env) });
    const provider = new MeterProvider({ resource, readers: [reader], views: viewsFrom(env) });
    if (metrics.setGlobalMeterProvider(provider)) {
      ends.push(() => provider.shutdown().finally(() => metrics.disable()));
    }
  }
  return {
    telemetry: opentelemetry(options),
    failures,
    get pending() {
      return pending;
    },
    async shutdown() {
      await Promise.allSettled(ends.map((end) => end()));
    },
  };
}

/** Exponential histograms of durations, from which a variance can be had; the variable is the specification's own. */
function viewsFrom(env: Env): ViewOptions[] {
  if (env['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION']?.trim() === 'explicit_bucket_histogram')
    return [];
  return [
    {
      meterName: SCOPE,
      instrumentType: InstrumentType.HISTOGRAM,
      instrumentUnit: 's',
      aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
    },
  ];
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
