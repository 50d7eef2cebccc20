/** What travels between the invocations of a run. All of it is JSON. */
import type { Measured } from '../../activities/history.ts';
import type { Policy, PolicyName } from '../../ports/model.ts';
import type { Limits } from '../../define/spec.ts';
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import type { Money, Spent } from '../../tier/usage.ts';
import type { Decided } from '../run.ts';

/** What every invocation of a run is told of it. */
export type RunSpec = {
  readonly runId: string;
  readonly scenario: string;
  readonly thesis: string;
  readonly asOf?: string;
  /** By its caller's clock, as the run's record says. All clocks are to agree within the margins of a tier. */
  readonly issuedAt: number;
  readonly limits: Limits;
  readonly domains?: readonly string[];
  readonly policy?: PolicyName | Policy;
  /** Some node may spend no more than so much, though the run may. */
  readonly hasCaps?: true;
  /** Somebody keeps it: its nodes say what makes their tasks the same. */
  readonly isStored?: true;
  /** Earlier runs have something to tell: the ledger has it. */
  readonly hasForeknowledge?: true;
  /** The trace context of the run's span. */
  readonly traceparent?: string;
};

/** What is known before the run: by path, what earlier runs have taught. */
export type Foreknowledge = {
  readonly durations: readonly (readonly [string, Measured])[];
  readonly learned: readonly (readonly [string, string[]])[];
  /** What was decided before the run. */
  readonly decided?: Decided;
};

export type RunInput = { readonly spec: RunSpec; readonly foreknowledge?: Foreknowledge };

/** A decision that made sub-domains, at the path of who decided: a worker that was not there makes them again. */
export type Made = { readonly path: string; readonly stages: readonly (readonly ChildSpec[])[] };

export type NodeInput = {
  readonly spec: RunSpec;
  readonly task: Task;
  /** The decisions above the node that made sub-domains, from the root down. */
  readonly made: readonly Made[];
  /** Of a leaf: the slot that it begins in. */
  readonly slot?: string;
  /** Of a leaf: what its place in the queue goes by, should it ask for a slot again. */
  readonly estimateMs?: number;
};

/** An event, and when it happened. */
export type Noted = { readonly at: number; readonly event: RunEventBody };

export type NodeAnswer = {
  /** An unsealed outcome: parsed by whoever waited, not believed. */
  readonly outcome: unknown;
  readonly at: number;
  /** What the ledger has not been told yet. */
  readonly events: readonly Noted[];
  readonly spent?: Spent;
  /** Of a leaf in a run with limits: what the run's budget has not been told of that. */
  readonly unbooked?: Money;
  /** Why there is no outcome: it is more than can travel. */
  readonly tooBig?: string;
  /** Of a leaf: the slot that it leaves to whoever waited, and how the work in it went. Absent when it has none. */
  readonly leaves?: { readonly slot: string; readonly ended: 'well' | Fault };
};
