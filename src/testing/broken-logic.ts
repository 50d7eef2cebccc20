/**
 * Actor logic that works until a moment, and then breaks as a rehearsal asks for.
 *  1. Whatever is broken can still be stopped, and leaves nothing then.
 *  2. What its subtree said until it was stopped passes up: one that hangs does not answer, but hears and forwards.
 */
import type { AnyActorLogic, AnyActorRef, AnyActorScope, AnyEventObject, Snapshot } from 'xstate';
import type { Clock } from '../ports/clock.ts';
import { errorOf } from '../tier/fault.ts';
import type { RehearsedFault, RehearsedStep } from './rehearsed-fault.ts';

export const THROWN = 'a rehearsed fault';
export const RUBBISH = { rehearsed: 'rubbish' };

type Kind = Exclude<RehearsedFault['kind'], 'slow'>;
type FaultAt = (path: string, step?: RehearsedStep) => RehearsedFault | undefined;
type Transition = (snapshot: Snapshot<unknown>, event: AnyEventObject, scope: AnyActorScope) => Snapshot<unknown>;

const BREAK = 'rehearsal.break';
const RESUME = 'rehearsal.resume';
const STOP = 'xstate.stop';
const FLUSH = 'gather.flush';
const CANCEL = 'gather.cancel';
const STILL_HEARD: ReadonlySet<string> = new Set([STOP, FLUSH, 'espalier.up']);

const isEndOfChild = ({ type }: AnyEventObject): boolean =>
  type.startsWith('xstate.done.actor.') || type.startsWith('xstate.error.actor.');
const pathOfGather = (snapshot: unknown): string => (snapshot as { input: { task: { path: string } } }).input.task.path;

/** An orchestrator that breaks when its first child has ended. */
export const breakingNode = <Logic extends AnyActorLogic>(logic: Logic, kind: Kind): Logic =>
  breaking(
    logic,
    () => kind,
    ({ type }) => type === BREAK,
    endingOfNode,
  );

/** A gather that breaks, or is slow, where `faultAt` says so; and that tells a node which is to break. */
export const breakingGather = <Logic extends AnyActorLogic>(logic: Logic, faultAt: FaultAt, clock: Clock): Logic => {
  const kindOf = (snapshot: unknown): Kind | undefined => {
    const kind = faultAt(pathOfGather(snapshot), 'gather')?.kind;
    return kind === 'slow' ? undefined : kind;
  };
  return slow(breaking(telling(logic, faultAt), kindOf, isEndOfChild, endingOfGather), faultAt, clock);
};

type Ending = Pick<Snapshot<unknown>, 'status' | 'output' | 'error'>;
const failing = (error: Error): Ending => ({ status: 'error', output: undefined, error });

/** Whoever waits for a node classifies how it ended. */
const endingOfNode = (kind: Kind): Ending =>
  kind === 'throw'
    ? failing(new Error(THROWN))
    : { status: 'done', output: kind === 'invalid' ? RUBBISH : undefined, error: undefined };

/** A gather answers to its own statechart, which believes it: the fault is named here. */
const endingOfGather = (kind: Kind): Ending =>
  failing(kind === 'silent' || kind === 'invalid' ? errorOf({ status: kind, message: THROWN }) : new Error(THROWN));

function breaking<Logic extends AnyActorLogic>(
  logic: Logic,
  kindOf: (snapshot: unknown) => Kind | undefined,
  breaks: (event: AnyEventObject) => boolean,
  endingOf: (kind: Kind) => Ending,
): Logic {
  const broken = new WeakSet<object>();
  const inner = transitionOf(logic);
  return withTransition(logic, (snapshot, event, scope) => {
    const kind = snapshot.status === 'active' ? kindOf(snapshot) : undefined;
    if (kind === undefined) return inner(snapshot, event, scope);
    if (broken.has(scope.self) && !STILL_HEARD.has(event.type)) return snapshot;
    const next = inner(snapshot, event, scope);
    if (!breaks(event)) return next;
    broken.add(scope.self);
    if (kind === 'hang') return held(next);
    const flushed = next.status === 'active' ? inner(next, { type: FLUSH }, scope) : next;
    // Stopped first: XState gives an actor that ends in error no chance to stop its children.
    const stopped = flushed.status === 'active' ? inner(flushed, { type: STOP }, scope) : flushed;
    return { ...stopped, ...endingOf(kind) } as Snapshot<unknown>;
  });
}

/** A gather that tells the orchestrator above it to break, once a child has ended and what it said has passed up. */
function telling<Logic extends AnyActorLogic>(logic: Logic, faultAt: FaultAt): Logic {
  const inner = transitionOf(logic);
  return withTransition(logic, (snapshot, event, scope) => {
    const next = inner(snapshot, event, scope);
    if (!isEndOfChild(event) || !faultAt(pathOfGather(snapshot))) return next;
    const flushed = next.status === 'active' ? inner(next, { type: FLUSH }, scope) : next;
    const above = (scope.self as AnyActorRef)._parent;
    const isLive = (): boolean => (above?.getSnapshot() as Snapshot<unknown> | undefined)?.status === 'active';
    queueMicrotask(() => isLive() && above?.send({ type: BREAK })); // not within: it stops this very gather
    return flushed;
  });
}

/** A gather that ends, and says so later; at once when it is cancelled. */
function slow<Logic extends AnyActorLogic>(logic: Logic, faultAt: FaultAt, clock: Clock): Logic {
  const inner = transitionOf(logic);
  const ended = new WeakMap<object, { end: Snapshot<unknown>; timer: unknown }>();
  return withTransition(logic, (snapshot, event, scope) => {
    const self = scope.self as AnyActorRef;
    const late = ended.get(self);
    if (late) {
      if (event.type !== RESUME && event.type !== CANCEL && event.type !== STOP) return snapshot;
      clock.clearTimeout(late.timer);
      return event.type === STOP ? inner(snapshot, event, scope) : late.end;
    }
    const next = inner(snapshot, event, scope);
    const fault = faultAt(pathOfGather(snapshot), 'gather');
    if (fault?.kind !== 'slow' || next.status !== 'done') return next;
    ended.set(self, { end: next, timer: clock.setTimeout(() => self.send({ type: RESUME }), fault.ms ?? 0) });
    return held(next);
  });
}

const transitionOf = (logic: AnyActorLogic): Transition => logic.transition.bind(logic) as Transition;
const withTransition = <Logic extends AnyActorLogic>(logic: Logic, transition: Transition): Logic =>
  Object.assign(Object.create(logic) as Logic, { transition });
const held = (snapshot: Snapshot<unknown>): Snapshot<unknown> =>
  snapshot.status === 'done' ? { ...snapshot, status: 'active', output: undefined, error: undefined } : snapshot;
