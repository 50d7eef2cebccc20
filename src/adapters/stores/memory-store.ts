/** A store for as long as its process lives: for tests, and for runs that nobody will ask about later. */
import type {
  Batch,
  Duration,
  HelpfulEnrichment,
  NewRun,
  RunState,
  RunWriter,
  Store,
  StoredEvent,
  StoredNode,
  StoredRun,
} from '../../ports/store.ts';
import { parentOf } from '../../protocol/path.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import { claimRule, type Holder, type StoreOptions } from './claims.ts';
import { checkBytes, checkOrder, claimLost, REMEMBERED, runExists, unknownRun } from './store-rules.ts';

/** What callers may still change is kept as JSON, so that it is theirs and not ours. */
type KeptNode = { readonly started: number; readonly parent: string; readonly body: string };
type Kept = {
  readonly runId: string;
  readonly body: string;
  readonly events: StoredEvent[];
  readonly nodes: Map<string, KeptNode>;
  readonly artifacts: Map<string, Uint8Array>;
  state: RunState;
  ended?: { endedAt: number; receipt: Receipt };
  holder?: Holder;
};

/**
 * A store in memory; what it holds ends with it.
 * @example
 * const store = memoryStore();
 */
export function memoryStore(options: StoreOptions = {}): Store {
  const name = 'memory';
  const rule = claimRule(options);
  const runs = new Map<string, Kept>();
  const durations = new Map<string, Map<string, Duration[]>>();
  const enrichments = new Map<string, Map<string, HelpfulEnrichment[]>>();

  const known = (runId: string): Kept => {
    const kept = runs.get(runId);
    if (!kept) throw unknownRun(runId, name);
    return kept;
  };
  const storedRun = (kept: Kept): StoredRun => ({
    ...(JSON.parse(kept.body) as NewRun),
    state: kept.state,
    events: kept.events.length,
    head: kept.events.at(-1)?.checksum ?? '',
    ...structuredClone(kept.ended),
    ...(kept.holder && { claim: rule.claimOf(kept.holder) }),
  });

  function writerOf(kept: Kept): RunWriter {
    const mine = rule.newHolder();
    kept.holder = mine;
    const renew = (): void => {
      if (kept.holder !== mine) throw claimLost(kept.runId);
      mine.renewedAt = rule.now();
    };
    return {
      renew,
      write(batch) {
        renew();
        checkOrder(kept.runId, batch.events, kept.events.length);
        const nodes = batch.nodes.map((node) => [node.path, keptNode(node)] as const);
        for (const event of batch.events) kept.events.push({ ...event });
        for (const [path, node] of nodes) kept.nodes.set(path, node);
        for (const duration of batch.durations) remember(durations, duration);
        for (const enrichment of batch.enrichments) remember(enrichments, enrichment);
        if (batch.end) end(kept, batch.end);
      },
      keep(sha256, bytes) {
        checkBytes(sha256, bytes);
        renew();
        kept.artifacts.set(sha256, Uint8Array.from(bytes));
      },
      release() {
        if (kept.holder === mine) delete kept.holder;
      },
    };
  }

  return {
    name,
    begin(run) {
      if (runs.has(run.runId)) throw runExists(run.runId, name);
      const empty = { events: [], nodes: new Map(), artifacts: new Map() };
      const kept: Kept = { runId: run.runId, body: JSON.stringify(run), ...empty, state: 'running' };
      runs.set(run.runId, kept);
      return writerOf(kept);
    },
    claim(runId) {
      const kept = known(runId);
      rule.refuseLive(runId, kept.holder);
      return writerOf(kept);
    },
    run(runId) {
      const kept = runs.get(runId);
      return kept && storedRun(kept);
    },
    *runs({ scenario, state, startedAfter = -Infinity, startedBefore = Infinity } = {}) {
      const latestFirst = [...runs.values()].reverse().map(storedRun);
      for (const run of latestFirst.sort((a, b) => b.startedAt - a.startedAt)) {
        if (scenario !== undefined && run.scenario !== scenario) continue;
        if (state !== undefined && run.state !== state) continue;
        if (run.startedAt > startedAfter && run.startedAt < startedBefore) yield run;
      }
    },
    *events(runId, { from = 0, path, types } = {}) {
      for (const event of runs.get(runId)?.events ?? []) {
        if (!(event.seq >= from)) continue;
        if ((path ?? event.path) === event.path && (types?.includes(event.type) ?? true)) yield { ...event };
      }
    },
    event(runId, seq) {
      const event = runs.get(runId)?.events[seq];
      return event && { ...event };
    },
    node(runId, path) {
      const node = runs.get(runId)?.nodes.get(path);
      return node && (JSON.parse(node.body) as StoredNode);
    },
    *nodes(runId, { parent } = {}) {
      const nodes = [...(runs.get(runId)?.nodes.values() ?? [])].filter(
        (node) => node.parent === (parent ?? node.parent),
      );
      for (const { body } of nodes.sort((a, b) => a.started - b.started)) yield JSON.parse(body) as StoredNode;
    },
    *durations(scenario, most) {
      for (const latest of durations.get(scenario)?.values() ?? []) {
        for (const duration of latest.slice(0, most)) yield { ...duration };
      }
    },
    *enrichments(scenario, path) {
      const byPath = enrichments.get(scenario) ?? new Map<string, HelpfulEnrichment[]>();
      const all = path === undefined ? [...byPath.values()].flat() : (byPath.get(path) ?? []);
      const latestFirst = path === undefined ? all.sort((a, b) => b.at - a.at) : all;
      for (const enrichment of latestFirst) yield { ...enrichment };
    },
    bytes(runId, sha256) {
      const bytes = runs.get(runId)?.artifacts.get(sha256);
      return bytes && Uint8Array.from(bytes);
    },
    remove(runId) {
      rule.refuseLive(runId, known(runId).holder);
      delete known(runId).holder;
      runs.delete(runId);
    },
    problems: () => [],
    close() {},
  };
}

const keptNode = (node: StoredNode): KeptNode => ({
  started: node.seq.started,
  parent: parentOf(node.path),
  body: JSON.stringify(node),
});

function end(kept: Kept, { state, endedAt, receipt }: NonNullable<Batch['end']>): void {
  kept.state = state;
  kept.ended = structuredClone({ endedAt, receipt });
}

type Remembered = { readonly scenario: string; readonly path: string; readonly at: number };

/** The latest first; of two at the same time, the one that came later. */
function remember<T extends Remembered>(all: Map<string, Map<string, T[]>>, item: T): void {
  const paths = all.get(item.scenario) ?? new Map<string, T[]>();
  all.set(item.scenario, paths);
  const latest = [{ ...item }, ...(paths.get(item.path) ?? [])].sort((a, b) => b.at - a.at);
  paths.set(item.path, latest.slice(0, REMEMBERED));
}
