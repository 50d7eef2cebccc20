/**
 * A decider that asks a model: which children, with which questions, and where they may contradict each other.
 *  1. It can choose only what the registry holds: what it names besides is left out, and the decision says so.
 *  2. Whom it does not name runs as declared: to be skipped takes a reason.
 *  3. Where it fails, or would activate nobody, the scenario's own decision stands, with the reason in the record.
 */
import { z } from 'zod';
import type { Candidate, Decider, DeciderContext, Shape } from '../define/shape.ts';
import { DATA_RULE, dataBlock, untagged, visible } from '../protocol/data-block.ts';
import { reportText } from './agent-prompt.ts';

export type PlannerOptions = {
  /** What whoever is to read the brief knows and wants: part of the system prompt. */
  readonly context?: string;
};

const LONGEST = 500;
const MOST_EXPECTED = 12;

const Answer = z.object({
  activate: z.array(
    z.object({
      name: z.string(),
      question: z.string().describe('What it is asked about the thesis; leave out to ask as declared').optional(),
      why: z.string().min(1),
    }),
  ),
  skip: z.array(z.object({ name: z.string(), why: z.string().min(1) })),
  contradictions: z.array(z.string()).describe('Where the chosen may contradict each other, one sentence each'),
});

const RULES = `You plan an inquiry into a thesis. You are given the children that may be activated, each with its question, its
domain and its sources. Decide which to activate and which to skip, each with a reason. Skip only what cannot bear on the
thesis. Where a child's declared question is too general, give it a question scoped to the thesis that its sources can
answer. Say where you expect the chosen ones to contradict each other. You can choose among the named children only.

${DATA_RULE}`;

/**
 * @example defineScenario({ …, decide: planByModel({ context: 'A pension fund with a horizon of ten years.' }) })
 */
export function planByModel({ context = '' }: PlannerOptions = {}): Decider {
  const system = context === '' ? RULES : `${RULES}\n\nFor whom this is done: ${context}`;
  const decide = async (given: DeciderContext): Promise<Shape> => {
    const { value } = await given.model.ask({ system, prompt: promptOf(given), output: Answer });
    return shapeOf(value, given);
  };
  // A decider is known by its text, which would not tell two of these apart.
  Object.defineProperty(decide, 'toString', { value: () => `planByModel(${JSON.stringify({ context })})` });
  return Object.assign(decide, { asks: { calls: 1, outputTokens: 2_000 } });
}

function promptOf({ task, children, memory, round, found, expected }: DeciderContext): string {
  return [
    `<task>\nthesis or question: ${untagged(task.question)}`,
    ...(task.charter === '' ? [] : [`domain: ${untagged(task.charter)}`]),
    `as of: ${task.asOf ?? 'today'}`,
    `side by side the children are expected to take ${Math.round(expected.fanOutMs / 1_000)} s`,
    '</task>',
    round === 1 ? 'The children that may be activated:' : 'The children that have not run, and may still be activated:',
    ...children.map(lineOf),
    ...(memory === '' ? [] : ['What is remembered of earlier inquiries:', dataBlock('memory', memory)]),
    ...(found ? [`What has been found, with dissent ${found.dissent.toFixed(2)}:`, ...found.ended.map(endOf)] : []),
  ].join('\n');
}

const lineOf = ({ name, kind, question, charter, sources, needs, leaves }: Candidate): string =>
  [
    `- ${name} (${kind}, ${leaves} ${leaves === 1 ? 'leaf' : 'leaves'}): ${question}`,
    ...(kind === 'domain' ? [`  domain: ${charter}`] : []),
    ...(sources.length === 0 ? [] : [`  sources: ${sources.join(', ')}`]),
    ...(needs.length === 0 ? [] : [`  needs: ${needs.join(', ')}`]),
  ].join('\n');

function endOf({ name, outcome }: NonNullable<DeciderContext['found']>['ended'][number]): string {
  const body = outcome.kind === 'report' ? outcome : outcome.partial;
  return dataBlock(`report of ${name} (${outcome.status})`, body ? reportText(body) : '');
}

function shapeOf(
  { activate, skip, contradictions }: z.output<typeof Answer>,
  { children, round }: DeciderContext,
): Shape {
  const known = new Set(children.map(({ name }) => name));
  const chosen = new Map(activate.filter(({ name }) => known.has(name)).map((one) => [one.name, one]));
  const skipped = skip.filter(({ name }) => known.has(name) && !chosen.has(name));
  const left = new Set(skipped.map(({ name }) => name));
  // Of a further round only whom it names runs; of the first, all that it does not skip.
  const unnamed = round === 1 ? children.filter(({ name }) => !chosen.has(name) && !left.has(name)) : [];
  const active = [...chosen.keys(), ...unnamed.map(({ name }) => name)];
  if (active.length === 0) throw new Error('the planner would activate nobody');
  const unknown = [...activate, ...skip].map(({ name }) => name).filter((name) => !known.has(name));
  const questions = [...chosen.values()].flatMap(({ name, question }) =>
    question?.trim() ? [[name, line(question)] as const] : [],
  );
  return {
    by: 'planner',
    shape: 'fan-out',
    children: active,
    skipped: skipped.map(({ name, why }) => ({ name, why: line(why) })),
    questions: Object.fromEntries(questions),
    expects: contradictions.slice(0, MOST_EXPECTED).map(line),
    reasons: [
      ...[...chosen.values()].map(({ name, why }) => `${name}: ${line(why)}`),
      ...unnamed.map(({ name }) => `${name}: not named by the planner, so it runs as declared`),
      ...[...new Set(unknown)].map((name) => `asked for "${line(name)}", and there is no such child: left out`),
    ],
  };
}

const line = (text: string): string => visible(text).replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST).toWellFormed();
