/**
 * The spans of one run: one for the run, one for each node, and one for each step of a node.
 *  1. A span's parent is a span held here, never what happens to be the active context: of a node the gather in which it
 *     is waited for, of a step its node.
 *  2. Every span that was started is ended once: by its node's end, else with the run. None is held after its end.
 *  3. Times are the events' own, so a run that is replayed from its events gives the same trace.
 *  4. Without an SDK there are none, and nothing is made for a node.
 *  5. No span links to what lies below it: an escalation has a span of its own, which links to where it came from.
 */
import {
  isSpanContextValid,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { nameOf, parentOf } from '../../protocol/path.ts';
import type { Tier } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import * as content from './content.ts';
import { harmless } from './harmless.ts';
import { ATTRIBUTE, OUTRUN, READ_TOOL, SPAN, SPAN_EVENT, STOPPED } from './names.ts';
import { outcomeAttributes } from './outcome-attributes.ts';
import { openSpans, type SpanMaker } from './open-spans.ts';
import { idsOfRun, spanIdIn, type SpanIds } from './span-ids.ts';
import * as steps from './step-attributes.ts';
import { createTimeline, type LiveNode, type TimelineObserver } from './timeline.ts';
import { traceparentFrom } from './traceparent.ts';

export type RunStarted = Extract<RunEvent, { type: 'run.started' }>;

export type RunSpans = {
  apply(event: RunEvent): void;
  /** What is to be active while a node that has started and not ended works. */
  contextOf(path: string): Context | undefined;
  /** Of the run itself where the path is empty. */
  traceparentOf(path: string): string | undefined;
  /** Ends all that is still open: the run was stopped, or broke. `at` in epoch ms. */
  abandon(at: number): void;
};
export type RunSpansOptions = SpanMaker & { readonly capturesContent: boolean };

/** A node's span while it is open, and that of the step it is at; which step that is, from 0. */
type Held = { readonly span: Span; readonly tier: Tier; gather?: Span; attempt?: Span; hedge?: Span; steps: number };

/** Starts the run's span, as a child of the span in `parent` if there is one. `undefined` when nobody records. */
export function openRunSpans(options: RunSpansOptions, started: RunStarted, parent: Context): RunSpans | undefined {
  const { ids, capturesContent } = options;
  const { runId } = started;

  const { begin, end, endWith } = openSpans(options);
  const run = begin(
    {
      name: `${SPAN.workflow} ${started.scenario}`,
      tier: 'root',
      at: started.at,
      attributes: { ...steps.runAttributes(started), ...(capturesContent && content.asked(started.thesis)) },
      ids: idsOfRun(runId, started.resumed?.events ?? 0),
    },
    parent,
  );
  if (isOfNobody(run, parent)) return undefined;
  const runSpanId = run.spanContext().spanId;
  const held = new Map<string, Held>();
  /** Where critical findings came from, and when: by path, and by id. */
  const origins = new Map<string, SpanContext>();
  const saidAt = new Map<string, number>();
  let escalations = 0;

  const idsOf = (path: string, step?: string): SpanIds => ({
    spanId: ids ? spanIdIn(runSpanId, runId, path, step) : '',
  });
  const under = (span: Span): Context => trace.setSpan(parent, span);
  /** Of an alert about a node that never was, or has ended: the nearest one above it. */
  const nearest = (path: string): Held | undefined => {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const one = held.get(at);
      if (one) return one;
    }
    return undefined;
  };
  const step = (path: string, one: Held, name: string, at: number, attributes: Attributes, above = one.span): Span =>
    begin(
      {
        name,
        tier: one.tier,
        at,
        attributes: { ...attributes, [ATTRIBUTE.runId]: runId, [ATTRIBUTE.path]: path },
        ids: idsOf(path, `${name} ${one.steps++}`),
      },
      under(above),
    );
  const leave = (path: string, at: number): void => {
    const one = held.get(path);
    if (!one) return;
    held.delete(path);
    for (const span of [one.attempt, one.hedge, one.gather, one.span]) if (span) endWith(span, STOPPED, at);
  };
  const withHeld = ({ path }: LiveNode, work: (one: Held) => void): void => {
    const one = held.get(path);
    if (one) work(one);
  };

  const observer: TimelineObserver = {
    started({ path, tier }, event) {
      const above = nearest(parentOf(path));
      const attributes = {
        ...steps.nodeAttributes(event),
        ...(capturesContent && content.asked(event.question, event.charter)),
      };
      leave(path, event.at);
      const span = begin(
        { name: `${SPAN.agent} ${nameOf(path)}`, tier, at: event.at, attributes, ids: idsOf(path) },
        under(above?.gather ?? above?.span ?? run),
      );
      held.set(path, { span, tier, steps: 0 });
    },
    planned: (node, from, at, decision) =>
      withHeld(node, (one) => {
        const span = step(node.path, one, SPAN.plan, from, steps.planAttributes(node, decision));
        endWith(span, decision ? 'complete' : 'failed', at);
      }),
    gathering: (node, at) =>
      withHeld(node, (one) => {
        one.gather = step(node.path, one, SPAN.gather, at, steps.gatherAttributes(node));
      }),
    gathered: (node, at, gathered) =>
      withHeld(node, (one) => {
        const { gather } = one;
        if (!gather) return;
        delete one.gather;
        gather.setAttributes(steps.gatheredAttributes(gathered));
        end(gather, gathered.isCutOff ? 'cancelled' : 'complete', at);
      }),
    attempting: (node, { at, attempt, enrichment }) =>
      withHeld(node, (one) => {
        one.attempt = step(node.path, one, SPAN.attempt, at, {
          [ATTRIBUTE.attempt]: attempt,
          ...(capturesContent && enrichment !== undefined && content.enriched(enrichment)),
        });
      }),
    attempted: (node, { at, fault, ...event }) =>
      withHeld(node, (one) => {
        const { attempt } = one;
        if (!attempt) return;
        delete one.attempt;
        if (one.hedge) endWith(one.hedge, fault.status, at);
        delete one.hedge;
        const willRetry = event.type === 'attempt.backed-off' || event.willRetry;
        attempt.setAttributes({
          ...steps.faultAttributes(fault, willRetry),
          ...(capturesContent && content.failed(fault)),
        });
        endWith(attempt, fault.status, at);
      }),
    synthesized: (node, from, at, outcome) =>
      withHeld(node, (one) => {
        const span = step(node.path, one, SPAN.synthesis, from, steps.synthesisAttributes(outcome));
        if (!('message' in outcome)) return endWith(span, 'complete', at);
        if (capturesContent) span.setAttributes(content.failed(outcome));
        endWith(span, outcome.status, at);
      }),
    ended: (node, outcome, at) =>
      withHeld(node, ({ span, attempt, hedge }) => {
        const { path } = node;
        held.delete(path);
        for (const execution of [attempt, hedge]) {
          if (execution) endWith(execution, outcome.kind === 'report' ? 'complete' : outcome.status, at);
        }
        if (span.isRecording()) {
          span.setAttributes(outcomeAttributes(outcome));
          span.setAttributes(steps.timeAttributes(node));
          if (capturesContent) span.setAttributes(content.answered(outcome));
        }
        if (node.tier === 'root' && outcome.kind === 'report') run.setAttribute(ATTRIBUTE.gaps, outcome.gaps.length);
        end(span, outcome.status, at);
      }),
  };
  const timeline = createTimeline(observer);
  const noteOrigin = (path: string): void => {
    const one = held.get(path);
    if (one) origins.set(path, one.span.spanContext());
  };

  const escalate = ({ path, at, finding }: Extract<RunEvent, { type: 'finding.escalated' }>): void => {
    const origin = origins.get(path) ?? held.get(path)?.span.spanContext();
    const span = begin(
      {
        name: SPAN.escalation,
        tier: 'root',
        at: saidAt.get(finding.id) ?? at,
        attributes: {
          [ATTRIBUTE.runId]: runId,
          [ATTRIBUTE.path]: path,
          [ATTRIBUTE.agent]: nameOf(path),
          ...(capturesContent && content.found(finding)),
        },
        ids: idsOf(path, `${SPAN.escalation} ${escalations++}`),
        ...(origin && { links: [{ context: origin, attributes: { [ATTRIBUTE.path]: path } }] }),
      },
      under(run),
    );
    saidAt.delete(finding.id);
    end(span, 'complete', at);
  };
  /** A second execution of the present attempt beside the first, until one of them is over. */
  const hedge = (event: Extract<RunEvent, { type: 'attempt.hedged' | 'execution.dropped' }>): void => {
    const { path, at, attempt } = event;
    const one = held.get(path);
    if (!one) return;
    if (event.type === 'attempt.hedged') {
      one.hedge = step(path, one, SPAN.attempt, at, { [ATTRIBUTE.attempt]: attempt, [ATTRIBUTE.isHedge]: true });
      return;
    }
    const over = event.which === 'hedge' ? one.hedge : one.attempt;
    const goesOn = event.which === 'hedge' ? one.attempt : one.hedge;
    delete one.hedge;
    delete one.attempt;
    if (goesOn) one.attempt = goesOn;
    if (!over) return;
    const { fault } = event;
    if (fault && capturesContent) over.setAttributes(content.failed(fault));
    if (fault) return endWith(over, fault.status, at);
    over.setAttribute(ATTRIBUTE.status, OUTRUN);
    end(over, 'complete', at);
  };
  const called = (
    { path, at, startedAt, status }: Extract<RunEvent, { type: 'source.read' | 'tool.called' }>,
    tool: string,
    attributes: Attributes,
  ): void => {
    const one = held.get(path);
    if (one) endWith(step(path, one, `${SPAN.tool} ${tool}`, startedAt, attributes, one.attempt), status, at);
  };
  let hasEnded = false;
  const endRun = (status: string, at: number): void => {
    if (hasEnded) return;
    hasEnded = true;
    for (const path of held.keys()) harmless(() => leave(path, at));
    run.setAttribute(ATTRIBUTE.escalations, escalations);
    endWith(run, status, at);
  };

  return {
    apply(event) {
      const { path, at } = event;
      timeline.apply(event);
      switch (event.type) {
        case 'depth.refused':
          held.get(path)?.span.setAttribute(ATTRIBUTE.isDemoted, true);
          return;
        case 'source.read':
          return called(event, READ_TOOL, steps.readAttributes(event, capturesContent));
        case 'tool.called':
          return called(event, event.tool, steps.toolAttributes(event));
        case 'attempt.hedged':
        case 'execution.dropped':
          return hedge(event);
        case 'join.expired':
          held.get(path)?.gather?.setAttribute(ATTRIBUTE.missing, event.missing.length);
          return;
        case 'finding.reported':
          if (!event.finding.critical) return;
          saidAt.set(event.finding.id, at);
          if (!origins.has(path)) noteOrigin(path);
          return;
        case 'finding.escalated':
          return escalate(event);
        case 'integrity.alert': {
          const about = { [ATTRIBUTE.alertKind]: event.kind, [ATTRIBUTE.path]: path };
          const told = { ...about, ...(capturesContent && content.failed(event)) };
          (nearest(path)?.span ?? run).addEvent(SPAN_EVENT.alert, told, new Date(at));
          return;
        }
        case 'run.completed':
          return endRun(event.status, at);
        default:
      }
    },
    contextOf(path) {
      const one = held.get(path);
      return one && under(one.span);
    },
    traceparentOf(path) {
      const span = path === '' ? run : held.get(path)?.span;
      return span && traceparentFrom(span.spanContext());
    },
    abandon: (at) => endRun(STOPPED, at),
  };
}

/** Without an SDK a span is invalid, or a copy of its parent. One that was not sampled is neither. */
function isOfNobody(span: Span, parent: Context): boolean {
  if (span.isRecording()) return false;
  const own = span.spanContext();
  return !isSpanContextValid(own) || own.spanId === trace.getSpanContext(parent)?.spanId;
}
