/**
 * What spans say of what they are of, and how its steps went.
 *  1. No statement, question, value, message or reason: only numbers, words of closed lists, and names that the scenario
 *     gives to itself and its nodes.
 */
import type { Attributes } from '@opentelemetry/api';
import type { Decision } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import { nameOf } from '../../protocol/path.ts';
import type { Outcome } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { ATTRIBUTE, READ_TOOL, SPAN, TIME, UNDECLARED } from './names.ts';
import { retentionAttributes } from './outcome-attributes.ts';
import type { Gathered, LiveNode } from './timeline.ts';

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

export const runAttributes = ({ runId, scenario, maxDepth, asOf, resumed }: Of<'run.started'>): Attributes => ({
  [ATTRIBUTE.operation]: SPAN.workflow,
  [ATTRIBUTE.workflow]: scenario,
  [ATTRIBUTE.runId]: runId,
  [ATTRIBUTE.depthLimit]: maxDepth,
  ...(asOf !== undefined && { [ATTRIBUTE.asOf]: asOf }),
  ...(resumed && { [ATTRIBUTE.resumedAfter]: resumed.events }),
});

export const nodeAttributes = ({ runId, path, tier, depth }: Of<'node.started'>): Attributes => ({
  [ATTRIBUTE.operation]: SPAN.agent,
  [ATTRIBUTE.agent]: nameOf(path),
  [ATTRIBUTE.runId]: runId,
  [ATTRIBUTE.path]: path,
  [ATTRIBUTE.tier]: tier,
  [ATTRIBUTE.depth]: depth,
});

/** Without a decision the planning failed. */
export const planAttributes = ({ name }: LiveNode, decision: Decision | undefined): Attributes => ({
  [ATTRIBUTE.operation]: SPAN.plan,
  [ATTRIBUTE.agent]: name,
  ...(decision && {
    [ATTRIBUTE.mode]: decision.mode,
    [ATTRIBUTE.round]: decision.round ?? 1,
    [ATTRIBUTE.stages]: decision.stages.length,
    [ATTRIBUTE.skipped]: decision.skipped.length,
  }),
});

export const gatherAttributes = ({ stage, decision }: LiveNode): Attributes => ({
  [ATTRIBUTE.stage]: stage,
  [ATTRIBUTE.stages]: decision?.stages.length ?? 0,
  [ATTRIBUTE.children]: decision?.stages[stage]?.length ?? 0,
});

export const gatheredAttributes = ({ slowest, waitMs, savedMs }: Gathered): Attributes => ({
  ...(slowest && { [ATTRIBUTE.slowest]: slowest.name, [ATTRIBUTE.waitMs]: waitMs }),
  [ATTRIBUTE.savedMs]: savedMs,
});

export const faultAttributes = ({ diagnosis }: Fault, willRetry: boolean): Attributes => ({
  ...(diagnosis && { [ATTRIBUTE.diagnosis]: diagnosis }),
  [ATTRIBUTE.willRetry]: willRetry,
});

/** The id of a source is sent where the scenario names it: another may hold anything. */
export const readAttributes = ({ source, declared, observations }: Of<'source.read'>, isTold: boolean): Attributes => ({
  [ATTRIBUTE.operation]: SPAN.tool,
  [ATTRIBUTE.tool]: READ_TOOL,
  [ATTRIBUTE.source]: declared || isTold ? source : UNDECLARED,
  [ATTRIBUTE.observations]: observations,
});

/** What it was asked and answered stays with it. */
export const toolAttributes = ({ tool }: Of<'tool.called'>): Attributes => ({
  [ATTRIBUTE.operation]: SPAN.tool,
  [ATTRIBUTE.tool]: tool,
});

/** Of how it ended, or why it was rejected. */
export function synthesisAttributes(outcome: Outcome | Fault): Attributes {
  if (!('kind' in outcome)) return {};
  const body = outcome.kind === 'report' ? outcome : outcome.partial;
  return {
    ...(body && { [ATTRIBUTE.madeBy]: body.madeBy }),
    ...(body?.retention && retentionAttributes(body.retention)),
  };
}

/** Only what took any time. */
export function timeAttributes({ ms }: LiveNode): Attributes {
  const attributes: Attributes = {};
  for (const doing of DOINGS) if (ms[doing] > 0) attributes[TIME[doing]] = ms[doing];
  return attributes;
}
const DOINGS = Object.keys(TIME) as (keyof typeof TIME)[];
