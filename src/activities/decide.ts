/**
 * Asks a decider, and makes a decision of the shape that it answers.
 *  1. What it answers is parsed. One that throws, answers late or answers what cannot be leaves the declared shape
 *     standing, and the reason in the record.
 *  2. It reads no source: a decision can be shown before anything is spent.
 *  3. A tier that depth does not allow is not made: the node fans out instead, recorded.
 */
import type { Child, Domain } from '../define/spec.ts';
import { Shape, type Candidate, type DeciderContext, type Found } from '../define/shape.ts';
import { stagesOf } from '../define/stages.ts';
import type { Io } from '../ports/activities.ts';
import type { Memory } from '../ports/memory.ts';
import type { Decision } from '../protocol/decision.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import { misfitOf } from '../protocol/misfit.ts';
import { childPath } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import { faultOf } from '../tier/fault.ts';
import { depthIsSpent, joinDeadline } from '../tier/grant.ts';
import { modelFor, type Asking } from './ask-model.ts';
import { decisionOver, select, type Orchestrator, type Skips } from './plan.ts';
import type { Registry } from './registry.ts';
import { childrenOf, subDomainOf } from './sub-domains.ts';

export type Asked = {
  registry: Registry;
  entry: Orchestrator;
  task: Task;
  /** Whom the run or an assessment leaves out: the decider never sees them. */
  skips: Skips;
  io: Io;
  /** Undefined of a plan before anything runs: it asks nobody. */
  asking: Asking | undefined;
  memory?: Memory | undefined;
};

/** The same, to be answered before that signal aborts. */
export const within = (asked: Asked, abortSignal: AbortSignal): Asked => ({
  ...asked,
  io: { abortSignal, budget: asked.io.budget },
});

/** Of a further round: which one, and what the ones before have brought. */
type Further = { round: number; found: Found };

/** The decider's answer, unread: maybe a promise. Undefined of a node that nobody decides for. */
export function answerOf(asked: Asked, further?: Further): unknown {
  const { entry, task } = asked;
  const { decide } = entry.definition;
  return decide && !depthIsSpent(task.grant) ? decide(contextFor(asked, further)) : undefined;
}

/** The declared children that may still be activated. */
export function candidatesOf({ registry, entry, skips }: Asked): Candidate[] {
  const active = new Set(select(entry, skips).active.flat());
  return childrenOf(entry.definition)
    .filter((child) => active.has(child))
    .flatMap((child) => candidateOf(registry, entry.path, child));
}

function contextFor(asked: Asked, { round, found }: Partial<Further> = {}): DeciderContext {
  const { entry, task, io, asking } = asked;
  const children = found?.children ?? candidatesOf(asked);
  const { grant } = task;
  return {
    task: deepFreeze(task),
    round: round ?? 1,
    ...(found && { found }),
    children,
    sources: new Set(children.flatMap(({ sources }) => sources)).size,
    depthLeft: grant.depthLeft,
    timeLeftMs: Math.max(0, joinDeadline(grant) - grant.issuedAt),
    canExecute: entry.definition.execute !== undefined,
    memory: asked.memory?.read(task.path, task.asOf) ?? '',
    expected: { fanOutMs: entry.estimateMs, executeMs: entry.workMs },
    abortSignal: io.abortSignal,
    budget: io.budget,
    model: modelFor(asking, {
      path: entry.path,
      deadline: grant.deadline,
      work: 'planning',
      io,
      pools: [],
      isAttempt: false,
      lessons: [],
    }),
  };
}

export function candidateOf(registry: Registry, parent: string, child: Child): Candidate[] {
  const entry = registry.get(childPath(parent, child.name));
  if (!entry) return [];
  const { question, charter, sources, leaves, estimateMs, measured } = entry;
  const { name, kind, needs = [] } = child;
  return [{ name, kind, question, charter, sources, needs, leaves, tiers: tiersOf(child), estimateMs, measured }];
}

const tiersOf = (child: Child): number => (child.kind === 'leaf' ? 1 : 1 + Math.max(...child.children.map(tiersOf)));

