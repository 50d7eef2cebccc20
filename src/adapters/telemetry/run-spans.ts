/**
 * The spans of one run: one for the run, one for each node.
 *  1. A span's parent is the held span of the node above, never what happens to be the active context.
 *  2. Every span that was started is ended once: by its node's end, else with the run. None is held after its end.
 *  3. Times are the events' own, so a run that is replayed from its events gives the same trace.
 *  4. Without an SDK there are none, and nothing is made for a node.
 */
import {
  isSpanContextValid,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { nameOf, parentOf } from '../../protocol/path.ts';
import type { Outcome } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { harmless } from './harmless.ts';
import { AGENT, ATTRIBUTE, SPAN_EVENT, STOPPED, WORKFLOW } from './names.ts';
import { outcomeAttributes } from './outcome-attributes.ts';
import { traceparentFrom } from './traceparent.ts';

export type RunStarted = Extract<RunEvent, { type: 'run.started' }>;
type NodeStarted = Extract<RunEvent, { type: 'node.started' }>;

export type RunSpans = {
  apply(event: RunEvent): void;
  /** What is to be active while a node that has started and not ended works. */
  contextOf(path: string): Context | undefined;
  traceparentOf(path: string): string | undefined;
  /** Ends all that is still open: the run was stopped, or broke. `at` in epoch ms. */
  abandon(at: number): void;
};

/** Starts the run's span, as a child of the span in `parent` if there is one. `undefined` when nobody records. */
export function openRunSpans(tracer: Tracer, started: RunStarted, parent: Context): RunSpans | undefined {
  const run = tracer.startSpan(
    `${WORKFLOW} ${started.scenario}`,
    { startTime: new Date(started.at), attributes: runAttributes(started) },
    parent,
  );
  if (isOfNobody(run, parent)) return undefined;
  const nodes = new Map<string, Span>();

  /** Of an alert about a node that never was, or has ended: the nearest one above it. */
  const nearest = (path: string): Span => {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const span = nodes.get(at);
      if (span) return span;
    }
    return run;
  };
  const begin = (event: NodeStarted): void => {
    const { path, at } = event;
    const above = nearest(parentOf(path));
    leave(path, at);
    const options = { startTime: new Date(at), attributes: nodeAttributes(event) };
    nodes.set(path, tracer.startSpan(`${AGENT} ${nameOf(path)}`, options, trace.setSpan(parent, above)));
  };
  const end = (span: Span, status: string, at: number): void => {
    if (status !== 'complete') {
      span.setAttribute(ATTRIBUTE.errorType, status);
      span.setStatus({ code: SpanStatusCode.ERROR, message: status });
    }
    span.end(new Date(at));
  };
  const endNode = (path: string, outcome: Outcome, at: number): void => {
    const span = nodes.get(path);
    if (!span) return;
    nodes.delete(path);
    if (span.isRecording()) span.setAttributes(outcomeAttributes(outcome));
    end(span, outcome.status, at);
  };
  const leave = (path: string, at: number): void => {
    const span = nodes.get(path);
    if (!span) return;
    nodes.delete(path);
    span.setAttribute(ATTRIBUTE.status, STOPPED);
    end(span, STOPPED, at);
  };
  let hasEnded = false;
  const endRun = (status: string, at: number): void => {
    if (hasEnded) return;
    hasEnded = true;
    for (const path of nodes.keys()) harmless(() => leave(path, at));
    run.setAttribute(ATTRIBUTE.status, status);
    end(run, status, at);
  };

  let escalations = 0;
  return {
    apply(event) {
      const { path, at } = event;
      switch (event.type) {
        case 'node.started':
          return begin(event);
        case 'depth.refused':
          nodes.get(path)?.setAttribute(ATTRIBUTE.isDemoted, true);
          return;
        case 'finding.escalated':
          escalations++;
          run.addEvent(SPAN_EVENT.escalation, { [ATTRIBUTE.path]: path }, new Date(at));
          return;
        case 'integrity.alert': {
          const about = { [ATTRIBUTE.alertKind]: event.kind, [ATTRIBUTE.path]: path };
          nearest(path).addEvent(SPAN_EVENT.alert, about, new Date(at));
          return;
        }
        case 'node.reported':
          if (event.tier === 'root') run.setAttribute(ATTRIBUTE.gaps, event.report.gaps.length);
          return endNode(path, event.report, at);
        case 'node.failed':
          return endNode(path, event.token, at);
        case 'run.completed':
          run.setAttribute(ATTRIBUTE.escalations, escalations);
          return endRun(event.status, at);
        default:
      }
    },
    contextOf(path) {
      const span = nodes.get(path);
      return span && trace.setSpan(parent, span);
    },
    traceparentOf(path) {
      const span = nodes.get(path);
      return span && traceparentFrom(span.spanContext());
    },
    abandon: (at) => endRun(STOPPED, at),
  };
}

const runAttributes = ({ runId, scenario, maxDepth, asOf }: RunStarted): Attributes => ({
  [ATTRIBUTE.operation]: WORKFLOW,
  [ATTRIBUTE.workflow]: scenario,
  [ATTRIBUTE.runId]: runId,
  [ATTRIBUTE.depthLimit]: maxDepth,
  ...(asOf !== undefined && { [ATTRIBUTE.asOf]: asOf }),
});

const nodeAttributes = ({ runId, path, tier, depth }: NodeStarted): Attributes => ({
  [ATTRIBUTE.operation]: AGENT,
  [ATTRIBUTE.agent]: nameOf(path),
  [ATTRIBUTE.runId]: runId,
  [ATTRIBUTE.path]: path,
  [ATTRIBUTE.tier]: tier,
  [ATTRIBUTE.depth]: depth,
});

/** Without an SDK a span is invalid, or a copy of its parent. One that was not sampled is neither. */
function isOfNobody(span: Span, parent: Context): boolean {
  if (span.isRecording()) return false;
  const own = span.spanContext();
  return !isSpanContextValid(own) || own.spanId === trace.getSpanContext(parent)?.spanId;
}
