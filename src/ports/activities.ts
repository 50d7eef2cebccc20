/** The steps with effects that a host performs for its nodes. One implementation serves every host. */
import type { Dependency } from '../protocol/dependency.ts';
import type { Spending } from './budget.ts';
import type { Decision } from '../protocol/decision.ts';
import type { FindingDraft, Finding } from '../protocol/finding.ts';
import type { Artifact, Outcome } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { RunEventBody } from '../protocol/run-event.ts';
import type { Task } from '../protocol/task.ts';

export type Io = {
  readonly abortSignal: AbortSignal;
  /** What the node may spend on this step. */
  readonly budget: Spending;
};
export type PlanInput = {
  task: Task;
  deadline: number;
  /** Set when the stages are through, and the decision may grow by one. */
  again?: NextRound;
};
/** One child's end as its join saw it. `notNeeded`: it was stopped because the quorum had been reached. */
export type Ended = { name: string; outcome: Outcome; notNeeded?: true };
/** What a further round goes by: 2 is the first. */
export type NextRound = { round: number; decision: Decision; ended: readonly Ended[] };
export type SynthesizeInput = {
  task: Task;
  decision: Decision;
  ended: readonly Ended[];
  deadline: number;
  /** 1, or 2 when the first answer was rejected for `fault`. */
  attempt: number;
  fault?: Fault;
};
/** `isHedge`: a second execution of an attempt that straggles. */
export type AttemptInput = { task: Task; attempt: number; isHedge?: true };
export type AttemptIo = Io & {
  /** Says a finding now, without waiting for the end of the attempt. */
  readonly report: (draft: FindingDraft) => void;
  /** Says that the present attempt has kept a big output. */
  kept(artifact: Artifact): void;
  /** Says that the present attempt has read what it did not declare. */
  depend(read: Pick<Dependency, 'on' | 'via'>): void;
  /** Says that the present attempt begins to read a source. What is returned is to be called at the read's end. */
  reading(source: string, isDeclared: boolean): (read: SourceRead) => void;
  /** Says that the present attempt begins to call a tool. What is returned is to be called at the call's end. */
  calling(tool: string): (called: ToolCalled) => void;
  /** Notes something that must not pass unseen. */
  readonly alert: (kind: Extract<RunEventBody, { type: 'integrity.alert' }>['kind'], message: string) => void;
};
/** How a read ended, and how much of the series was known at the as-of date. */
export type SourceRead = Omit<
  Extract<RunEventBody, { type: 'source.read' }>,
  'type' | 'path' | 'source' | 'declared' | 'startedAt'
>;
/** How a call ended; `error` also when the tool answered that it had failed. */
export type ToolCalled = Pick<Extract<RunEventBody, { type: 'tool.called' }>, 'status'>;
export type Verdict = { ok: true } | { ok: false; why: string };

/** What comes back is parsed by the core, not believed. */
export type Activities = {
  plan(input: PlanInput, io: Io): Promise<unknown>;
  synthesize(input: SynthesizeInput, io: Io): Promise<unknown>;
  /** One attempt of a leaf, or of an orchestrator that executes in place of its children. */
  attempt(input: AttemptInput, io: AttemptIo): Promise<unknown>;
  /** Whether this node's findings pass its own check. Absent: nothing to check. */
  verify(input: AttemptInput, findings: readonly Finding[], io: Io): Promise<Verdict> | undefined;
  /** What the next attempt should know that this one did not. */
  recover(input: AttemptInput, fault: Fault, io: Io): Promise<string> | undefined;
  /** How often this node may be attempted, at least 1. */
  attemptsOf(path: string): number;
  /**
   * How long this node is expected to take, in ms: as measured, else as its author says. Of one of whom nobody knows it
   * is assumed, 1,000, as long as that is so of all: undefined where others have been measured, and it goes before them.
   */
  estimateOf(path: string): number | undefined;
  /** After how long at work an attempt of this node is hedged, in ms. Undefined of one that never is. */
  hedgeAfterOf(path: string): number | undefined;
  /** The named pools this node is in. */
  poolsOf(path: string): readonly string[];
};