/** The decision that follows from an answer; `fault` when there is none. */
export function decisionFrom(asked: Asked, answer: { given: unknown } | { fault: unknown }): Decision {
  if ('fault' in answer) return asDeclared(asked, `the decider failed (${faultOf(answer.fault).message})`);
  const { data: shape, error } = Shape.safeParse(answer.given);
  if (!shape) return asDeclared(asked, `the decider's answer has the wrong shape: ${misfitOf(error, answer.given)}`);
  const by = shape.by ?? 'decider';
  const reasons = [...shape.reasons];
  const standing = (why: string): Decision => asDeclared(asked, why, { by, reasons });
  switch (shape.shape) {
    case 'execute':
      return asked.entry.definition.execute
        ? executing(asked, by, reasons)
        : standing('it was to execute, and has no execute');
    case 'fan-out': {
      const unknown = unknownIn(asked, [
        ...(shape.children ?? []),
        ...(shape.skipped ?? []).map(({ name }) => name),
        ...Object.keys(shape.questions ?? {}),
      ]);
      if (unknown !== undefined) return standing(`there is no child "${unknown}"`);
      const chosen = shape.children && new Set(shape.children);
      const decision = fanOut(asked, { by, reasons }, (name) => {
        const skip = shape.skipped?.find((one) => one.name === name);
        if (skip) return without(skip);
        return chosen && !chosen.has(name) ? { why: 'not among the children chosen' } : undefined;
      });
      const { expects, questions = {} } = shape;
      return { ...askedWith(decision, questions), ...(expects && { expects: [...expects] }) };
    }
    case 'divide':
      return divided(asked, shape, standing);
  }
}

/** Some children are asked something else than was declared. */
function askedWith(decision: Decision, questions: Readonly<Record<string, string>>): Decision {
  const stages = decision.stages.map((stage) =>
    stage.map((child) => {
      const question = Object.hasOwn(questions, child.name) ? questions[child.name] : undefined;
      return question === undefined ? child : { ...child, question };
    }),
  );
  return { ...decision, stages };
}

type Why = Pick<Decision, 'by' | 'reasons'>;
const without = ({ name: _, ...skip }: Decision['skipped'][number]): Omit<Decision['skipped'][number], 'name'> => skip;

/** As the scenario has it. */
const asDeclared = (asked: Asked, why: string, { by, reasons = [] }: Why = { by: 'scenario' }): Decision =>
  fanOut(asked, { by, reasons: [...reasons, `${why}: as declared`] }, () => undefined);

/** Whoever is not left out, in the declared stages. */
export const decisionAsDeclared = (asked: Asked): Decision => fanOut(asked, { by: 'scenario' }, () => undefined);

function fanOut({ registry, entry, skips }: Asked, why: Why, more: Skips): Decision {
  const { active, skipped } = select(entry, (name) => skips(name) ?? more(name));
  return decisionOver(registry, entry, active, { ...why, skipped });
}

function executing({ entry, skips }: Asked, by: string, reasons: string[]): Decision {
  const { skipped } = select(entry, skips);
  const estimates = { criticalPathMs: entry.workMs, leaves: 1 };
  return { by, mode: 'execute', stages: [], reasons, skipped, estimates };
}

const unknownIn = ({ entry }: Asked, names: readonly string[]): string | undefined => {
  const known = new Set(childrenOf(entry.definition).map(({ name }) => name));
  return names.find((name) => !known.has(name));
};

type Divide = Extract<Shape, { shape: 'divide' }>;

function divided(asked: Asked, shape: Divide, standing: (why: string) => Decision): Decision {
  const { registry, entry, task, skips } = asked;
  const unknown = unknownIn(
    asked,
    shape.groups.flatMap(({ members }) => members),
  );
  if (unknown !== undefined) return standing(`there is no child "${unknown}"`);
  const { active, skipped } = select(entry, (name) => {
    const skip = shape.skipped?.find((one) => one.name === name);
    return skips(name) ?? (skip && without(skip));
  });
  const left = new Map(active.flat().map((child) => [child.name, child]));
  const tiers = 1 + Math.max(1, ...[...left.values()].map(tiersOf));
  if (task.grant.depthLeft < tiers) {
    return standing(`a tier between needs depth ${tiers}, and ${task.grant.depthLeft} is left`);
  }
  const members = new Map<string, string[]>();
  const units: Domain[] = [];
  for (const { name, charter = entry.charter, question = entry.question, members: named } of shape.groups) {
    const held = [...new Set(named)].filter((member) => left.delete(member));
    if (held.length === 0) continue; // all of them are left out, or in a group before
    const subDomain = subDomainOf(entry.definition, { name, charter, question, members: held });
    if (!subDomain) return standing(`a child of "${name}" needs one outside of it`);
    members.set(name, held);
    units.push(subDomain);
  }
  if (units.length === 0) return standing('no group has a child');
  const names = [...units.map(({ name }) => name), ...left.keys()];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return standing(`"${twice}" is the name of two`);
  const grouped = new Set([...members.values()].flat());
  const torn = [...left.values()].find((child) => child.needs?.some((need) => grouped.has(need)));
  if (torn) return standing(`"${torn.name}" needs one that a group holds`);
  registry.grow(entry, units);
  const stages = stagesOf(entry.path, [...units, ...left.values()]);
  const by = shape.by ?? 'decider';
  return decisionOver(registry, entry, stages, { by, reasons: [...shape.reasons], skipped }, members);
}
