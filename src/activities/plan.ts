/** The static decision: what the scenario says, less what the run leaves out. */
import type { Child } from '../define/spec.ts';
import { childPath, ROOT } from '../protocol/path.ts';
import type { ChildSpec, Decision } from '../protocol/decision.ts';
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
  const entry = registry.get(path);
  if (!entry || entry.definition.kind === 'leaf') {
    throw new Error(`nothing is defined at ${path} that could decide`);
  }
  const { definition } = entry;
  const chosen = path === ROOT && domains ? new Set(domains) : undefined;
  const skipped: Decision['skipped'] = [];
  const isActive = (child: Child): boolean => {
    const missing = child.needs?.find((need) => skipped.some(({ name }) => name === need));
    if (chosen && !chosen.has(child.name)) skipped.push({ name: child.name, why: 'not among the domains chosen' });
    else if (missing !== undefined) skipped.push({ name: child.name, why: `needs "${missing}", which is skipped` });
    else return true;
    return false;
  };
  const stages = definition.stages
    .map((stage) => stage.filter(isActive).map((child) => specOf(registry, path, child)))
    .filter((stage) => stage.length > 0);
  const quorum = definition.join?.quorum;
  return {
    by: 'scenario',
    mode: 'divide',
    ...(definition.synthesize && { ownWeight: 1 }), // as much as a leaf
    stages,
    ...(quorum !== undefined && { quorum }),
    skipped,
    estimates: estimatesOf(registry, entry, stages),
  };
}

function specOf(registry: ReadonlyMap<string, Entry>, parent: string, child: Child): ChildSpec {
  const entry = registry.get(childPath(parent, child.name));
  return {
    name: child.name,
    role: child.kind === 'leaf' ? 'leaf' : 'orchestrator',
    ...(entry && {
      question: entry.question,
      estimateMs: entry.stageMs,
      leaves: entry.leaves,
      sources: [...entry.sources],
    }),
    ...(child.needs && { needs: [...child.needs] }),
    ...(child.weight !== undefined && { weight: child.weight }),
    ...(child.kind === 'domain' && { charter: child.charter, ...(entry && { reserveMs: entry.reserveMs }) }),
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
