/** What a user writes, after validation. Plain data and functions: no behaviour of its own. */
import type { z } from 'zod';
import type { ArtifactReader, ArtifactShelf } from '../ports/artifacts.ts';
import type { Model } from '../ports/asking.ts';
import type { Spending } from '../ports/budget.ts';
import type { Hooks } from '../ports/hooks.ts';
import type { Memory } from '../ports/memory.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import type { ToolServer, ToolShelf } from '../ports/tools.ts';
import type { Ended, Verdict } from '../ports/activities.ts';
import type { Finding, FindingDraft } from '../protocol/finding.ts';
import type { GapDraft } from '../protocol/gap.ts';
import type { Budget } from '../protocol/grant.ts';
import type { Report } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Series } from '../protocol/series.ts';
import type { Decision } from '../protocol/decision.ts';
import type { SynthesisDraft } from '../protocol/synthesis.ts';
import type { Task } from '../protocol/task.ts';
import type { Asks } from './asks.ts';
import type { Work } from '../ports/model.ts';
import type { ModelsSpec } from './models.ts';
import type { Assessor, RelevanceSpec } from './relevance.ts';
import type { Choose, Decider } from './shape.ts';

/** A leaf's only way to data: the sources it declared, as they were known at the task's as-of date. */
export type SourceReader = {
  /**
   * Reads a declared series without its future. A series of which nothing was known yet ends the attempt with a
   * gap `insufficient`.
   * @throws EspalierError `undeclared-source`, `unknown-source`, `invalid-data`; `invalid-input` when asked to look ahead
   */
  readonly series: (id: string, options?: { asOf?: string | undefined; abortSignal?: AbortSignal }) => Promise<Series>;
};

export type LeafContext = {
  readonly task: Task;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly sources: SourceReader;
  /** Its only way to tools: those it declared, but for the model's own. */
  readonly tools: ToolShelf;
  /** Aborted at the node's deadline, when the run stops, and when the attempt is over. */
  readonly abortSignal: AbortSignal;
  /** What this node may spend: reserved before, settled after. */
  readonly budget: Spending;
  /** Asks the model that the run's policy has for this leaf's kind of work. */
  readonly model: Model;
  /** Says a finding at once; a critical one travels to the root from here. */
  readonly report: (finding: FindingDraft) => void;
  readonly gap: (kind: GapDraft['gap'], why: string) => GapDraft;
  /** Keeps big outputs, which travel as references, and reads those that its `prior` reports refer to. */
  readonly artifacts: ArtifactShelf;
  /**
   * The report of a sibling that this node `needs`; undefined when it failed. Of any other node there is none, and an
   * integrity alert says so, unless the scenario observes such reads.
   */
  readonly prior: (name: string) => Report | undefined;
  /**
   * The same, for whoever cannot do without: when the sibling failed, the attempt ends here, with a gap `undone` that
   * names it. Of one that is not among its `needs` it fails for good.
   * @throws what ends the attempt: let it pass
   */
  readonly need: (name: string) => Report;
  /** Notes something that must not pass unseen, such as authority that was claimed and not granted. */
  readonly alert: (message: string) => void;
  /** Only an orchestrator has children: always refused, with an integrity alert. */
  readonly spawn: (name: string) => never;
};
/** A draft whose `data` has the shape that its leaf declares. */
export type DraftOf<Data> = Omit<FindingDraft, 'data'> & { data?: Data };
export type LeafResult<Data = FindingDraft['data']> = DraftOf<Data> | GapDraft | readonly (DraftOf<Data> | GapDraft)[];
export type LeafRun<Data = FindingDraft['data']> = (
  context: LeafContext,
) => LeafResult<Data> | Promise<LeafResult<Data>>;

export type SynthesisContext = {
  readonly task: Task;
  readonly decision: Decision;
  readonly children: readonly Ended[];
  /** Reads what the children's reports refer to. */
  readonly artifacts: ArtifactReader;
  readonly abortSignal: AbortSignal;
  readonly budget: Spending;
  /** Asks the model that the run's policy has for syntheses. */
  readonly model: Model;
  /** Why the first answer was rejected, when this is the second try. */
  readonly fault?: Fault;
};
export type Synthesizer = {
  (context: SynthesisContext): SynthesisDraft | Promise<SynthesisDraft>;
  /** That it asks a model, and about what that takes: a plan counts it. */
  readonly asks?: true | Asks;
};

