/** The decision before anything runs. Pure of the scenario: no source is read. */
import { answerOf, decisionFrom } from '../activities/decide.ts';
import { leftOut, orchestratorAt, staticDecision } from '../activities/plan.ts';
import { historyIn } from '../activities/history.ts';
import { lengthOf, registryOf, type Entry, type Registry } from '../activities/registry.ts';
import { adopt } from '../activities/sub-domains.ts';
import type { Models } from '../define/models.ts';
import type { Limits, Scenario } from '../define/spec.ts';
import type { Spending } from '../ports/budget.ts';
import type { Decision } from '../protocol/decision.ts';
import { childPath, depthOf, nameOf, ROOT } from '../protocol/path.ts';
import { errorOf } from '../tier/fault.ts';
import { expectedTime, type Work } from './expected-time.ts';
import { checkScenario, limitsFor, modelsFor } from './limits.ts';
import { asksOf, costOfPlan, costWarnings, usedLast } from './planned-cost.ts';
import type { Decided, Plan, PlannedNode, RunOptions } from './run.ts';

/**
 * Shows what a run would do: which nodes, in which stages, with which questions, and what it would leave out. Given a
 * `store`, it knows how long the nodes took in earlier runs.
 * @throws EspalierError `invalid-input` on a scenario that is none, or an option that cannot be read; `store-fault`
 */
export function plan(scenario: Scenario, options: RunOptions = {}): Plan {
  checkScenario(scenario, options);
  const limits = limitsFor(scenario, options);
  const thesis = options.thesis ?? scenario.thesis;
  const asOf = options.asOf ?? scenario.asOf;
  const history = options.store && historyIn(options.store, scenario.name);
  const { concurrency } = limits;
  const registry = registryOf(scenario, thesis, { concurrency, ...(history && { history }) });
  const deepest = [...registry.keys()].reduce((most, path) => Math.max(most, depthOf(path)), 0);
  const warnings: string[] = [];
  const { memory } = scenario;
  const models = modelsFor(scenario, options);
  const used = models && options.store ? usedLast(options.store, scenario.name) : new Map<string, never>();
  const { domains, decided } = options;
  const root = nodeOf({ registry, limits, asOf, domains, memory, warnings, decided, models, used }, ROOT);
  const cost = costOfPlan(root, models);
  warnings.push(...costWarnings(cost, limits.budget));
  if (deepest > limits.maxDepth) {
    warnings.push(
      `The tree is ${deepest} deep, the limit is ${limits.maxDepth}: nodes at depth ${limits.maxDepth} execute as leaves, if they have an execute. Raise maxDepth to ${deepest} to run it whole.`,
    );
  }
  const [idle, ...moreIdle] = idleIn(root);
  if (idle !== undefined) {
    const who = moreIdle.length === 0 ? `${idle} has` : `${idle} and ${moreIdle.length} more have`;
    warnings.push(`${who} no execute and no depth left to divide: the children will be gaps.`);
  }
  const tooWide = widerThan(root, limits.maxChildren);
  if (tooWide) {
    const width = tooWide.children.length;
    warnings.push(
      `The plan of ${tooWide.path} has ${width} children, the limit is ${limits.maxChildren}: it will be refused. Raise maxChildren to ${width}, or divide the node into domains.`,
    );
  }
  const measured = measuredIn(root);
  const { leaves = Infinity } = limits.budget;
  if (measured.of > leaves) {
    warnings.push(
      `The plan has ${measured.of} leaves, the budget ${leaves}: ${measured.of - leaves} will be refused. Raise budget.leaves to ${measured.of}, or choose fewer domains.`,
    );
  }
  const expectedMs = expectedTime(workOf(root, registry), concurrency);
  if (expectedMs > limits.deadlineMs) {
    const [expected, due] = [expectedMs, limits.deadlineMs].map((ms) => `${Math.round(ms / 1000)} s`);
    const by = measured.leaves > 0 ? 'earlier runs' : 'its estimates';
    warnings.push(`By ${by} the run takes ${expected}, but its deadline is ${due}. Raise the deadline.`);
  }
  return {
    scenario: scenario.name,
    thesis,
    ...(asOf !== undefined && { asOf }),
    maxDepth: limits.maxDepth,
    deadlineMs: limits.deadlineMs,
    concurrency,
    expectedMs,
    measured,
    ...(cost && { cost }),
    root,
    warnings,
  };
}

/** Nodes that can neither divide nor execute. */
const idleIn = (node: PlannedNode): string[] => (node.cannotExecute ? [node.path] : node.children.flatMap(idleIn));

/** The widest node that is wider than allowed, the first of several. */
function widerThan(node: PlannedNode, most: number): PlannedNode | undefined {
  let widest = node.children.length > most ? node : undefined;
  for (const child of node.children) widest = widerThan(child, widest?.children.length ?? most) ?? widest;
  return widest;
}

type Planning = {
  registry: Registry;
  limits: Limits;
  asOf: string | undefined;
  domains: readonly string[] | undefined;
  memory: Scenario['memory'];
  warnings: string[];
  decided: Decided | undefined;
  models: Models | undefined;
  used: Parameters<typeof asksOf>[3];
};

