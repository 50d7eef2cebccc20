/**
 * What telemetry costs: processor time per leaf of a run that is traced and measured by the SDK, exported over OTLP to a
 * local receiver, and of one that is told to a telemetry without an SDK, over one that is told to nobody.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { run, type RunOptions } from 'espalier';
import { derivedSpanIds, opentelemetry } from 'espalier/opentelemetry';
import { interleaved, median, medianRatio } from './statistics.ts';
import { leavesIn, scenarioOf, shapeOf, treeOf, type Widths } from './tree.ts';

export type TelemetryCost = {
  shape: string;
  /** µs of the processor per leaf, medians of the rounds: told to nobody, to a telemetry without an SDK, and with one. */
  us: { plain: number; idle: number; exported: number };
  /** Medians of the ratios within a round, to `plain`. */
  idle: number;
  exported: number;
  /** That the collector was sent, per leaf. */
  bytes: number;
};

const SHAPE: Widths = [10, 100];
const RUNS = 3; // in a sample, so that each pays for its own share of collected garbage
const WARM_UP = 15;

export async function measureTelemetry(rounds: number, note: (text: string) => void): Promise<TelemetryCost> {
  const sink = fork(fileURLToPath(new URL('./otlp-sink.ts', import.meta.url)), { execArgv: [] });
  try {
    const [port] = (await once(sink, 'message')) as [number];
    note(`telemetry: µs per leaf, ${shapeOf(SHAPE)}`);
    const { leaves, ...cost } = await costOf(rounds, `http://127.0.0.1:${port}`);
    sink.send('how many');
    const [bytes] = (await once(sink, 'message')) as [number];
    if (bytes === 0) throw new Error('the collector was sent nothing');
    return { ...cost, bytes: bytes / leaves };
  } finally {
    sink.disconnect();
  }
}

/** `leaves`: all of which the collector was told. */
async function costOf(rounds: number, url: string): Promise<Omit<TelemetryCost, 'bytes'> & { leaves: number }> {
  const scenario = scenarioOf(treeOf(SHAPE), { maxDepth: SHAPE.length });
  const ids = derivedSpanIds();
  const spans = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }),
    maxQueueSize: 1 << 16,
    maxExportBatchSize: 1024,
  });
  const tracerProvider = new TracerProvider({ idGenerator: ids, spanProcessors: [spans] });
  const exporter = new OTLPMetricExporter({ url: `${url}/v1/metrics` });
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const telemetry = opentelemetry({ tracerProvider, meterProvider, ids });

  const perLeaf = (options: RunOptions, flush = async (): Promise<void> => {}) => {
    return async (): Promise<number> => {
      globalThis.gc?.(); // or whoever comes next collects what the one before left
      const before = process.cpuUsage();
      for (let i = 0; i < RUNS; i++) {
        const { status } = await run(scenario, options);
        if (status !== 'complete') throw new Error(`a run ended ${status}`);
      }
      await flush();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / (leavesIn(SHAPE) * RUNS);
    };
  };
  const ways = {
    plain: perLeaf({}),
    idle: perLeaf({ telemetry: opentelemetry() }),
    exported: perLeaf({ telemetry }, async () => {
      await tracerProvider.forceFlush();
      await meterProvider.forceFlush();
    }),
  };
  await interleaved(WARM_UP, ways);
  const us = await interleaved(rounds, ways);
  await tracerProvider.shutdown();
  await meterProvider.shutdown();
  return {
    shape: shapeOf(SHAPE),
    us: { plain: median(us.plain), idle: median(us.idle), exported: median(us.exported) },
    idle: medianRatio(us.idle, us.plain),
    exported: medianRatio(us.exported, us.plain),
    leaves: (WARM_UP + rounds) * RUNS * leavesIn(SHAPE),
  };
}
