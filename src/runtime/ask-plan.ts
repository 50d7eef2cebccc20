/**
 * Plans as a run would: deciders are asked, also those that ask a model. What was decided can be shown, approved and
 * given to a run, which then asks nobody again, and counts what the asking has cost.
 */
import { createActivities } from '../activities/create-activities.ts';
import { decisionFrom, type Asked } from '../activities/decide.ts';
import { historyIn } from '../activities/history.ts';
import { leftOut, orchestratorAt } from '../activities/plan.ts';
import { registryOf, type Registry } from '../activities/registry.ts';
import { adopt, childrenOf } from '../activities/sub-domains.ts';
import { OBJECT, shown } from '../define/check.ts';
import type { Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { Expense, Spending } from '../ports/budget.ts';
import { Decision } from '../protocol/decision.ts';
import type { Budget } from '../protocol/grant.ts';
import { childPath, nameOf, ROOT } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import { errorOf } from '../tier/fault.ts';
import { ASKING_PLAN_MS, depthIsSpent } from '../tier/grant.ts';
import { systemClock } from './system-clock.ts';
import { checkScenario, limitsFor, modelsFor } from './limits.ts';
import { plan } from './plan.ts';
import type { Approval, AskedPlan, Decided, PlanEdit, RunOptions } from './run.ts';

/**
 * @throws EspalierError `invalid-input`, `store-fault`. What a decider fails at leaves the scenario's own decision
 * @example
 * const asked = await askPlan(scenario);
 * // … somebody reads asked.root.decision …
 * await run(scenario, { decided: asked.decided });
 */
export async function askPlan(scenario: Scenario, options: RunOptions = {}): Promise<AskedPlan> {
  const { task, registry } = startOf(scenario, options);
  const { clock = systemClock, random = Math.random, domains, signal } = options;
  const limits = limitsFor(scenario, options);
  const models = modelsFor(scenario, options);
  models?.adapter.checkReady?.();
  const activities = createActivities(scenario, { registry, domains, clock, random, ...(models && { models }) });
  const abortSignal = signal ?? new AbortController().signal;
  const purse = purseOf(limits.budget);
  const decisions: Record<string, Decision> = {};
  const spent: Record<string, Expense> = {};
  const ask = async (asked: Task): Promise<void> => {
    const { path, grant } = asked;
    if (depthIsSpent(grant)) return;
    const own = purse.spending();
    const deadline = clock.now() + ASKING_PLAN_MS;
    const answer = await activities.plan({ task: asked, deadline }, { abortSignal, budget: own });
    const decision = Decision.parse(answer); // made by our own code, whatever was asked
    decisions[path] = decision;
    if (own.total.inputTokens + own.total.outputTokens > 0) spent[path] = own.total;
    adopt(registry, registry.get(path), decision);
    const below = decision.stages.flat().filter(({ role }) => role === 'orchestrator');
    await Promise.all(
      below.map(({ name, question = asked.question, charter = asked.charter }) =>
        ask({
          ...asked,
          path: childPath(path, name),
          tier: 'domain',
          question,
          charter,
          grant: { ...grant, depthLeft: grant.depthLeft - 1 },
        }),
      ),
    );
  };
  await ask(task);
  return withDecided(scenario, options, { decisions, spent });
}

/**
 * The same plan, otherwise: children of the root skipped or activated, or asked something else.
 * @throws EspalierError `invalid-input` on a child that there is none of, or when nobody would be left
 */
export function amendPlan(scenario: Scenario, given: AskedPlan, edit: PlanEdit, options: RunOptions = {}): AskedPlan {
  const before = given.decided.decisions[ROOT];
  if (!before || before.mode !== 'divide' || before.stages.flat().some(({ members }) => members)) {
    throw invalid('This plan cannot be edited: the root does not fan out over its children. Approve or reject it.');
  }
  const { task, registry } = startOf(scenario, options);
  const entry = orchestratorAt(registry, ROOT);
  const { skip = [], activate = [], questions = {} } = edit;
  const known = childrenOf(entry.definition).map(({ name }) => name);
  const unknown = [...skip, ...activate, ...Object.keys(questions)].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalid(`There is no child "${unknown}" of the root. Choose from ${known.join(', ')}.`);
  const present = before.stages.flat();
  const active = [...present.map(({ name }) => name).filter((name) => !skip.includes(name)), ...activate];
  if (active.length === 0) throw invalid('Nobody would be left to activate. Leave one, or reject the plan.');
  const asked: Asked = {
    registry,
    entry,
    task,
    skips: leftOut(ROOT, options.domains),
    io: { abortSignal: new AbortController().signal, budget: purseOf({}).spending() },
    asking: undefined,
  };
  const kept = present.flatMap(({ name, question }) => (question === undefined ? [] : [[name, question] as const]));
  const decision = decisionFrom(asked, {
    given: {
      by: before.by,
      shape: 'fan-out',
      children: active,
      skipped: [
        ...before.skipped.filter(({ name }) => !activate.includes(name)),
        ...skip.map((name) => ({ name, why: 'skipped by whoever approved the plan' })),
      ],
      questions: { ...Object.fromEntries(kept), ...questions },
      ...(before.expects && { expects: before.expects }),
      reasons: [...(before.reasons ?? []), ...editsIn(edit)],
    },
  });
  const { decisions, spent } = given.decided;
  const standing = Object.fromEntries(
    Object.entries(decisions).filter(([path]) => path !== ROOT && isActive(path, decision)),
  );
  return withDecided(scenario, options, {
    decisions: { ...standing, [ROOT]: { ...decision, ...(before.mayGrow && { mayGrow: true }), approved: 'edited' } },
    spent,
  });
}

/** The same plan, with the word that somebody has approved it. */
function approved(given: AskedPlan): AskedPlan {
  const { decisions, spent } = given.decided;
  const root = decisions[ROOT];
  if (!root || root.approved) return given;
  return { ...given, decided: { spent, decisions: { ...decisions, [ROOT]: { ...root, approved: 'as-planned' } } } };
}

/** @throws EspalierError `rejected` */
export async function approvedPlan(scenario: Scenario, options: RunOptions): Promise<AskedPlan> {
  const { approve } = options;
  let asked = await askPlan(scenario, options);
  for (;;) {
    if (!approve) return approved(asked);
    const answer = readApproval(await approve(asked));
    if ('approve' in answer) return approved(asked);
    if ('reject' in answer) {
      const why = answer.reject.trim().replace(/\.$/, '');
      throw new EspalierError('rejected', `The plan was rejected${why === '' ? '' : `: ${why}`}. Nothing ran.`);
    }
    asked = amendPlan(scenario, asked, answer.edit, options);
  }
}

/** Only a plain yes is one: not silence, nor `{ approve: false }`. */
function readApproval(answer: unknown): Approval {
  const { approve, reject, edit } = (OBJECT.isMet(answer) ? answer : {}) as { [key: string]: unknown };
  const given = [approve, reject, edit].filter((one) => one !== undefined);
  if (given.length === 1) {
    if (approve === true) return { approve };
    if (typeof reject === 'string') return { reject };
    if (OBJECT.isMet(edit)) return { edit: edit as PlanEdit };
  }
  throw invalid(
    `approve answered ${shown(answer)}. Answer { approve: true }, { reject: "why" } or { edit: { … } }. Nothing ran.`,
  );
}

function startOf(scenario: Scenario, options: RunOptions): { task: Task; registry: Registry } {
  checkScenario(scenario, options);
  const { maxDepth, deadlineMs, concurrency, budget, maxChildren } = limitsFor(scenario, options);
  const thesis = options.thesis ?? scenario.thesis;
  const asOf = options.asOf ?? scenario.asOf;
  const history = options.store && historyIn(options.store, scenario.name);
  const models = modelsFor(scenario, options);
  const registry = registryOf(scenario, thesis, {
    concurrency,
    ...(history && { history }),
    ...(models && { models }),
  });
  const issuedAt = (options.clock ?? systemClock).now();
  const grant = {
    depthLeft: maxDepth,
    issuedAt,
    deadline: issuedAt + deadlineMs,
    reserveMs: registry.get(ROOT)?.reserveMs ?? 0,
    budget,
    maxChildren,
    sources: [],
    tools: [],
  };
  const task: Task = {
    runId: 'plan',
    path: ROOT,
    tier: 'root',
    question: thesis,
    charter: '',
    ...(asOf !== undefined && { asOf }),
    grant,
    prior: [],
    enrichments: [],
  };
  return { task, registry };
}

const withDecided = (scenario: Scenario, options: RunOptions, decided: Decided): AskedPlan => ({
  ...plan(scenario, { ...options, decided }),
  decided,
});

const isActive = (path: string, { stages }: Decision): boolean =>
  stages.flat().some(({ name }) => path === childPath(ROOT, name) || path.startsWith(`${childPath(ROOT, name)}/`));

function editsIn({ skip = [], activate = [], questions = {} }: PlanEdit): string[] {
  return [
    ...skip.map((name) => `edited: ${name} skipped`),
    ...activate.map((name) => `edited: ${name} activated`),
    ...Object.keys(questions).map((name) => `edited: ${nameOf(name)} asked something else`),
  ];
}

type Total = Required<Omit<Expense, 'isBilled'>>;
/** What asking may spend, together: what the run may. What it spends, the run begins with. */
function purseOf({ usd, tokens }: Budget) {
  let held = { usd: 0, tokens: 0 };
  const left = () => ({
    ...(usd !== undefined && { usd: Math.max(0, usd - held.usd) }),
    ...(tokens !== undefined && { tokens: Math.max(0, tokens - held.tokens) }),
  });
  const spending = (): Spending & { total: Total } => {
    const total = { usd: 0, inputTokens: 0, outputTokens: 0 };
    const book = ({ usd: paid = 0, inputTokens = 0, outputTokens = 0 }: Expense): void => {
      total.usd += paid;
      total.inputTokens += inputTokens;
      total.outputTokens += outputTokens;
      held = { usd: held.usd + paid, tokens: held.tokens + inputTokens + outputTokens };
    };
    const reserve: Spending['reserve'] = ({ usd: wanted = 0, tokens: many = 0 }) => {
      const { usd: most = Infinity, tokens: mostTokens = Infinity } = left();
      if (wanted > most || many > mostTokens)
        throw errorOf({ status: 'budget', message: 'budget: planning would cost more than the run may' });
      held = { usd: held.usd + wanted, tokens: held.tokens + many };
      let isOpen = true;
      const close = (): boolean => {
        const wasOpen = isOpen;
        isOpen = false;
        if (wasOpen) held = { usd: held.usd - wanted, tokens: held.tokens - many };
        return wasOpen;
      };
      return { settle: (expense) => void (close() && book(expense)), release: () => void close() };
    };
    return { total, left, reserve, spend: (expense) => (reserve({}).settle(expense), undefined) };
  };
  return { spending };
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
