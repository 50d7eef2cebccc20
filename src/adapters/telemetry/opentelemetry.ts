/**
 * Runs as traces and metrics, through the OpenTelemetry API alone: which SDK records them, if any, is the program's.
 *  1. Nothing here throws, whatever the SDK does; and user work is called once, whatever becomes of its context.
 *  2. A run's state ends with the run, told by `run.completed` or `onEnd`; failing both, some time after its deadline.
 *  3. Without an SDK nothing is kept.
 */
import {
  context,
  metrics,
  ROOT_CONTEXT,
  trace,
  type Context,
  type MeterProvider,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Tier } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import { HOST_VERSION } from '../../version.ts';
import { harmless } from './harmless.ts';
import { SCOPE } from './names.ts';
import { openRunMetrics, type RunMetrics } from './run-metrics.ts';
import { openRunSpans, type RunSpans, type RunStarted } from './run-spans.ts';
import { hasDerivedId, traceparentFor, type DerivedSpanIds } from './span-ids.ts';
import { spanContextFrom } from './traceparent.ts';

export { derivedSpanIds, traceparentFor, type DerivedSpanIds } from './span-ids.ts';

export type OpenTelemetryOptions = {
  /** Default: the one registered globally when a run starts. */
  tracerProvider?: TracerProvider;
  /** Default: the one registered globally when a run starts. */
  meterProvider?: MeterProvider;
  /** In place of `tracerProvider` for spans of these tiers: so that each can be a service of its own. */
  tierProviders?: Partial<Readonly<Record<Tier, TracerProvider>>>;
  /** The id generator of the providers: a node's trace context then follows from the run's, by `traceparentFor`. */
  ids?: DerivedSpanIds;
  /**
   * Sends what was asked and found, too: questions, statements, values, reasons, messages. Default: none of it.
   */
  captureContent?: boolean;
  /** The span in it becomes the parent of every run's span. Default: the context in which `start` was called. */
  parent?: Context;
};

type OpenRun = {
  readonly spans: RunSpans | undefined;
  readonly metrics: RunMetrics | undefined;
  readonly started: RunStarted;
  /** On the process's monotonic clock, in ms: the run's own clock may be a virtual one. */
  readonly openedAt: number;
  lastAt: number;
};

/** How long after its deadline a run that never said it had ended is taken to have, in ms. */
const GRACE_MS = 60_000;

/**
 * A span for each run, node and step, with their parents right whatever runs at the same time, and metrics by tier. What
 * was asked and found stays out, unless `captureContent` is set. Names are in docs/telemetry.md.
 *
 * The run's span is a child of the span that was active when `start` was called, given a context manager that follows
 * promises (`AsyncLocalStorageContextManager`); embedded in a machine of the caller's own, of whatever was active
 * when the actor started, so give `parent` there. One instance serves any number of runs.
 * @example
 * const outcome = await run(scenario, { telemetry: opentelemetry() });
 */
export function opentelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const { tracerProvider, tierProviders, meterProvider, parent, ids, captureContent = false } = options;
  const runs = new Map<string, OpenRun>();

  const end = (runId: string): void => {
    const run = runs.get(runId);
    if (!run) return;
    runs.delete(runId);
    const { started, openedAt, lastAt, spans, metrics } = run;
    const now = Math.max(lastAt, started.at + performance.now() - openedAt);
    harmless(() => spans?.abandon(now));
    harmless(() => metrics?.abandon());
  };
  const open = (started: RunStarted): void => {
    const openedAt = performance.now();
    for (const [runId, run] of runs) if (isOverdue(run, openedAt) || runId === started.runId) end(runId);
    const provider = tracerProvider ?? trace.getTracerProvider();
    const spans = harmless(() => {
      const maker = { tracerOf: tracersOf(provider, tierProviders), ids, capturesContent: captureContent };
      return openRunSpans(maker, started, parent ?? context.active());
    });
    const metered = harmless(() => openRunMetrics(meterProvider ?? metrics.getMeterProvider(), started));
    if (!spans && !metered) return;
    runs.set(started.runId, { spans, metrics: metered, started, openedAt, lastAt: started.at });
  };
  const observe = (run: OpenRun, event: RunEvent): void => {
    run.lastAt = event.at;
    harmless(() => run.spans?.apply(event));
    harmless(() => run.metrics?.apply(event));
    if (event.type === 'run.completed') end(event.runId); // whatever its own end could not close
  };

  return {
    onEvent(event) {
      if (event.type === 'run.started') return open(event);
      const run = runs.get(event.runId);
      if (run) observe(run, event);
    },
    isWatching: (runId) => runs.has(runId),
    onEnd: end,
    traceparentOf: (runId, path) => harmless(() => runs.get(runId)?.spans?.traceparentOf(path)),
    traceparentFor: (run, runId, path) =>
      harmless(() => (hasDerivedId(run, runId) ? traceparentFor(run, runId, path) : undefined)),
    within(task, work) {
      const held = harmless(() => runs.get(task.runId)?.spans?.contextOf(task.path) ?? contextFrom(task));
      return held ? inContext(held, work) : work();
    },
  };
}

function tracersOf(all: TracerProvider, own: OpenTelemetryOptions['tierProviders'] = {}): (tier: Tier) => Tracer {
  const tracerIn = (provider: TracerProvider): Tracer => provider.getTracer(SCOPE, HOST_VERSION);
  const general = tracerIn(all);
  const { root = all, domain = all, leaf = all } = own;
  const tracers = { root, domain, leaf };
  const ofTier = (tier: Tier): Tracer => (tracers[tier] === all ? general : tracerIn(tracers[tier]));
  const made: Record<Tier, Tracer> = { root: ofTier('root'), domain: ofTier('domain'), leaf: ofTier('leaf') };
  return (tier) => made[tier];
}

const isOverdue = ({ openedAt, started }: OpenRun, now: number): boolean =>
  now > openedAt + (started.deadline - started.at) + GRACE_MS;

/** Of a node whose span is held elsewhere: by another process, or by nobody any more. */
function contextFrom({ traceparent }: Task): Context | undefined {
  const span = traceparent === undefined ? undefined : spanContextFrom(traceparent);
  return span && trace.setSpanContext(ROOT_CONTEXT, span);
}

function inContext<Result>(held: Context, work: () => Result): Result {
  let hasBegun = false;
  const begin = (): Result => {
    hasBegun = true;
    return work();
  };
  try {
    return context.with(held, begin);
  } catch (error) {
    if (hasBegun) throw error;
    return work(); // the context manager's fault is not the work's
  }
}
