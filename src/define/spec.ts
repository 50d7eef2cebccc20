/** What a user writes, after validation. Plain data and functions: no behaviour of its own. */
import type { z } from 'zod';
import type { ArtifactReader, ArtifactShelf } from '../ports/artifacts.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import type { Ended, Verdict } from '../ports/activities.ts';
import type { Finding, FindingDraft } from '../protocol/finding.ts';
import type { GapDraft, GapKind } from '../protocol/gap.ts';
import type { Report } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Series } from '../protocol/series.ts';
import type { Decision } from '../protocol/decision.ts';
import type { SynthesisDraft } from '../protocol/synthesis.ts';
import type { Task } from '../protocol/task.ts';
import type { Assessor, RelevanceSpec } from './relevance.ts';
import type { Choose, Decider } from './shape.ts';

/** The kind of work a leaf does. Which model serves a kind, if any, is the scenario's business. */
export type Work = 'extraction' | 'rules' | 'structured' | 'authoring';

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
  /** Aborted at the node's deadline, when the run stops, and when the attempt is over. */
  readonly abortSignal: AbortSignal;
  /** Says a finding at once; a critical one travels to the root from here. */
  readonly report: (finding: FindingDraft) => void;
  readonly gap: (kind: GapKind, why: string) => GapDraft;
  /** Keeps big outputs, which travel as references, and reads those that its `prior` reports refer to. */
  readonly artifacts: ArtifactShelf;
  /** The report of a sibling that this node `needs`; undefined when it failed. */
  readonly prior: (name: string) => Report | undefined;
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
  /** Why the first answer was rejected, when this is the second try. */
  readonly fault?: Fault;
};
export type Synthesizer = (context: SynthesisContext) => SynthesisDraft | Promise<SynthesisDraft>;

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
  /** Other words for it, by which a critical finding may name it. */
  readonly aliases?: readonly string[];
};
export type LeafSpec<Data = FindingDraft['data']> = NodeSpec & {
  readonly work?: Work;
  readonly sources?: readonly string[];
  /** Attempts in total. Default 3. */
  readonly attempts?: number;
  /** The shape of its findings' `data`: checked with every attempt, and what `dataOf` gives back. */
  readonly data?: z.ZodType<Data>;
  readonly run: LeafRun<Data>;
  /** The leaf's own definition of done. */
  readonly verify?: (
    findings: readonly Finding[],
    context: { task: Task; abortSignal: AbortSignal },
  ) => Verdict | Promise<Verdict>;
  /** What the next attempt is told about a failure. Default: the failure's message. */
  readonly recover?: (fault: Fault, context: { task: Task; abortSignal: AbortSignal }) => string | Promise<string>;
};
export type JoinSpec = {
  /** Proceed when this many children of a stage have reported. Default: all. */
  readonly quorum?: number;
};
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
    readonly join?: JoinSpec;
    /** Default: the deterministic synthesis. */
    readonly synthesize?: Synthesizer;
    /** Does the domain's work as one leaf when depth is spent. It may read every source its children declare. */
    readonly execute?: LeafRun;
  };
export type LimitsSpec = {
  /** The greatest depth any node may have; the root is at 0. Default 2: three tiers. */
  readonly maxDepth?: number;
  /** When the brief is due, from the start: `'8m'` or ms. Default 8 minutes. */
  readonly deadline?: number | string;
  /** Leaves at work at once, over the whole tree. Default 10. */
  readonly concurrency?: number;
  /** Children of one node. Default 10,000. */
  readonly maxChildren?: number;
};
export type ScenarioSpec = Adaptive & {
  readonly name: string;
  readonly description?: string;
  readonly thesis: string;
  /** `YYYY-MM-DD`. Default: none; sources are read as they are today. */
  readonly asOf?: string;
  readonly domains: readonly Child[];
  readonly limits?: LimitsSpec;
  readonly join?: JoinSpec;
  readonly sources?: SourceAdapter;
  readonly synthesize?: Synthesizer;
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
export type Limits = {
  readonly maxDepth: number;
  readonly deadlineMs: number;
  readonly concurrency: number;
  readonly maxChildren: number;
};
export type Scenario = Omit<ScenarioSpec, 'limits'> & {
  readonly kind: 'scenario';
  readonly limits: Limits;
  readonly stages: readonly (readonly Child[])[];
};