/** `asked`: what its parent's decision asks it. */
function nodeOf(planning: Planning, path: string, asked?: string): PlannedNode {
  const { registry, limits } = planning;
  const { maxDepth } = limits;
  const entry = registry.get(path);
  if (!entry) throw new Error(`nothing is defined at ${path}`);
  const { definition, question, estimateMs, estimateFrom, sources } = entry;
  const depth = depthOf(path);
  const isLeaf = definition.kind === 'leaf';
  const declared = isLeaf ? undefined : decisionAt(planning, path);
  const isDemoted = declared && depth >= maxDepth;
  const decision = isDemoted
    ? { ...declared, mode: 'execute' as const, stages: [], demoted: declared.stages.flat().map(({ name }) => name) }
    : declared;
  const isDecided = planning.decided?.decisions[path] !== undefined;
  const executes = decision?.mode === 'execute';
  const asks = asksOf(entry, planning.models, { executes, isDecided }, planning.used);
  return {
    path,
    tier: depth === 0 ? 'root' : isLeaf ? 'leaf' : 'domain',
    depth,
    question: asked ?? question,
    ...(definition.description !== undefined && { description: definition.description }),
    ...(decision && { decision }),
    ...(isDemoted && !isLeaf && !definition.execute && { cannotExecute: true as const }),
    sources,
    needs: definition.kind === 'scenario' ? [] : (definition.needs ?? []),
    estimateMs,
    ...(estimateFrom && { estimateFrom }),
    ...(asks && { asks }),
    children: (decision?.stages.flat() ?? []).map((child) =>
      nodeOf(planning, childPath(path, child.name), child.question),
    ),
  };
}

/** A decider is asked here as in a run, with the whole deadline ahead of it; one that has to be waited for is not. */
function decisionAt({ registry, limits, asOf, domains, memory, warnings, decided }: Planning, path: string): Decision {
  const entry = orchestratorAt(registry, path);
  const known = decided?.decisions[path];
  if (known) {
    adopt(registry, entry, known);
    return known;
  }
  const depthLeft = limits.maxDepth - depthOf(path);
  const { relevance } = entry.definition;
  if (relevance && depthLeft > 0) {
    warnings.push(`${path} assesses relevance when it runs: children below its threshold will be skipped.`);
  }
  if (!entry.definition.decide || depthLeft <= 0) return staticDecision(registry, path, domains);
  const { question, charter, reserveMs, sources } = entry;
  const { deadlineMs, maxChildren } = limits;
  const tier = path === ROOT ? ('root' as const) : ('domain' as const);
  const grant = { depthLeft, issuedAt: 0, deadline: deadlineMs, reserveMs, budget: {}, maxChildren, tools: [] };
  const asked = {
    registry,
    entry,
    task: {
      runId: 'plan',
      path,
      tier,
      question,
      charter,
      ...(asOf !== undefined && { asOf }),
      grant: { ...grant, sources: [...sources] },
      prior: [],
      enrichments: [],
    },
    skips: leftOut(path, domains),
    io: { abortSignal: new AbortController().signal, budget: NOTHING_TO_SPEND },
    asking: undefined, // a plan costs nothing
    memory,
  };
  try {
    const given = answerOf(asked);
    if (!(given instanceof Promise)) return decisionFrom(asked, { given });
    given.catch(() => {});
    warnings.push(`${path} decides when it runs: it is shown as declared, and may take another shape.`);
    return staticDecision(registry, path, domains);
  } catch (fault) {
    return decisionFrom(asked, { fault });
  }
}

/** A plan costs nothing. */
const refuseToSpend = (): never => {
  throw errorOf({ status: 'budget', message: 'a plan before anything runs spends nothing' });
};
const NOTHING_TO_SPEND: Spending = {
  left: () => ({ usd: 0, tokens: 0 }),
  reserve: refuseToSpend,
  spend: refuseToSpend,
};

/** Of those that would work in a slot, how many earlier runs have measured. */
function measuredIn({ children, estimateFrom }: PlannedNode): Plan['measured'] {
  if (children.length === 0) return { leaves: estimateFrom === 'runs' ? 1 : 0, of: 1 };
  const below = children.map(measuredIn);
  return { leaves: below.reduce((sum, { leaves }) => sum + leaves, 0), of: below.reduce((sum, { of }) => sum + of, 0) };
}

function workOf(node: PlannedNode, registry: ReadonlyMap<string, Entry>): Work {
  const entry = registry.get(node.path);
  if (!entry) throw new Error(`nothing is defined at ${node.path}`);
  const name = nameOf(node.path);
  const { needs, decision } = node;
  if (decision?.mode !== 'divide') {
    const areOthersMeasured = (registry.get(ROOT)?.measured ?? 0) > 0;
    const { definition } = entry;
    const isAtOnce = definition.kind !== 'leaf' && !definition.execute; // it only says what was not done
    return { name, ownMs: isAtOnce ? 0 : entry.estimateMs, estimateMs: lengthOf(entry, areOthersMeasured), needs };
  }
  const children = node.children.map((child) => workOf(child, registry)); // in the order of the stages
  let placed = 0;
  const stages = decision.stages.map(({ length }) => children.slice(placed, (placed += length)));
  const { quorum } = decision;
  return { name, ownMs: entry.ownMs, estimateMs: undefined, stages, needs, ...(quorum !== undefined && { quorum }) };
}
