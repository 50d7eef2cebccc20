/**
 * Asks for one more stage, after the last: of a skipped child that a critical finding names, and of leaves that look
 * again where the results are ambiguous.
 *  1. A stage is added only within the grant: its children, its depth, its time, and a number of rounds.
 *  2. What was wanted and refused is in the decision's reasons.
 *  3. What was decided before stands: the answer is the same decision, with at most one stage more.
 */
import { assess } from '../analytics/conviction.ts';
import { Shape } from '../define/shape.ts';
import type { Child } from '../define/spec.ts';
import type { Clock } from '../ports/clock.ts';
import type { NextRound } from '../ports/activities.ts';
import type { Decision } from '../protocol/decision.ts';
import type { Finding } from '../protocol/finding.ts';
import { childPath } from '../protocol/path.ts';
import { joinDeadline } from '../tier/grant.ts';
import { bodyOf } from '../tier/synthesis-check.ts';
import { answerOf, candidateOf, within, type Asked } from './decide.ts';
import { patiently } from './patience.ts';
import { decisionOver } from './plan.ts';
import { childrenOf } from './sub-domains.ts';

const DEFAULT_ROUNDS = 1;
const LONGEST_ANSWER_MS = 20_000;

/** Whether a decision may be asked for more when its stages are through. */
export function mayGrow({ entry }: Pick<Asked, 'entry'>, { mode, skipped }: Decision): boolean {
  const { relevance, reinvestigate } = entry.definition;
  if (mode !== 'divide') return false;
  return reinvestigate !== undefined || (relevance !== undefined && skipped.some(({ score }) => score !== undefined));
}

type Wanted = { children: readonly Child[]; questions?: ReadonlyMap<string, string>; reasons: readonly string[] };

export async function nextRound(
  asked: Asked,
  { decision, ended, round }: NextRound,
  clock: Clock | undefined,
): Promise<Decision> {
  const { registry, entry, task } = asked;
  const { mayGrow: _, ...closed } = decision;
  const withReasons = (...more: readonly string[]): Decision => ({
    ...closed,
    reasons: [...(decision.reasons ?? []), ...more],
  });
  const now = clock?.now() ?? task.grant.issuedAt;
  const refused = (why: string): Decision => withReasons(`round ${round} refused: ${why}`);
  const isSpent = round - 1 > (entry.definition.reinvestigate?.rounds ?? DEFAULT_ROUNDS);

  const named = activated(asked, { decision, ended, round });
  const more = await lookedAgain(asked, { decision, ended, round }, isSpent, clock, now);
  if ('refused' in more) return refused(more.refused);
  const children = [...new Set([...named.children, ...more.children])];
  if (children.length === 0) return more.reasons.length > 0 ? withReasons(...more.reasons) : closed;
  if (isSpent) return refused('all rounds are spent');
  const present = new Set(decision.stages.flat().map(({ name }) => name));
  const lacking = children.find(({ needs = [] }) => needs.some((need) => !present.has(need)));
  if (lacking) return refused(`"${lacking.name}" needs one that has not run`);
  const width = present.size + children.length;
  if (width > task.grant.maxChildren) return refused(`${width} children, the grant allows ${task.grant.maxChildren}`);
  const expectedMs = Math.max(
    ...children.map(({ name }) => registry.get(childPath(entry.path, name))?.estimateMs ?? 0),
  );
  if (now + expectedMs > joinDeadline(task.grant)) return refused('its expected time does not fit what is left');

  const { stages } = decisionOver(registry, entry, [children], { by: decision.by, skipped: [] });
  const stage = (stages[0] ?? []).map((child) => {
    const question = more.questions?.get(child.name);
    return question === undefined ? child : { ...child, question };
  });
  const added = new Set(children.map(({ name }) => name));
  const { estimates } = decision;
  return {
    ...withReasons(...[...named.reasons, ...more.reasons].map((reason) => `round ${round}: ${reason}`)),
    stages: [...decision.stages, stage],
    skipped: decision.skipped.filter(({ name }) => !added.has(name)),
    estimates: { leaves: estimates.leaves + stage.length, criticalPathMs: estimates.criticalPathMs + expectedMs },
    round,
    mayGrow: true,
  };
}

