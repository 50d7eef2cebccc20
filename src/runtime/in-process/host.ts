/** What the in-process host gives its actors, and how they speak. */
import type { ActorScope, AnyActorLogic, AnyActorRef, AnyActorScope, AnyEventObject, Snapshot } from 'xstate';
import type { Identify } from '../../activities/identity.ts';
import type { Activities } from '../../ports/activities.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Slots } from '../../ports/slots.ts';
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { Gap } from '../../protocol/gap.ts';
import { nameOf, parentOf } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import type { Recall } from '../record/recall.ts';
import type { RunBudget } from './run-budget.ts';

export type Host = {
  readonly clock: Clock;
  readonly activities: Activities;
  readonly slots: Slots;
  readonly budget: RunBudget;
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
  /** Changes the host's own logics, to rehearse faults. */
  readonly rehearsal?: Rehearsal;
  /** Gaps that became known after the node they belong to had ended; the root's report takes them in. */
  readonly afterthoughts: Gap[];
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
  const why = `a critical finding came after this node had ended: ${finding.statement}`;
  afterthoughts.push({ path, kind: 'undone', why });
}

/** What an actor persists, in the one type that XState has for it. */
export const persisted = (fields: object): Snapshot<unknown> => fields as Snapshot<unknown>;
