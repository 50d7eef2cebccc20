/** The static decision: what the scenario says, less what the run leaves out. */
import type { Child, Domain, Scenario } from '../define/spec.ts';
import { childPath, ROOT } from '../protocol/path.ts';
import type { ChildSpec, Decision } from '../protocol/decision.ts';
import { ASKING_PLAN_MS } from '../tier/grant.ts';
import type { Entry } from './registry.ts';

/**
 * Decides for the orchestrator at `path`. `domains` names the root's children to activate; a child whose needs are
 * left out is left out too.
 */
export function staticDecision(
  registry: ReadonlyMap<string, Entry>,
  path: string,
  domains?: readonly string[],
): Decision {
  const entry = orchestratorAt(registry, path);
  const { active, skipped } = select(entry, leftOut(path, domains));
  return decisionOver(registry, entry, active, { by: 'scenario', skipped });
}

export type Orchestrator = Entry & { definition: Domain | Scenario };
export function orchestratorAt(registry: ReadonlyMap<string, Entry>, path: string): Orchestrator {
  const entry = registry.get(path);
  if (entry && isOrchestrator(entry)) return entry;
  throw new Error(`nothing is defined at ${path} that could decide`);
}
const isOrchestrator = (entry: Entry): entry is Orchestrator => entry.definition.kind !== 'leaf';

type Skip = Omit<Decision['skipped'][number], 'name'>;
/** Why a child is skipped, if it is. */
export type Skips = (name: string) => Skip | undefined;

/** By the choice of the root's children. */
export function leftOut(path: string, domains: readonly string[] | undefined): Skips {
  const chosen = path === ROOT && domains ? new Set(domains) : undefined;
  return (name) => (chosen && !chosen.has(name) ? { why: 'not among the domains chosen' } : undefined);
}

/** The children that are activated, in their stages, and those that are not: also whoever needs one of these. */
export function select(
  { definition }: Orchestrator,
  skips: Skips,
): { active: Child[][]; skipped: Decision['skipped'] } {
  const skipped: Decision['skipped'] = [];
  const isActive = (child: Child): boolean => {
    const { name } = child;
    const skip = skips(name);
    const missing = child.needs?.find((need) => skipped.some((one) => one.name === need));
    if (skip) skipped.push({ name, ...skip });
    else if (missing !== undefined) skipped.push({ name, why: `needs "${missing}", which is skipped` });
    else return true;
    return false;
  };
  const active = definition.stages.map((stage) => stage.filter(isActive)).filter((stage) => stage.length > 0);
  return { active, skipped };
}

/** Children in their stages, some of them sub-domains that the decision makes: `members`, by name. */
export function decisionOver(
  registry: ReadonlyMap<string, Entry>,
  entry: Orchestrator,
  active: readonly (readonly Child[])[],
  rest: Pick<Decision, 'by' | 'skipped' | 'reasons'>,
  members?: ReadonlyMap<string, string[]>,
): Decision {
  const stages = active.map((stage) => stage.map((child) => specOf(registry, entry.path, child, members)));
  const quorum = entry.definition.join?.quorum;
  const { by, skipped, reasons } = rest;
  return {
    by,
    mode: 'divide',
    ...(entry.definition.synthesize && { ownWeight: 1 }), // as much as a leaf
    stages,
    ...(quorum !== undefined && { quorum }),
    ...(reasons && { reasons }),
    skipped,
    estimates: estimatesOf(registry, entry, stages),
  };
}

function specOf(
  registry: ReadonlyMap<string, Entry>,
  parent: string,
  child: Child,
  members: ReadonlyMap<string, string[]> | undefined,
): ChildSpec {
  const entry = registry.get(childPath(parent, child.name));
  const held = members?.get(child.name);
  return {
    name: child.name,
    ...(held && { members: held }),
    role: child.kind === 'leaf' ? 'leaf' : 'orchestrator',
    ...(entry && {
      question: entry.question,
      estimateMs: entry.stageMs,
      leaves: entry.leaves,
      sources: [...entry.sources],
      ...(entry.tools.length > 0 && { tools: [...entry.tools] }),
    }),
    ...(child.needs && { needs: [...child.needs] }),
    ...(child.weight !== undefined && { weight: child.weight }),
    ...(child.kind === 'domain' && child.budget && { budget: child.budget }),
    ...(child.kind === 'domain' && { charter: child.charter, ...(entry && { reserveMs: entry.reserveMs }) }),
    ...(child.kind === 'domain' && child.decide?.asks && { planMs: ASKING_PLAN_MS }),
  };
}

function estimatesOf(
  registry: ReadonlyMap<string, Entry>,
  { path, ownMs }: Entry,
  stages: readonly (readonly ChildSpec[])[],
): Decision['estimates'] {
  const entryOf = ({ name }: ChildSpec): Entry | undefined => registry.get(childPath(path, name));
  const leaves = stages.flat().reduce((sum, child) => sum + (entryOf(child)?.leaves ?? 0), 0);
  const waited = stages.map((stage) =>
    stage.reduce((most, child) => Math.max(most, entryOf(child)?.estimateMs ?? 0), 0),
  );
  return { leaves, criticalPathMs: waited.reduce((sum, ms) => sum + ms, ownMs) };
}
