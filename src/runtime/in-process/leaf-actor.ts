/**
 * A leaf as an actor: a thin shell over the leaf reducer. It waits for a slot, does what the reducer asks, tells it
 * what came of it.
 *  1. No `start` or `transition` throws, whatever the author's code does.
 *  2. An answer counts only for the attempt that gave it; of what an attempt says after its end only criticals count.
 *  3. At the end the slots are given back, the timers cleared and the signals aborted.
 */
import type { ActorLogic, AnyActorRef, AnyEventObject, Snapshot } from 'xstate';
import type { Slot } from '../../ports/slots.ts';
import { FindingDraft, type Finding } from '../../protocol/finding.ts';
import type { UnsealedOutcome } from '../../protocol/report.ts';
import type { Fault } from '../../protocol/fault.ts';
import { CLOSED, eventsOf, HELD_TOO_LONG, NEVER_BEGUN, saidIn } from '../../tier/attempt.ts';
import { backOffMs, outlasting } from '../../tier/back-off.ts';
import { CANCELLED, STOPPED } from '../../tier/fault.ts';
import { hasHedgeLeft, noteLeaf, takeHedge } from '../../tier/hedging.ts';
import {
  beginLeaf,
  isOfHedge,
  isRace,
  leafStep,
  saidBy,
  type LeafEffect,
  type LeafEvent,
  type LeafState,
} from '../../tier/leaf-logic.ts';
import { eventOr, failedEvent, guarded, verdictEvent } from '../../tier/leaf-answers.ts';
import { isCriticalDraft } from '../../tier/leaf-output.ts';
import { isRepeat, mint } from '../../tier/minting.ts';
import { enrichmentFor } from '../../tier/recovery.ts';
import type { ExecuteInput } from '../../tier/orchestrator-machine.ts';
import { LazyIo } from './attempt-io.ts';
import { isLive, noteDependency, noteLate, persisted, STOP, tell, tellSelf, type Host, type Scope } from './host.ts';

type LeafSnapshot = Snapshot<UnsealedOutcome> & {
  input: ExecuteInput;
  /** The reducer's phase, as inspectors show it. */
  value: LeafState['phase'];
  leaf: LeafState | undefined;
  io: LazyIo | undefined;
  slot: Slot | undefined;
  /** How many attempts have begun: the next one may still wait for its slot. */
  begun: number;
  timer: unknown;
  /** The second execution of the present attempt: without `io` it waits for its slot. */
  hedge: { io: LazyIo | undefined; slot: Slot } | undefined;
  /** Set while an execution is not hedged and may be. */
  straggle: unknown;
  /** Set while it backs off. */
  pause: unknown;
  /** It has been stopped, though XState shows it as active until its transition has returned. */
  isOver: boolean;
};