type CheckContext = Pick<LeafContext, 'task' | 'abortSignal' | 'budget' | 'model'>;
type NodeSpec = {
  readonly name: string;
  /** One sentence for people: which question this node answers, and how. */
  readonly description?: string;
  /** The scoped question. Default: its parent's. */
  readonly question?: string;
  /** Siblings that must have ended before this node starts, and whose reports it may read. */
  readonly needs?: readonly string[];
  /** Expected duration: `1500`, `'20s'`. Orders the queue and sizes the stages, until two runs have measured it. */
  readonly estimate?: number | string;
  /** Its share of what its parent may spend, beside its siblings'. Default: the number of leaves in it. */
  readonly weight?: number;
  /** Other words for it, by which a critical finding may name it. */
  readonly aliases?: readonly string[];
};
export type LeafSpec<Data = FindingDraft['data']> = NodeSpec & {
  readonly work?: Work;
  /**
   * That it asks a model, and about what that takes. It is then in the pool of its class, such as `model:deep`, and a
   * plan says what it is expected to cost.
   */
  readonly asks?: true | Asks;
  /** The pools of `limits.pools` it is in, such as `build` or `model:deep`; besides `work:KIND`, if there is one. */
  readonly pools?: readonly string[];
  readonly sources?: readonly string[];
  /** `server` or `server/tool` of the scenario's tools, and `web_search` or `web_fetch` of its model's own. */
  readonly tools?: readonly string[];
  /** Of an agent: its definition as written. It is in its digest, so that a changed one is done again. */
  readonly instructions?: string;
  /**
   * Whether it does no harm to execute one attempt of it twice at once, as a hedge: it changes nothing outside, and finds
   * the same. Default: true of work by `rules`, false of any other.
   */
  readonly idempotent?: boolean;
  /** Attempts in total. Default 3. */
  readonly attempts?: number;
  /** The shape of its findings' `data`: checked with every attempt, and what `dataOf` gives back. */
  readonly data?: z.ZodType<Data>;
  readonly run: LeafRun<Data>;
  /** The leaf's own definition of done. */
  readonly verify?: (findings: readonly Finding[], context: CheckContext) => Verdict | Promise<Verdict>;
  /** What the next attempt is told about a failure. Default: the failure's message. */
  readonly recover?: (fault: Fault, context: CheckContext) => string | Promise<string>;
};
export type JoinSpec = {
  /** Proceed when this many children of a stage have reported. Default: all. */
  readonly quorum?: number;
};
/**
 * `final`: one synthesis, once the children have ended. `incremental`: besides it, interim reports as they end, made
 * without a model, at most one per `debounce` (`'1s'` or ms; default 250 ms).
 */
export type SynthesisMode = 'final' | 'incremental' | { readonly debounce: number | string };
/** When an orchestrator looks again: one more stage after its last, within its grant. */
export type ReinvestigateSpec = {
  /** Of its assessment, 0 to 0.5. Default: it looks again whatever the dissent. */
  readonly dissentAbove?: number;
  /** Leaves that stand by, for a further round alone. Default: the decider is asked again. */
  readonly leaves?: readonly Leaf[];
  /** Which of the leaves, maybe with a question of their own. Default: all that are left. */
  readonly choose?: Choose;
  /** How many further rounds there may be, 1 to 3. Default 1. */
  readonly rounds?: number;
};
/** What domains and scenarios can leave to be decided when they run. */
type Adaptive = {
  /** Chooses the shape of the work below: itself, its children, or sub-domains of them. Default: all its children. */
  readonly decide?: Decider;
  /** Scores each child before it is spawned, and skips it below a threshold. Default: nobody is assessed. */
  readonly relevance?: 'assess' | Assessor | RelevanceSpec;
  readonly reinvestigate?: ReinvestigateSpec;
};
export type DomainSpec = NodeSpec &
  Adaptive & {
    readonly charter: string;
    readonly children: readonly Child[];
    /** The most that it may spend, with all below it, of what its parent has. Default: whatever that is. */
    readonly budget?: Budget;
    readonly join?: JoinSpec;
    /** Default: the deterministic synthesis. */
    readonly synthesize?: Synthesizer;
    /** Default: `final`. */
    readonly synthesis?: SynthesisMode;
    /** Does the domain's work as one leaf when depth is spent. It may read every source its children declare. */
    readonly execute?: LeafRun;
  };