/** Children that were skipped for their score, and are named by what is critical. */
function activated({ entry }: Asked, { decision, ended }: NextRound): Wanted {
  const scored = new Set(decision.skipped.flatMap(({ name, score }) => (score === undefined ? [] : name)));
  const reasons: string[] = [];
  const escalations = ended.flatMap(({ outcome }) => bodyOf(outcome)?.escalations ?? []);
  const children = childrenOf(entry.definition).filter(({ name, aliases = [] }) => {
    if (!scored.has(name)) return false;
    const by = escalations.find((finding) => [name, ...aliases].some((word) => isNamedIn(finding, word)));
    if (by) reasons.push(`"${name}" was skipped, and the critical finding ${by.id} names it`);
    return by !== undefined;
  });
  return { children, reasons };
}

/** As whole words, in whatever case. */
function isNamedIn({ statement, data }: Finding, name: string): boolean {
  const said = `${statement} ${data === undefined ? '' : JSON.stringify(data)}`.toLowerCase();
  const wanted = name.toLowerCase();
  if (wanted === '') return false;
  for (let at = said.indexOf(wanted); at !== -1; at = said.indexOf(wanted, at + 1)) {
    const around = `${said[at - 1] ?? ' '}${said[at + wanted.length] ?? ' '}`;
    if (!/[\p{L}\p{N}]/u.test(around)) return true;
  }
  return false;
}

const NOTHING: Wanted = { children: [], reasons: [] };

/** Leaves that are to look again, where the results disagree. */
async function lookedAgain(
  asked: Asked,
  { decision, ended, round }: NextRound,
  isSpent: boolean,
  clock: Clock | undefined,
  now: number,
): Promise<Wanted | { refused: string }> {
  const { entry, task } = asked;
  const { abortSignal } = asked.io;
  const { reinvestigate, decide } = entry.definition;
  if (!reinvestigate) return NOTHING;
  const { dissentAbove = -1, leaves, choose } = reinvestigate;
  const { dissent } = assess({ task, decision, ended });
  if (dissent <= dissentAbove) return NOTHING;
  const present = new Set(decision.stages.flat().map(({ name }) => name));
  const spare = [...childrenOf(entry.definition), ...(leaves ?? [])].filter(({ name }) => !present.has(name));
  if (spare.length === 0) return NOTHING;
  if (isSpent) return { refused: 'all rounds are spent' };
  const reason = `dissent ${dissent.toFixed(2)}`;
  const offered = leaves ? spare.filter((child) => leaves.some(({ name }) => name === child.name)) : spare;
  const found = {
    dissent,
    ended,
    children: offered.flatMap((child) => candidateOf(asked.registry, entry.path, child)),
  };
  const patience = { clock, abortSignal, deadline: Math.min(joinDeadline(task.grant), now + LONGEST_ANSWER_MS) };
  if (leaves) {
    if (offered.length === 0) return NOTHING;
    if (!choose) return { children: offered, reasons: [reason] };
    const answer = await patiently((signal) => choose({ task, round, ...found, abortSignal: signal }), patience);
    const chosen: unknown = 'given' in answer ? answer.given : undefined;
    if (!Array.isArray(chosen)) return { refused: 'who was to choose gave no list' };
    const questions = new Map<string, string>();
    const names = (chosen as readonly unknown[]).map((one) => {
      if (typeof one === 'string') return one;
      const { name, question } = (one ?? {}) as { name?: unknown; question?: unknown };
      if (typeof question === 'string') questions.set(String(name), question);
      return String(name);
    });
    const children = offered.filter(({ name }) => names.includes(name));
    const unknown = names.find((name) => !children.some((child) => child.name === name));
    if (unknown !== undefined) return { refused: `there is no leaf "${unknown}" left` };
    return { children, questions, reasons: [reason] };
  }
  if (!decide) return NOTHING;
  const answer = await patiently((signal) => answerOf(within(asked, signal), { round, found }), patience);
  const { data: shape } = Shape.safeParse('given' in answer ? answer.given : undefined);
  if (!shape) return { refused: 'the decider failed, or its answer has the wrong shape' };
  if (shape.shape !== 'fan-out') return { refused: `a further round cannot ${shape.shape}` };
  const names = shape.children ?? [];
  const children = offered.filter(({ name }) => names.includes(name));
  if (names.length > children.length) return { refused: 'it names children that are none, or have run' };
  return { children, reasons: shape.reasons };
}
