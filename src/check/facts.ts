/** What the rules look at: the nodes of a scenario in the order of its definition, and what a rehearsal observed. */
import { staticDecision } from '../activities/plan.ts';
import { registryOf, type Entry } from '../activities/registry.ts';
import type { Models } from '../define/models.ts';
import type { Domain, Leaf, Limits, Scenario } from '../define/spec.ts';
import { childPath, depthOf, ROOT } from '../protocol/path.ts';

/** What one node read in a rehearsal. */
export type Reads = {
  /** Names of the siblings whose reports or artifacts it asked for; of other nodes their paths. */
  readonly prior: ReadonlySet<string>;
  /** Ids of the series it asked for, declared or not. */
  readonly sources: ReadonlySet<string>;
  /** It came to its end without a fault and without a gap: what it did not read until then, it does not read. */
  readonly isWhole: boolean;
};
/** By path; a node that never came to work is not in it. */
export type Observed = ReadonlyMap<string, Reads>;

export type NodeFacts = {
  readonly path: string;
  readonly depth: number;
  readonly definition: Leaf | Domain | Scenario;
  /** Siblings that must have ended before it starts. */
  readonly needs: readonly string[];
  /** Names of its parent's children, its own among them. */
  readonly family: readonly string[];
  /** What it may read: its own sources, or, of an orchestrator, all of its children's. */
  readonly sources: readonly string[];
  /** Empty for a leaf. */
  readonly stages: readonly (readonly NodeFacts[])[];
  readonly children: readonly NodeFacts[];
  readonly leaves: number;
};
export type Facts = {
  readonly limits: Limits;
  /** Undefined of a run that has none. */
  readonly models: Models | undefined;
  readonly root: NodeFacts;
  /** Every node, a parent before its children. */
  readonly nodes: readonly NodeFacts[];
  readonly observed: Observed;
};

/** Facts of what a run with these domains would be: the definitions, whatever depth is granted to them. */
export function factsOf(
  scenario: Scenario,
  given: Pick<Facts, 'limits' | 'models'> & { domains: readonly string[] | undefined; observed: Observed | undefined },
): Facts {
  const registry = registryOf(scenario, scenario.thesis);
  const nodes: (NodeFacts | undefined)[] = [];
  const visit = ({ path, definition, sources }: Entry, family: readonly string[]): NodeFacts => {
    const at = nodes.push(undefined) - 1; // before its children, which it needs to be made
    const names = stageNames(registry, path, definition, given.domains);
    const own = names.flat();
    const stages = names.map((stage) => stage.map((name) => visit(entryAt(registry, childPath(path, name)), own)));
    const children = stages.flat();
    const node: NodeFacts = {
      path,
      depth: depthOf(path),
      definition,
      needs: definition.kind === 'scenario' ? [] : (definition.needs ?? []),
      family,
      sources,
      stages,
      children,
      leaves: definition.kind === 'leaf' ? 1 : children.reduce((sum, child) => sum + child.leaves, 0),
    };
    nodes[at] = node;
    return node;
  };
  const root = visit(entryAt(registry, ROOT), []);
  return {
    limits: given.limits,
    models: given.models,
    root,
    nodes: nodes.filter((node) => node !== undefined),
    observed: given.observed ?? new Map<string, Reads>(),
  };
}

function stageNames(
  registry: ReadonlyMap<string, Entry>,
  path: string,
  definition: Entry['definition'],
  domains: readonly string[] | undefined,
): string[][] {
  if (definition.kind === 'leaf') return [];
  return staticDecision(registry, path, domains).stages.map((stage) => stage.map(({ name }) => name));
}

function entryAt(registry: ReadonlyMap<string, Entry>, path: string): Entry {
  const entry = registry.get(path);
  if (!entry) throw new Error(`nothing is defined at ${path}`);
  return entry;
}
