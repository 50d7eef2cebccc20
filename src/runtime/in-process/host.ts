/** What the in-process host gives its actors, and how they speak. */
import type { ActorScope, AnyActorLogic, AnyActorRef, AnyActorScope, AnyEventObject, Snapshot } from 'xstate';
import type { Identify } from '../../activities/identity.ts';
import type { SharedReads } from '../../activities/shared-reads.ts';
import type { Activities, Ended } from '../../ports/activities.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Slots } from '../../ports/slots.ts';
import type { ChildSpec, Decision } from '../../protocol/decision.ts';
import { dependencyKey, type Dependency } from '../../protocol/dependency.ts';
import type { Finding } from '../../protocol/finding.ts';
import { nameOf, parentOf } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import type { Hedging } from '../../tier/hedging.ts';
import type { Afterthought, Recall } from '../record/recall.ts';
import type { Interims } from './interims.ts';
import type { RunBudget } from '../run-budget.ts';

export type Host = {
  readonly clock: Clock;
  readonly activities: Activities;
  readonly slots: Slots;
  /** 0 … 1, for back-offs. */
  readonly random: () => number;
  readonly budget: RunBudget;
  /** Where stragglers are hedged: how often that may be. */
  readonly hedging?: Hedging;
  /** Writes to the run's events. Never throws. */
  readonly emit: (event: RunEventBody) => void;
  /** Logic of the caller's own for a node. It must end with an outcome, which is parsed, not believed. */
  readonly guestFor?: (child: ChildSpec, task: Task) => AnyActorLogic | undefined;
  /** The trace context of a node that has started. */
  readonly traceparentOf?: (path: string) => string | undefined;
  /** Of a stored run: what makes two tasks the same. */
  readonly identify?: Identify;
  /** Of a resumed run: what is known of its nodes. */
  readonly recall?: Recall;
  /** What helped this node in earlier runs: it is told so at once. */
  readonly learned?: (path: string) => string[] | undefined;
  /** Where undeclared reads are observed: what nodes can read of each other, and what they have read. */
  readonly observed?: { readonly shared: SharedReads; readonly dependencies: Map<string, Dependency> };
  /** Where some synthesis is incremental. */
  readonly interims?: Interims;
  /** Changes the host's own logics, to rehearse faults. */
  readonly rehearsal?: Rehearsal;
  /** How the root's children have ended, and what it had decided: for a brief that has to be made without it. */
  readonly underRoot: Ended[];
  decided: Decision | undefined;
  /** Critical findings that came after their node had ended; the root's report takes them in as gaps. */
  readonly afterthoughts: Afterthought[];
  /** Set when the whole run is stopped: nobody waits for an end any more. */
  isStopped: boolean;
};
export type Rehearsal = {
  orchestrator<Logic extends AnyActorLogic>(logic: Logic, task: Task): Logic;
  gather<Logic extends AnyActorLogic>(logic: Logic): Logic;
};

export const STOP = 'xstate.stop';

// An actor's scope is invariant in its event type; those that only tell and ask its state take any.
// oxlint-disable-next-line typescript/no-explicit-any
export type Scope = ActorScope<any, any> | AnyActorScope;

type Relay = { _relay(source: AnyActorRef, target: AnyActorRef, event: AnyEventObject): void };
/** How XState's own logics speak: unlike `send`, it names the source to inspectors. */
export const tell = (scope: Scope, to: AnyActorRef, event: AnyEventObject): void =>
  (scope.system as unknown as Relay)._relay(scope.self as AnyActorRef, to, event);

export const tellSelf = (scope: Scope, event: AnyEventObject): void => tell(scope, scope.self as AnyActorRef, event);

export const isLive = (scope: Scope): boolean => (scope.self.getSnapshot() as { status: string }).status === 'active';

/** A critical finding from a node that had already ended: too late for that node's report, but not lost. */
export function noteLate({ emit, afterthoughts }: Host, path: string, finding: Finding): void {
  emit({ type: 'child.late', path: parentOf(path) || path, child: nameOf(path), why: 'late', findings: [finding] });
  afterthoughts.push({ path, finding });
}

/** Once for each reader and what it read. */
export function noteDependency({ emit, observed }: Host, dependency: Dependency): void {
  const { on, path, via } = dependency;
  const key = dependencyKey(dependency);
  if (!observed || observed.dependencies.has(key)) return;
  observed.dependencies.set(key, dependency);
  emit({ type: 'dependency.observed', path, on, via });
}

/** What an actor persists, in the one type that XState has for it. */
export const persisted = (fields: object): Snapshot<unknown> => fields as Snapshot<unknown>;
