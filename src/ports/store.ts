/**
 * Where runs are kept while they happen: for each a log of its events, and an index of its nodes over it.
 *  1. A batch is written whole or not at all, and is there when `write` returns.
 *  2. One process writes to a run at a time. It holds a claim and renews it; who has lost it writes nothing more.
 *  3. Readers are iterators: no answer holds a whole run.
 * Synchronous, so that a node's end is kept before anything else happens because of it (decision 0007).
 * Every method throws an EspalierError `store-fault` when the store itself is at fault: full, read-only, corrupt.
 */
import type { FailureStatus } from '../protocol/failure-status.ts';
import type { Budget } from '../protocol/grant.ts';
import type { Receipt } from '../protocol/receipt.ts';
import type { ReportStatus, Tier, Usage } from '../protocol/report.ts';
import type { Retention } from '../protocol/retention.ts';
import type { RunEventType } from '../protocol/run-event.ts';
import type { Policy, PolicyName } from './model.ts';

/**
 * What a run was asked besides its thesis, enough to ask it again. On resume it is laid under the `RunOptions` given, field
 * by field: a field here has the name and the meaning of that option, or is translated in `resumedOptions`.
 */
export type StoredOptions = {
  asOf?: string;
  deadlineMs: number;
  maxDepth: number;
  concurrency: number;
  /** When stragglers are hedged; `false` when they never are though the scenario would. */
  hedge?: { after?: number; times?: number; extra: number } | false;
  /** What the whole run may spend. */
  budget?: Budget;
  domains?: readonly string[];
  policy?: PolicyName | Policy;
};
/** Where the caller found the scenario. Its own business; the command line keeps its file and data folder here. */
export type Origin = { readonly [key: string]: string };

export type NewRun = {
  runId: string;
  /** The scenario's name. */
  scenario: string;
  thesis: string;
  /** Epoch ms, as all instants here. */
  startedAt: number;
  options: StoredOptions;
  origin: Origin;
  hostVersion: string;
};
/** `running` until the root has reported. Without a live claim it was interrupted. */
export type RunState = 'running' | ReportStatus;
export type StoredRun = NewRun & {
  state: RunState;
  /** How many events it has; their `seq` counts from 0. */
  events: number;
  /** The checksum of its last event; of none, empty. */
  head: string;
  endedAt?: number;
  receipt?: Receipt;
  /** Who writes to it, if anybody does. */
  claim?: Claim;
};
export type Claim = { pid: number; hostname: string; renewedAt: number; isLive: boolean };

/** `checksum` covers the body and the checksum before it, so that none can be altered, left out or put elsewhere. */
export type StoredEvent = {
  seq: number;
  type: RunEventType;
  path: string;
  /** The event as JSON. */
  body: string;
  checksum: string;
};

/** What the events say of one node, in short. */
export type StoredNode = {
  path: string;
  tier: Tier;
  depth: number;
  /** `invalidated`: a resumed run does not have it any more. */
  state: 'running' | 'invalidated' | ReportStatus | FailureStatus;
  /** Of its definition, and of all that it was asked: what a resumed run compares. */
  definition?: string;
  taskDigest?: string;
  /** Of how it ended. */
  digest?: string;
  startedAt: number;
  /** When its decision was known. */
  plannedAt?: number;
  /** When its first attempt had a slot. */
  workedAt?: number;
  endedAt?: number;
  /** ms spent in attempts. */
  workMs: number;
  attempts: number;
  findings: number;
  criticals: number;
  gaps: number;
  retention?: Retention;
  usage?: { self: Usage; subtree: Usage };
  /** Where its events stand in the log. */
  seq: { started: number; planned?: number; ended?: number };
};

/** How long a node's own work took: a leaf's attempts, an orchestrator's synthesis. Known by its path in a scenario. */
export type Duration = { scenario: string; path: string; ms: number; at: number };
/** What an attempt was told that then succeeded, after a failure of this kind. */
export type HelpfulEnrichment = {
  scenario: string;
  path: string;
  status: FailureStatus;
  enrichment: string;
  at: number;
};

export type Batch = {
  events: readonly StoredEvent[];
  /** Replace what is known of these nodes. */
  nodes: readonly StoredNode[];
  durations: readonly Duration[];
  enrichments: readonly HelpfulEnrichment[];
  end?: { state: ReportStatus; endedAt: number; receipt: Receipt };
};
/** The claim on one run. */
export type RunWriter = {
  /** @throws EspalierError `claim-lost` when another process has taken the run over, and nothing is written */
  write(batch: Batch): void;
  /** Says that this process is alive. @throws EspalierError `claim-lost` */
  renew(): void;
  /** Keeps bytes under their SHA-256. */
  keep(sha256: string, bytes: Uint8Array): void;
  /** Gives the claim back. Never throws. */
  release(): void;
};

/** A claim that was not renewed for this long has lapsed: its process hangs or is gone. In ms. */
export const CLAIM_MS = 15_000;

export type RunFilter = { scenario?: string; state?: RunState; startedAfter?: number; startedBefore?: number };
export type Store = {
  /** For messages. */
  readonly name: string;
  /** Opens the record of a new run. @throws EspalierError `invalid-input` when there is one of this id */
  begin(run: NewRun): RunWriter;
  /** Takes up a run that nobody writes to. @throws EspalierError `unknown-run`, `run-busy` */
  claim(runId: string): RunWriter;
  run(runId: string): StoredRun | undefined;
  /** The latest first. */
  runs(filter?: RunFilter): Iterable<StoredRun>;
  /** In the order of `seq`. */
  events(
    runId: string,
    filter?: { from?: number; path?: string; types?: readonly RunEventType[] },
  ): Iterable<StoredEvent>;
  event(runId: string, seq: number): StoredEvent | undefined;
  node(runId: string, path: string): StoredNode | undefined;
  /** In the order of their start: all of them, or the children of one. */
  nodes(runId: string, filter?: { parent?: string }): Iterable<StoredNode>;
  /** The latest of each path first, at most `most` of each. */
  durations(scenario: string, most: number): Iterable<Duration>;
  /** The latest first. */
  enrichments(scenario: string, path?: string): Iterable<HelpfulEnrichment>;
  bytes(runId: string, sha256: string): Uint8Array | undefined;
  /** Forgets a run that nobody writes to. @throws EspalierError `unknown-run`, `run-busy` */
  remove(runId: string): void;
  /** What is wrong with the store itself, one sentence each. Reads all of it. */
  problems(): string[];
  close(): void;
};
