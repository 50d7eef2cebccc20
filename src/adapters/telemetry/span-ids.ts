/**
 * Ids of spans that follow from the run and the node's path: so that every process that knows the run's trace context
 * knows that of each of its nodes, and a run that is replayed from its events has the same ids.
 *  1. No SDK is imported: an SDK takes what has these two methods for its id generator.
 *  2. A span of anybody else's gets random ids.
 */
import { randomBytes } from 'node:crypto';
import { sha256 } from '../../protocol/digest.ts';
import { spanContextFrom, traceparentFrom } from './traceparent.ts';

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

/** What an SDK asks for ids: `new TracerProvider({ idGenerator })`. */
export type DerivedSpanIds = {
  generateTraceId(): string;
  generateSpanId(): string;
  /** Starts a span, whose ids these are if it is given some: a trace's id counts only for a span without a parent. */
  giving<Started>(ids: SpanIds, start: () => Started): Started;
};
export type SpanIds = { readonly spanId: string; readonly traceId?: string };

/**
 * Gives the spans of runs ids that `traceparentFor` can compute. Give one instance to the tracer provider and to
 * `opentelemetry`.
 * @example
 * const ids = derivedSpanIds();
 * const tracerProvider = new TracerProvider({ idGenerator: ids });
 * const telemetry = opentelemetry({ tracerProvider, ids });
 */
export function derivedSpanIds(): DerivedSpanIds {
  // Each is for one span: what an SDK's own parts start while it starts ours has ids of its own.
  let spanId: string | undefined;
  let traceId: string | undefined;
  return {
    generateTraceId() {
      const given = traceId;
      traceId = undefined;
      return given ?? randomId(TRACE_BYTES);
    },
    generateSpanId() {
      const given = spanId;
      spanId = undefined;
      return given ?? randomId(SPAN_BYTES);
    },
    giving(ids, start) {
      ({ spanId, traceId } = ids);
      try {
        return start();
      } finally {
        spanId = traceId = undefined;
      }
    },
  };
}

/** Not all zeros, which would be no id. */
function randomId(bytes: number): string {
  const id = randomBytes(bytes);
  id[0] = (id[0] ?? 0) || 1;
  return id.toString('hex');
}

/**
 * The trace context of the node at `path` of a run whose span has `runTraceparent` (`Telemetry.traceparentOf(runId, '')`),
 * where spans have derived ids. Undefined when `runTraceparent` is no trace context.
 */
export function traceparentFor(runTraceparent: string, runId: string, path: string): string | undefined {
  const run = spanContextFrom(runTraceparent);
  return run && traceparentFrom({ ...run, spanId: spanIdIn(run.spanId, runId, path) });
}

/** Whether whoever started the run's span derives ids. Only of a run that was not resumed it can be told. */
export const hasDerivedId = (runTraceparent: string, runId: string): boolean =>
  spanContextFrom(runTraceparent)?.spanId === idsOfRun(runId, 0).spanId;

/** Of a run's span. `events`: how many events it had when this process took it up; 0 of a new one. */
export const idsOfRun = (runId: string, events: number): Required<SpanIds> => ({
  traceId: sha256(`trace ${runId}`).slice(0, 2 * TRACE_BYTES),
  spanId: sha256(`run ${runId} ${events}`).slice(0, 2 * SPAN_BYTES),
});

/** Of a node's span, or, with a `step`, of the span of something that it does: a path holds no "#". */
export const spanIdIn = (runSpanId: string, runId: string, path: string, step = ''): string =>
  sha256(`${runSpanId} ${runId} ${path}#${step}`).slice(0, 2 * SPAN_BYTES);
