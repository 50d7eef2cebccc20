/** The contract of a run, whichever host performs it. Types only. */
import type { KeyObject } from 'node:crypto';
import type { ModelsSpec } from '../define/models.ts';
import type { ModelWork, Policy, PolicyName } from '../ports/model.ts';
import type { HedgeSpec, Scenario, SynthesisMode } from '../define/spec.ts';
import type { Expense } from '../ports/budget.ts';
import type { Clock } from '../ports/clock.ts';
import type { ModelClass } from '../ports/model.ts';
import type { Origin, Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Decision } from '../protocol/decision.ts';
import type { Finding } from '../protocol/finding.ts';
import type { Budget } from '../protocol/grant.ts';
import type { Gap } from '../protocol/gap.ts';
import type { Report, ReportStatus, Tier } from '../protocol/report.ts';
import type { RunEvent } from '../protocol/run-event.ts';

/** Performs runs elsewhere than in this process. */
export type RunHost = {
  readonly name: string;
  /**
   * Asks whether a run of this scenario could begin there. To be awaited before anything of the run is kept, which would
   * otherwise look as if it had begun.
   * @throws EspalierError `server-fault` when nobody answers; `invalid-input` when nobody there knows the scenario
   */
  checkReady?(scenario: Scenario): Promise<void>;
  /** @throws EspalierError `invalid-input` on an option that it cannot honour */
  start(scenario: Scenario, options: RunOptions): RunHandle;
};

export type RunOptions = {
  /** Who performs the run, such as `restate({ … })`. Default: this process. */
  host?: RunHost;
  /** Default: the scenario's. */
  asOf?: string;
  thesis?: string;
  /** `'8m'` or ms, from the start. */
  deadline?: number | string;
  maxDepth?: number;
  concurrency?: number;
  /** Executes straggling leaves a second time; `false`: never, whatever the scenario says. */
  hedge?: HedgeSpec | false;
  /** What the whole run may spend; a dimension that is not given is as the scenario says. */
  budget?: Budget;
  /** In place of the scenario's. */
  models?: ModelsSpec;
  /** `fast` or `deep`: all work by that class of model; `mixed`: each kind by its default; or laid over the scenario's. */
  policy?: PolicyName | Policy;
  /** Names of the root's children to activate; the others are skipped. Default: all. */
  domains?: readonly string[];
  /** Of every orchestrator, in place of what each says of itself: `'incremental'` lets the whole tree make interims. */
  synthesis?: SynthesisMode;
  /** Default: 16 random letters and digits. */
  runId?: string;
  /** Default: the system's time. Tests give a virtual clock. */
  clock?: Clock;
  /** 0 … 1, for how long to back off. Default: `Math.random`. Tests give a seeded one. */
  random?: () => number;
  /** How full the memory is, 0 … 1: above 0.85 fewer leaves work at once. Default: this process's; with a `clock`, none. */
  pressure?: () => number;
  /** Traces and metrics of this run. Default: none. */
  telemetry?: Telemetry;
  /**
   * Where the run is kept as it happens, so that it can be resumed, shown and verified. How long its scenario's nodes
   * took in earlier runs orders the queue and sizes reserves. Default: nowhere.
   */
  store?: Store;
  /** What a plan that was asked for has decided: nobody is asked again, and what the asking has cost is counted. */
  decided?: Decided;
  /**
   * Asked before anything runs, with the plan as its deciders have it; after an edit once more, with what came of it. Of
   * `run` alone: the deadline counts from the approval. A rejection rejects with `rejected`.
   */
  approve?: Approver;
  /** Kept with the run: where its scenario came from, for whoever resumes it. */
  origin?: Origin;
  /**
   * Goes on with the run of this id in `store`: what had ended is taken over, plans are not asked again, only what was
   * lost runs. Options that are not given are as they were.
   */
  resume?: string;
  /** With `resume`: do again also what had failed by its own doing. Default: only what time or a cancellation cut off. */
  retryFailed?: boolean;
  /** An Ed25519 private key that signs the run's receipt. */
  signingKey?: KeyObject;
  /** Called with every event, in order. What it throws is ignored. */
  onEvent?: (event: RunEvent) => void;
  /** When it aborts, the run is cancelled: the partial brief is delivered. */
  signal?: AbortSignal;
};

