/** Finds the definition behind a path, and what can be said of it before it runs. */
import { parseDuration } from '../define/duration.ts';
import { poolsOfLeaf } from '../define/pools.ts';
import type { Child, Domain, Leaf, Scenario } from '../define/spec.ts';
import { NONE } from '../protocol/freeze.ts';
import { childPath, ROOT } from '../protocol/path.ts';
import { DETERMINISTIC_RESERVE_MS, SYNTHESIZER_RESERVE_MS } from '../tier/grant.ts';

type Definition = Leaf | Domain | Scenario;
export type Entry = {
  path: string;
  definition: Definition;
  question: string;
  charter: string;
  /** Expected duration in ms, were nothing to wait for a slot. */
  estimateMs: number;
  /** What it may read: its own sources, or, of an orchestrator, all of its children's. */
  sources: readonly string[];
  leaves: number;
  /** The named pools it is in: of a leaf alone. */
  pools: readonly string[];
};

const UNKNOWN_LEAF_MS = 1_000;

/** Every node of a scenario by its path. */
export function registryOf(scenario: Scenario, thesis: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const visit = (path: string, definition: Definition, question: string, charter: string): Entry => {
    if (definition.kind === 'leaf') {
      const estimateMs = durationOf(definition) ?? UNKNOWN_LEAF_MS;
      const entry = {
        path,
        definition,
        question,
        charter,
        estimateMs,
        sources: definition.sources ?? [],
        leaves: 1,
        pools: poolsOfLeaf(definition, scenario.limits.pools),
      };
      entries.set(path, entry);
      return entry;
    }
    const below = definition.stages.map((stage) =>
      stage.map((child) =>
        visit(childPath(path, child.name), child, child.question ?? question, charterOf(child, charter)),
      ),
    );
    const waited = below.reduce(
      (sum, stage) => sum + stage.reduce((most, entry) => Math.max(most, entry.estimateMs), 0),
      0,
    );
    const entry = {
      path,
      definition,
      question,
      charter,
      estimateMs: durationOf(definition) ?? waited + reserveOf(definition),
      sources: [...new Set(below.flat().flatMap((child) => child.sources))],
      leaves: below.flat().reduce((sum, child) => sum + child.leaves, 0),
      pools: NONE,
    };
    entries.set(path, entry);
    return entry;
  };
  visit(ROOT, scenario, thesis, '');
  return entries;
}

/** What an orchestrator keeps back for its synthesis, in ms. */
export const reserveOf = (definition: Domain | Scenario): number =>
  definition.synthesize ? SYNTHESIZER_RESERVE_MS : DETERMINISTIC_RESERVE_MS;

const charterOf = (child: Child, inherited: string): string => (child.kind === 'domain' ? child.charter : inherited);

const durationOf = (definition: Definition): number | undefined =>
  'estimate' in definition && definition.estimate !== undefined ? parseDuration(definition.estimate) : undefined;