export function leafActor(host: Host): ActorLogic<LeafSnapshot, AnyEventObject, ExecuteInput> {
  const { clock, activities, slots, emit, random } = host;

  const noteSaid = (path: string, finding: Finding): void => {
    for (const event of eventsOf(path, finding)) emit(event);
  };
  const sayLate = ({ input, leaf }: LeafSnapshot, draft: FindingDraft): void => {
    const parsed = FindingDraft.safeParse(draft);
    if (!leaf || !parsed.success || !parsed.data.critical) return;
    const { path } = input.task;
    if (isRepeat(path, parsed.data, saidBy(leaf))) return;
    const { finding, isNew } = mint(path, parsed.data, leaf.spoken++, saidBy(leaf));
    if (isNew) noteLate(host, path, finding);
  };
  const say = (scope: Scope, io: LazyIo, draft: FindingDraft): void => {
    const snapshot = scope.self.getSnapshot() as LeafSnapshot;
    if (snapshot.status !== 'active' || snapshot.isOver) sayLate(snapshot, draft);
    else if (isAtWork(snapshot, io) || isCriticalDraft(draft))
      tellLeaf(scope, { type: 'said', draft, isHedge: isHedge(snapshot, io) });
  };

  const keep = (scope: Scope, io: LazyIo, told: LeafEvent & { type: 'kept' }): void => {
    const snapshot = scope.self.getSnapshot() as LeafSnapshot;
    if (snapshot.status !== 'active' || !isAtWork(snapshot, io)) return;
    tellLeaf(scope, { ...told, isHedge: isHedge(snapshot, io) });
  };

  /** What an answer calls critical was said, though it comes too late to be the attempt's result. */
  const salvage = (scope: Scope, io: LazyIo, output: unknown): void => {
    try {
      const drafts = (Array.isArray(output) ? output : [output]) as (FindingDraft | undefined | null)[];
      for (const draft of drafts) if (draft?.critical) say(scope, io, draft);
    } catch {
      // unreadable, and nobody waits for it
    }
  };

  const ioOf = (path: string, scope: Scope): LazyIo =>
    new LazyIo(path, host, (from, told) => {
      if (told.type === 'said') say(scope, from, told.draft);
      else if (told.type === 'kept') keep(scope, from, told);
      else noteDependency(host, { on: told.on, path, via: told.via });
    });
  const perform = (effect: LeafEffect & { type: 'execute' }, snapshot: LeafSnapshot, scope: Scope): void => {
    const { attempt, enrichment } = effect;
    const { path } = effect.task;
    const io = ioOf(path, scope);
    if (effect.isHedge) {
      if (!snapshot.hedge) return; // unreachable: it begins when its slot is granted
      snapshot.hedge.io = io;
      emit({ type: 'attempt.hedged', path, attempt });
    } else {
      if (host.hedging && snapshot.begun === 0) noteLeaf(host.hedging);
      snapshot.io = io;
      snapshot.begun = attempt;
      emit({ type: 'attempt.started', path, attempt, ...(enrichment !== undefined && { enrichment }) });
      watchFor(snapshot, scope);
    }
    ask(
      snapshot,
      scope,
      io,
      () => activities.attempt(effect, io),
      (output, isHedge) => {
        const { leaf } = snapshot;
        if (leaf?.phase !== 'executing' && !leaf?.hedge) salvage(scope, io, output);
        return { type: 'executed', output, isHedge };
      },
      (output) => salvage(scope, io, output),
    );
  };
  /** Tells the leaf when it has been at work for longer than is usual. */
  const watchFor = (snapshot: LeafSnapshot, scope: Scope): void => {
    const ms = host.hedging && activities.hedgeAfterOf(snapshot.input.task.path);
    if (ms !== undefined) snapshot.straggle = clock.setTimeout(() => tellLeaf(scope, { type: 'straggling' }), ms);
  };
  /** Waits for a slot behind everybody who has not begun; where there is none to be had, it looks again later. */
  const hedge = (snapshot: LeafSnapshot, scope: Scope): void => {
    const { path } = snapshot.input.task;
    const { hedging } = host;
    if (!hedging || !hasHedgeLeft(hedging) || !host.budget.affordsHedge(path)) return watchFor(snapshot, scope);
    snapshot.hedge = {
      io: undefined,
      slot: slots.request({
        estimateMs: 0,
        isSpare: true,
        pools: activities.poolsOf(path),
        granted() {
          if (host.budget.affordsHedge(path) && takeHedge(hedging)) return tellLeaf(scope, { type: 'hedged' });
          snapshot.hedge?.slot.release();
          snapshot.hedge = undefined;
          watchFor(snapshot, scope);
        },
        revoked: () => tellLeaf(scope, { type: 'failed', fault: HELD_TOO_LONG, isHedge: true }),
      }),
    };
  };
  /** The attempt's slots are given back. Of two executions the slot of the one that was dropped has been already. */
  const giveBack = (snapshot: LeafSnapshot, ended?: 'well' | Fault): void => {
    const { slot, hedge } = snapshot;
    slot?.release(ended);
    if (!host.hedging) return;
    hedge?.slot.release(ended);
    if (ended !== 'well' || !hedge?.io) snapshot.hedge = undefined;
    clock.clearTimeout(snapshot.straggle);
  };
  const abortBoth = ({ io, hedge }: LeafSnapshot, fault: Fault): void => {
    abortSoon(io, fault);
    abortSoon(hedge?.io, fault);
  };
  /** Starts an effect, and tells the leaf what came of it; or, when its attempt is no longer the present one, `tooLate`. */
  const ask = <Answer>(
    snapshot: LeafSnapshot,
    scope: Scope,
    io: LazyIo,
    start: () => Promise<Answer>,
    toEvent: (answer: Answer, isHedge: boolean) => LeafEvent,
    tooLate: (answer: Answer) => void = () => {},
  ): void => {
    let promise: Promise<Answer>;
    try {
      promise = Promise.resolve(start());
    } catch (error) {
      promise = Promise.reject(error);
    }
    promise.then(
      (answer) =>
        isPresent(snapshot, io, scope)
          ? tellLeaf(
              scope,
              eventOr(() => toEvent(answer, isHedge(snapshot, io)), isHedge(snapshot, io)),
            )
          : tooLate(answer),
      (error: unknown) => isPresent(snapshot, io, scope) && tellLeaf(scope, failedEvent(error, isHedge(snapshot, io))),
    );
  };

  const follow = (snapshot: LeafSnapshot, effects: readonly LeafEffect[], scope: Scope): LeafSnapshot => {
    const { leaf } = snapshot;
    if (!leaf) return snapshot;
    const io = isOfHedge(leaf) ? snapshot.hedge?.io : snapshot.io;
    snapshot.value = leaf.phase;
    const { path } = leaf.task;
    const said = saidIn(effects);
    // Critical: up before anybody is told, because a listener may end the run.
    if (said.some((finding) => finding.critical)) sendUp(scope, said.splice(0));
    for (const effect of effects) {
      switch (effect.type) {
        case 'say':
          noteSaid(path, effect.finding);
          break;
        case 'execute':
          if (effect.isHedge) {
            perform(effect, snapshot, scope);
            break;
          }
          if (io) abortSoon(io, OVER); // a recovery's
          snapshot.hedge = undefined;
          snapshot.slot = slots.request({
            estimateMs: activities.estimateOf(path),
            pools: activities.poolsOf(path),
            granted: () => perform(effect, snapshot, scope),
            revoked: () => tellSelf(scope, { type: 'leaf.revoked' }),
          });
          break;
        case 'hedge':
          hedge(snapshot, scope);
          break;
        case 'drop': {
          const { attempt, isHedge, fault } = effect;
          abortSoon(isHedge ? snapshot.hedge?.io : snapshot.io, fault ?? OUTRUN);
          (isHedge ? snapshot.hedge : snapshot)?.slot?.release(fault);
          const which = isHedge ? 'hedge' : 'first';
          emit({ type: 'execution.dropped', path, attempt, which, ...(fault && { fault }) });
          break;
        }
        case 'verify': {
          giveBack(snapshot, 'well');
          // A leaf that found nothing and says why has nothing to check.
          const check = io && effect.findings.length > 0 ? verify(leaf, effect.findings, io) : undefined;
          if (!io || !check) return follow(snapshot, leafStep(leaf, { type: 'verified' }), scope);
          sendUp(scope, said.splice(0));
          ask(snapshot, scope, io, () => check, verdictEvent);
          break;
        }
        case 'recover': {
          const io = (snapshot.io = ioOf(path, scope)); // the attempt's own is over
          const enrichment = recover(leaf, effect.fault, io);
          if (!enrichment)
            return follow(
              snapshot,
              leafStep(leaf, { type: 'recovered', enrichment: enrichmentFor(effect.fault) }),
              scope,
            );
          ask(
            snapshot,
            scope,
            io,
            () => enrichment,
            (text) => ({ type: 'recovered', enrichment: String(text) }),
          );
          break;
        }
        case 'give-up-attempt': {
          const { attempt, fault, willRetry } = effect;
          abortBoth(snapshot, fault); // before another gets the slot
          giveBack(snapshot, fault);
          emit({ type: 'attempt.failed', path, attempt, fault, willRetry });
          break;
        }
        case 'back-off': {
          const { attempt, fault, before } = effect;
          abortBoth(snapshot, fault);
          giveBack(snapshot, fault);
          const tooLong = outlasting(fault, leaf.task.grant.deadline - clock.now());
          if (tooLong) return close(snapshot, leaf, tooLong, scope);
          const ms = backOffMs(before, fault, random());
          emit({ type: 'attempt.backed-off', path, attempt, fault, ms });
          snapshot.pause = clock.setTimeout(() => tellLeaf(scope, { type: 'backed-off' }), ms);
          break;
        }
        case 'end':
          return end(snapshot, effect.outcome);
      }
    }
    sendUp(scope, said);
    return snapshot;
  };
  const verify = (leaf: LeafState, findings: readonly Finding[], io: LazyIo): ReturnType<typeof activities.verify> =>
    guarded(() => activities.verify({ task: leaf.task, attempt: leaf.attempt }, findings, io));
  const recover = (leaf: LeafState, fault: Fault, io: LazyIo): ReturnType<typeof activities.recover> =>
    guarded(() => activities.recover({ task: leaf.task, attempt: leaf.attempt }, fault, io));

  const end = (snapshot: LeafSnapshot, outcome: UnsealedOutcome): LeafSnapshot => {
    abortBoth(snapshot, OVER);
    release(snapshot);
    return { ...snapshot, status: 'done', output: outcome, error: undefined };
  };
  const release = (snapshot: LeafSnapshot): void => {
    giveBack(snapshot);
    clock.clearTimeout(snapshot.timer);
    clock.clearTimeout(snapshot.pause);
  };
  const close = (snapshot: LeafSnapshot, leaf: LeafState, fault: Fault, scope: Scope): LeafSnapshot => {
    abortBoth(snapshot, fault);
    const { begun } = snapshot;
    return follow(snapshot, leafStep(leaf, { type: 'closed', fault, attempts: begun }), scope);
  };

  return {
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
      value: 'executing',
      leaf: undefined,
      io: undefined,
      slot: undefined,
      begun: 0,
      timer: undefined,
      hedge: undefined,
      straggle: undefined,
      pause: undefined,
      isOver: false,
    }),
    getPersistedSnapshot: ({ status, output, error, input, value }) =>
      persisted({ status, output, error, input, value }),
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const { task, deadline } = snapshot.input;
      if (scope.self.id === 'execute') {
        // In an orchestrator's place. Under a join a leaf has no timer: the join tells it.
        snapshot.timer = clock.setTimeout(() => tellSelf(scope, { type: 'tier.deadline' }), deadline - clock.now());
      }
      const [leaf, first] = beginLeaf(task, activities.attemptsOf(task.path), host.recall?.leafOf(task));
      snapshot.leaf = leaf;
      // In an orchestrator's place it takes a leaf of that one's grant; a leaf's was taken when it was spawned.
      const fault = scope.self.id === 'execute' ? host.budget.takeLeaf(task.path, task.path) : undefined;
      if (fault) tellLeaf(scope, { type: 'closed', fault, attempts: 0 });
      else follow(snapshot, [first], scope);
    },
    transition(snapshot, event, scope) {
      const { leaf } = snapshot;
      if (snapshot.status !== 'active' || !leaf) return snapshot;
      switch (event.type) {
        case 'leaf.told':
          return follow(snapshot, leafStep(leaf, event['told'] as LeafEvent), scope);
        case 'tier.deadline':
          return close(snapshot, leaf, snapshot.begun > 0 ? CLOSED : NEVER_BEGUN, scope);
        case 'leaf.revoked':
          return isRace(leaf)
            ? follow(snapshot, leafStep(leaf, { type: 'failed', fault: HELD_TOO_LONG }), scope)
            : close(snapshot, leaf, HELD_TOO_LONG, scope);
        case 'leaf.cancel':
          return close(snapshot, leaf, CANCELLED, scope);
        case STOP: {
          const { io, hedge } = snapshot;
          snapshot.isOver = true;
          release(snapshot);
          io?.abort(STOPPED);
          hedge?.io?.abort(STOPPED);
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        }
        default:
          return snapshot;
      }
    },
  };
}

