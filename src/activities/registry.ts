/** Finds the definition behind a path, and what can be said of it before it runs. */
import { median } from 'simple-statistics';
import { parseDuration } from '../define/duration.ts';
import type { Models } from '../define/models.ts';
import { poolsOfLeaf } from '../define/pools.ts';
import type { Child, Domain, Leaf, Scenario } from '../define/spec.ts';
import { NONE } from '../protocol/freeze.ts';
import { childPath, ROOT } from '../protocol/path.ts';
import { expectedWork, NO_HISTORY, reserveFor, type History } from './history.ts';

type Definition = Leaf | Domain | Scenario;
/** Who says how long a leaf works. */
type EstimateFrom = 'runs' | 'author' | 'nobody';
export type Entry = {
  path: string;
  definition: Definition;
  question: string;
  charter: string;
  /** Expected duration in ms, were nothing else to wait for a slot: of an orchestrator with all below it. */
  estimateMs: number;
  /** The part that is the node's own: a leaf's work, an orchestrator's synthesis. */
  ownMs: number;
  /**
   * What its stage is sized by: with the wait for a slot among its siblings, and never less than without history,
   * so that a stage of quick leaves has room for a slow day.
   */
  stageMs: number;
  /** Of leaves. */
  estimateFrom?: EstimateFrom;
  /** Of an orchestrator: what it keeps back for its synthesis, in ms. */
  reserveMs: number;
  /** What it may read: its own sources, or, of an orchestrator, all of its children's. */
  sources: readonly string[];
  /** What it may call, likewise. */
  tools: readonly string[];
  leaves: number;
  /** The named pools it is in: of a leaf alone. */
  pools: readonly string[];
  /** How many of its leaves earlier runs have measured. */
  measured: number;
  /** ms of all its leaves' work together. */
  workMs: number;
};
export type RegistryOptions = {
  history?: History;
  /** The cap on slots. Default: none. */
  concurrency?: number;
  /** Puts leaves that ask a model into its pool. Default: there are none. */
  models?: Models | undefined;
};

const UNKNOWN_LEAF_MS = 1_000;

/** Every node of a scenario by its path. */
export type Registry = ReadonlyMap<string, Entry> & {
  /** Adds sub-domains that were not declared, side by side under `parent`, with all below them. */
  grow(parent: Entry, subDomains: readonly Domain[]): void;
};

export function registryOf(scenario: Scenario, thesis: string, options: RegistryOptions = {}): Registry {
  const { history = NO_HISTORY, concurrency = Infinity, models } = options;
  const unknownMs = typicalLeafMs(scenario, history) ?? UNKNOWN_LEAF_MS;
  const entries = new Map<string, Entry>();
  /** `knownAs`: the path under which its author declared it. */
  const visit = (path: string, definition: Definition, question: string, charter: string, knownAs = path): Entry => {
    const measured = history.get(path) ?? history.get(knownAs);
    const estimateMs = durationOf(definition);
    const least = estimateMs ?? UNKNOWN_LEAF_MS;
    if (definition.kind === 'leaf') {
      const { ms, from } = expectedWork(measured, estimateMs) ?? { ms: unknownMs, from: 'nobody' as const };
      const entry: Entry = {
        path,
        definition,
        question,
        charter,
        estimateMs: ms,
        ownMs: ms,
        stageMs: Math.max(ms, least),
        estimateFrom: from,
        reserveMs: 0,
        sources: definition.sources ?? [],
        tools: definition.tools ?? NONE,
        leaves: 1,
        pools: poolsOfLeaf(definition, scenario.limits.pools, models),
        measured: from === 'runs' ? 1 : 0,
        workMs: ms,
      };
      entries.set(path, entry);
      return entry;
    }
    const stages = definition.stages.map((stage) =>
      stage.map((child) =>
        visit(
          childPath(path, child.name),
          child,
          child.question ?? question,
          charterOf(child, charter),
          childPath(knownAs, child.name),
        ),
      ),
    );
    const below = stages.flat();
    // They stand by, and count when a further round calls them.
    for (const leaf of definition.reinvestigate?.leaves ?? []) {
      visit(childPath(path, leaf.name), leaf, leaf.question ?? question, charter, childPath(knownAs, leaf.name));
    }
    const reserveMs = reserveFor(definition.synthesize !== undefined, measured);
    const ownMs = measured?.medianMs ?? reserveMs;
    const waited = stages.reduce((sum, stage) => sum + sizeStage(stage, concurrency), 0);
    const leaves = total(below, (child) => child.leaves);
    const known = total(below, (child) => child.measured);
    // What its author says of the whole stands until each of its leaves has been measured.
    const wholeMs = estimateMs === undefined || known === leaves ? waited + ownMs : estimateMs;
    const entry: Entry = {
      path,
      definition,
      question,
      charter,
      estimateMs: wholeMs,
      ownMs,
      stageMs: Math.max(wholeMs, least),
      reserveMs,
      sources: [...new Set(below.flatMap((child) => child.sources))],
      tools: [...new Set(below.flatMap((child) => child.tools))],
      leaves,
      pools: NONE,
      measured: known,
      workMs: total(below, (child) => child.workMs),
    };
    entries.set(path, entry);
    return entry;
  };
  visit(ROOT, scenario, thesis, '');
  return Object.assign(entries, {
    grow({ path, question }: Entry, subDomains: readonly Domain[]): void {
      const grown = subDomains.map((each) =>
        visit(childPath(path, each.name), each, each.question ?? question, each.charter, path),
      );
      sizeStage(grown, concurrency);
    },
  });
}

/** How long a stage takes: as its longest child, or as all its work at so many at once. Its children learn of it. */
function sizeStage(stage: readonly Entry[], concurrency: number): number {
  const shared = total(stage, (child) => child.workMs) / concurrency;
  for (const child of stage) child.stageMs = Math.max(child.stageMs, shared);
  return stage.reduce((most, child) => Math.max(most, child.estimateMs), shared);
}

/** What an unknown leaf is taken for when others have been measured: one like them. */
function typicalLeafMs(scenario: Scenario, history: History): number | undefined {
  const known: number[] = [];
  const visit = (path: string, definition: Definition): void => {
    if (definition.kind === 'leaf') {
      const measured = history.get(path);
      if (measured) known.push(Math.max(1, measured.medianMs));
    } else for (const child of definition.stages.flat()) visit(childPath(path, child.name), child);
  };
  if (history.size > 0) visit(ROOT, scenario);
  return known.length > 0 ? median(known) : undefined;
}

const total = (entries: readonly Entry[], of: (entry: Entry) => number): number =>
  entries.reduce((sum, entry) => sum + of(entry), 0);

const charterOf = (child: Child, inherited: string): string => (child.kind === 'domain' ? child.charter : inherited);

const durationOf = (definition: Definition): number | undefined =>
  'estimate' in definition && definition.estimate !== undefined ? parseDuration(definition.estimate) : undefined;

/**
 * What the queue goes by. In a scenario that nobody has run, a leaf without an estimate is an ordinary one: authors
 * speak of the long ones. Where others have been measured, it is new or has always failed, and may be long.
 */
export const lengthOf = ({ estimateMs, estimateFrom }: Entry, areOthersMeasured: boolean): number | undefined =>
  estimateFrom === 'nobody' && areOthersMeasured ? undefined : estimateMs;
