/** The decision before anything runs. Pure of the scenario: no source is read. */
import { staticDecision } from '../activities/plan.ts';
import { registryOf, type Entry } from '../activities/registry.ts';
import type { Scenario } from '../define/spec.ts';
import { childPath, depthOf, ROOT } from '../protocol/path.ts';
import { checkScenario, limitsFor } from './limits.ts';
import type { Plan, PlannedNode, RunOptions } from './run.ts';

/**
 * Shows what a run would do: which nodes, in which stages, with which questions, and what it would leave out.
 * @throws EspalierError `invalid-input` on a scenario that is none, or an option that cannot be read
 */
export function plan(scenario: Scenario, options: RunOptions = {}): Plan {
  checkScenario(scenario, options);
  const limits = limitsFor(scenario, options);
  const thesis = options.thesis ?? scenario.thesis;
  const asOf = options.asOf ?? scenario.asOf;
  const registry = registryOf(scenario, thesis);
  const root = nodeOf(registry, ROOT, limits.maxDepth, options.domains);
  const deepest = [...registry.keys()].reduce((most, path) => Math.max(most, depthOf(path)), 0);
  const warnings: string[] = [];
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
  if (root.estimateMs > limits.deadlineMs) {
    const [expected, due] = [root.estimateMs, limits.deadlineMs].map((ms) => `${Math.round(ms / 1000)} s`);
    warnings.push(`By its estimates the run takes ${expected}, but its deadline is ${due}. Raise the deadline.`);
  }
  return {
    scenario: scenario.name,
    thesis,
    ...(asOf !== undefined && { asOf }),
    maxDepth: limits.maxDepth,
    deadlineMs: limits.deadlineMs,
    concurrency: limits.concurrency,
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

function nodeOf(
  registry: ReadonlyMap<string, Entry>,
  path: string,
  maxDepth: number,
  domains: readonly string[] | undefined,
): PlannedNode {
  const entry = registry.get(path);
  if (!entry) throw new Error(`nothing is defined at ${path}`);
  const { definition, question, estimateMs, sources } = entry;
  const depth = depthOf(path);
  const isLeaf = definition.kind === 'leaf';
  const declared = isLeaf ? undefined : staticDecision(registry, path, domains);
  const isDemoted = declared && depth >= maxDepth;
  const decision = isDemoted
    ? { ...declared, mode: 'execute' as const, stages: [], demoted: declared.stages.flat().map(({ name }) => name) }
    : declared;
  return {
    path,
    tier: depth === 0 ? 'root' : isLeaf ? 'leaf' : 'domain',
    depth,
    question,
    ...(definition.description !== undefined && { description: definition.description }),
    ...(decision && { decision }),
    ...(isDemoted && !isLeaf && !definition.execute && { cannotExecute: true as const }),
    sources,
    needs: definition.kind === 'scenario' ? [] : (definition.needs ?? []),
    estimateMs,
    children: (decision?.stages.flat() ?? []).map(({ name }) =>
      nodeOf(registry, childPath(path, name), maxDepth, domains),
    ),
  };
}