const OUTRUN: Fault = { status: 'cancelled', message: 'the other execution of this attempt has answered' };
const OVER: Fault = { status: 'cancelled', message: 'the attempt is over' };
/** After the present step: what an abort listener says then is said to a leaf that knows where it stands. */
function abortSoon(io: LazyIo | undefined, fault: Fault): void {
  if (!io) return;
  io.breakOff(fault);
  queueMicrotask(() => io.abort(fault));
}

const isHedge = ({ hedge }: LeafSnapshot, io: LazyIo): boolean => hedge?.io === io;
/** It is an execution of the present attempt, if maybe not the one that counts. */
const isAtWork = (snapshot: LeafSnapshot, io: LazyIo): boolean => snapshot.io === io || isHedge(snapshot, io);
const isPresent = (snapshot: LeafSnapshot, io: LazyIo, scope: Scope): boolean =>
  isLive(scope) && isAtWork(snapshot, io);
const tellLeaf = (scope: Scope, told: LeafEvent): void => tellSelf(scope, { type: 'leaf.told', told });

function sendUp(scope: Scope, findings: readonly Finding[]): void {
  const parent = scope.self._parent as AnyActorRef | undefined;
  if (parent && findings.length > 0) tell(scope, parent, { type: 'espalier.up', from: scope.self.id, findings });
}