export type RunOutcome = {
  runId: string;
  status: ReportStatus;
  /** The root's report. */
  brief: Report;
  escalations: readonly Finding[];
  gaps: readonly Gap[];
};

export type RunHandle = {
  readonly runId: string;
  /** Every event from the first, for each consumer that starts iterating in the same turn as `start`. */
  readonly events: AsyncIterable<RunEvent>;
  /** Resolves with the brief; rejects only when the run was stopped or its host broke. */
  readonly result: Promise<RunOutcome>;
  /**
   * The root's latest interim report, whose coverage never falls. Undefined before the first, and in a run whose root
   * has a final synthesis only.
   */
  interim(): Report | undefined;
  /** Closes the run now: `result` resolves at once with what was found. */
  cancel(): void;
  /** Ends the run now and delivers nothing: `result` rejects. */
  stop(): void;
};

/** Decisions made before a run. */
export type Decided = {
  /** By the path of the orchestrator. */
  readonly decisions: Readonly<Record<string, Decision>>;
  /** What asking for them has cost, by the same. */
  readonly spent: Readonly<Record<string, Expense>>;
};
/** Of the root's children, by their names. */
export type PlanEdit = {
  readonly skip?: readonly string[];
  readonly activate?: readonly string[];
  readonly questions?: Readonly<Record<string, string>>;
};
export type Approval = { readonly approve: true } | { readonly reject: string } | { readonly edit: PlanEdit };
/** A person, or whoever speaks for one. */
export type Approver = (plan: AskedPlan) => Approval | Promise<Approval>;
export type AskedPlan = Plan & { readonly decided: Decided };

/** What asking models is expected to take, if nothing fails. */
export type PlannedCost = {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  webSearches: number;
  /** US dollars, nothing cached; of a model without a price nothing. */
  usd: number;
};
export type PlannedAsk = PlannedCost & {
  work: ModelWork;
  class: ModelClass;
  model: string;
  /** Who says how many tokens: the last run of the scenario that ended, or the definition. */
  from: 'runs' | 'author';
};
export type PlannedModel = PlannedCost & { class: ModelClass; model: string; isPriced: boolean };

/** A node of the decision tree, before anything runs. */
export type PlannedNode = {
  path: string;
  tier: Tier;
  depth: number;
  question: string;
  description?: string;
  /** Absent for leaves. */
  decision?: Decision;
  /** Set where depth is spent and the node has no execute: nobody does the work, and its children will be gaps. */
  cannotExecute?: true;
  sources: readonly string[];
  /** Names of siblings it waits for. */
  needs: readonly string[];
  /** Expected duration in ms, were nothing else to wait for a slot. */
  estimateMs: number;
  /** Of a leaf: who says so. */
  estimateFrom?: 'runs' | 'author' | 'nobody';
  /** Of a node that says that it asks a model, in a run that has models. */
  asks?: readonly PlannedAsk[];
  children: readonly PlannedNode[];
};
export type Plan = {
  scenario: string;
  thesis: string;
  asOf?: string;
  maxDepth: number;
  deadlineMs: number;
  concurrency: number;
  /** How long the whole is expected to take at this concurrency, if nothing fails, in ms. */
  expectedMs: number;
  /** How many of the leaves earlier runs have measured. */
  measured: { leaves: number; of: number };
  /** Of a run that has models, and nodes that say that they ask them. */
  cost?: PlannedCost & { models: readonly PlannedModel[] };
  root: PlannedNode;
  /** What a reader should know before spending: a tree deeper than the limit, for one. */
  warnings: readonly string[];
};