/** When a straggling leaf is executed a second time, and how often that may be. */
export type HedgeSpec = {
  /** After how long at work an attempt is hedged, whatever is expected of it: `'30s'` or ms. */
  readonly after?: number | string;
  /**
   * Instead of `after`: how many times as long as expected, above 1 and not before 100 ms. What is expected earlier runs
   * have measured, or its author says; of whom neither is known is not hedged. Default 3.
   */
  readonly times?: number;
  /** Hedges per leaf started so far, above 0 and at most 1. Default 0.05: one in twenty. */
  readonly extra?: number;
};
export type LimitsSpec = {
  /** The greatest depth any node may have; the root is at 0. Default 2: three tiers. */
  readonly maxDepth?: number;
  /** When the brief is due, from the start: `'8m'` or ms. Default 8 minutes. */
  readonly deadline?: number | string;
  /** Leaves at work at once, over the whole tree. Default 10. */
  readonly concurrency?: number;
  /**
   * Leaves at work at once of those in a pool, over the whole tree: `{ 'model:deep': 3, 'work:rules': 8 }`. A pool that
   * is refused by a rate limit goes down as far as `least`, default 1. Default: `build: 2`; for the server of a source, 4.
   */
  readonly pools?: Readonly<Record<string, number | { readonly most: number; readonly least?: number }>>;
  /** Children of one node. Default 10,000. */
  readonly maxChildren?: number;
  /** Executes a straggling leaf a second time, in a slot of its own; the first valid answer counts. Default: never. */
  readonly hedge?: HedgeSpec | false;
  /** What the whole run may spend: US dollars, tokens in and out, leaves. Default: no limit. */
  readonly budget?: Budget;
};
/** What becomes of reads that a leaf did not declare. */
type DependencyRule = 'refuse' | 'observe';
export type ScenarioSpec = Adaptive & {
  readonly name: string;
  readonly description?: string;
  readonly thesis: string;
  /** `YYYY-MM-DD`. Default: none; sources are read as they are today. */
  readonly asOf?: string;
  readonly domains: readonly Child[];
  readonly limits?: LimitsSpec;
  readonly join?: JoinSpec;
  /**
   * Reads that a leaf did not declare, of sources and of other nodes' reports and artifacts: refused, or allowed, counted
   * and reported as dependencies. Default `refuse`.
   */
  readonly dependencies?: DependencyRule;
  readonly sources?: SourceAdapter;
  /** Which models do which kind of work. Default: none, and whoever asks one fails. */
  readonly models?: ModelsSpec;
  /** Servers of tools by the name under which leaves declare them. Opened when first used, closed with the run. */
  readonly tools?: Readonly<Record<string, ToolServer>>;
  /** What orchestrators remember from run to run: told to their deciders, added to by code after a run. Default: none. */
  readonly memory?: Memory;
  /** The program's own say in a run. */
  readonly hooks?: Hooks;
  readonly synthesize?: Synthesizer;
  /** Of the root; each domain has its own. Default: `final`. */
  readonly synthesis?: SynthesisMode;
  readonly execute?: LeafRun;
};

export type Leaf<Data = unknown> = LeafSpec<Data> & {
  readonly kind: 'leaf';
  /** The `data` of this leaf's findings among those given, such as a report's, in their order. */
  dataOf(findings: readonly Finding[]): Data[];
};
/** A domain with its children sorted into stages by `needs`. */
export type Domain = DomainSpec & { readonly kind: 'domain'; readonly stages: readonly (readonly Child[])[] };
export type Child = Leaf | Domain;
export type HedgeLimit = { readonly extra: number } & ({ readonly after: number } | { readonly times: number });
export type PoolLimit = { readonly most: number; readonly least: number };
export type Limits = {
  readonly maxDepth: number;
  readonly deadlineMs: number;
  readonly concurrency: number;
  readonly pools: Readonly<Record<string, PoolLimit>>;
  readonly maxChildren: number;
  readonly hedge?: HedgeLimit;
  readonly budget: Budget;
};
export type Scenario = Omit<ScenarioSpec, 'limits'> & {
  readonly kind: 'scenario';
  readonly limits: Limits;
  readonly stages: readonly (readonly Child[])[];
};
