/**
 * A leaf as an actor: a thin shell over the leaf reducer. It waits for a slot, does what the reducer asks, tells it
 * what came of it.
 *  1. No `start` or `transition` throws, whatever the author's code does.
 *  2. An answer counts only for the attempt that gave it; of what an attempt says after its end only criticals count.
 *  3. At the end the slot is given back, the timers cleared and the signal aborted.
 */
import type { ActorLogic, AnyActorRef, AnyEventObject, Snapshot } from 'xstate';
import type { AttemptIo, SourceRead } from '../../ports/activities.ts';
import type { Spending } from '../../ports/budget.ts';
import type { Slot } from '../../ports/slots.ts';
import type { Dependency } from '../../protocol/dependency.ts';
import { FindingDraft, type Finding } from '../../protocol/finding.ts';
import type { Artifact, UnsealedOutcome } from '../../protocol/report.ts';
import type { Fault } from '../../protocol/fault.ts';
import { backOffMs } from '../../tier/back-off.ts';
import { CANCELLED, errorOf, faultOf, STOPPED } from '../../tier/fault.ts';
import { beginLeaf, leafStep, saidBy, type LeafEffect, type LeafEvent, type LeafState } from '../../tier/leaf-logic.ts';
import { mint, MISATTRIBUTED } from '../../tier/minting.ts';
import { enrichmentFor } from '../../tier/recovery.ts';
import type { ExecuteInput } from '../../tier/orchestrator-machine.ts';
import { isLive, noteDependency, noteLate, persisted, STOP, tell, tellSelf, type Host, type Scope } from './host.ts';
import { OpenReads } from './open-reads.ts';

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
  /** Set while it backs off. */
  pause: unknown;
  /** It has been stopped, though XState shows it as active until its transition has returned. */
  isOver: boolean;
};

const CLOSED: Fault = { status: 'timeout', message: 'closed itself at its deadline' };
const NEVER_BEGUN: Fault = { status: 'timeout', message: 'waited for a slot until its deadline' };

/** What an attempt says before its end. */
type Told =
  | { type: 'said'; draft: FindingDraft }
  | { type: 'kept'; artifact: Artifact }
  | ({ type: 'read' } & Pick<Dependency, 'on' | 'via'>);

/** What one attempt is given. Its signal is made on first use: most leaves never ask, and thousands may be alive. */
class LazyIo implements AttemptIo {
  #controller: AbortController | undefined;
  #over: Fault | undefined;
  #budget: ReturnType<Host['budget']['spendingOf']> | undefined;
  #reads: OpenReads | undefined;
  readonly #tell: (io: LazyIo, told: Told) => void;
  readonly #host: Host;
  readonly #path: string;
  readonly alert: AttemptIo['alert'];
  constructor(path: string, host: Host, tell: (io: LazyIo, told: Told) => void) {
    this.#path = path;
    this.#tell = tell;
    this.#host = host;
    this.alert = (kind, message) => host.emit({ type: 'integrity.alert', path, kind, message });
  }
  get budget(): Spending {
    if (!this.#budget) {
      this.#budget = this.#host.budget.spendingOf(this.#path);
      if (this.#over) this.#budget.end();
    }
    return this.#budget;
  }
  get abortSignal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#over) this.abort(this.#over); // asked for too late
    }
    return this.#controller.signal;
  }
  report = (draft: FindingDraft): void => this.#tell(this, { type: 'said', draft });
  reading(source: string, isDeclared: boolean): (read: SourceRead) => void {
    return (this.#reads ??= new OpenReads(this.#path, this.#host)).begin(source, isDeclared);
  }
  /** What it has not read by now is not waited for. */
  breakOff({ status }: Fault): void {
    this.#reads?.breakOff(status);
  }
  depend(read: Pick<Dependency, 'on' | 'via'>): void {
    this.#tell(this, { type: 'read', ...read });
  }
  kept(artifact: Artifact): void {
    this.#tell(this, { type: 'kept', artifact });
  }
  abort(fault: Fault): void {
    this.#over ??= fault;
    this.#budget?.end();
    this.#controller?.abort(errorOf(this.#over));
  }
}

export function leafActor(host: Host): ActorLogic<LeafSnapshot, AnyEventObject, ExecuteInput> {
  const { clock, activities, slots, emit, random } = host;

  const noteSaid = (path: string, finding: Finding): void => {
    emit({ type: 'finding.reported', path, finding });
    if (finding.flags.includes(MISATTRIBUTED)) {
      emit({ type: 'integrity.alert', path, kind: 'misattributed', message: `${finding.id} claimed another path` });
    }
  };
  const sayLate = ({ input, leaf }: LeafSnapshot, draft: FindingDraft): void => {
    const parsed = FindingDraft.safeParse(draft);
    if (!leaf || !parsed.success || !parsed.data.critical) return;
    const { path } = input.task;
    const { finding, isNew } = mint(path, parsed.data, leaf.spoken++, saidBy(leaf));
    if (isNew) noteLate(host, path, finding);
  };
  const say = (scope: Scope, io: LazyIo, draft: FindingDraft): void => {
    const snapshot = scope.self.getSnapshot() as LeafSnapshot;
    if (snapshot.status !== 'active' || snapshot.isOver) sayLate(snapshot, draft);
    else if (snapshot.io === io || draft?.critical)
      tellSelf(scope, { type: 'leaf.told', told: { type: 'said', draft } });
  };

  const keep = (scope: Scope, io: LazyIo, told: LeafEvent): void => {
    const snapshot = scope.self.getSnapshot() as LeafSnapshot;
    if (snapshot.status === 'active' && snapshot.io === io) tellSelf(scope, { type: 'leaf.told', told });
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
    const io = (snapshot.io = ioOf(path, scope));
    snapshot.begun = attempt;
    emit({ type: 'attempt.started', path, attempt, ...(enrichment !== undefined && { enrichment }) });
    ask(
      snapshot,
      scope,
      io,
      () => activities.attempt(effect, io),
      (output) => {
        if (snapshot.leaf?.phase !== 'executing') salvage(scope, io, output);
        return { type: 'executed', output };
      },
      (output) => salvage(scope, io, output),
    );
  };
  /** Starts an effect, and tells the leaf what came of it; or, when that attempt is no longer the present one, `tooLate`. */
  const ask = <Answer>(
    snapshot: LeafSnapshot,
    scope: Scope,
    io: LazyIo,
    start: () => Promise<Answer>,
    toEvent: (answer: Answer) => LeafEvent,
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
              eventOr(() => toEvent(answer)),
            )
          : tooLate(answer),
      (error: unknown) => isPresent(snapshot, io, scope) && tellLeaf(scope, failedEvent(error)),
    );
  };

  const follow = (snapshot: LeafSnapshot, effects: readonly LeafEffect[], scope: Scope): LeafSnapshot => {
    const { leaf, io } = snapshot;
    if (!leaf) return snapshot;
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
          if (io) abortSoon(io, OVER); // a recovery's
          snapshot.slot = slots.request({
            estimateMs: activities.estimateOf(path),
            pools: activities.poolsOf(path),
            granted: () => perform(effect, snapshot, scope),
            revoked: () => tellSelf(scope, { type: 'leaf.revoked' }),
          });
          break;
        case 'verify': {
          snapshot.slot?.release('well');
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
          abortSoon(io, fault); // before another gets the slot
          snapshot.slot?.release(fault);
          emit({ type: 'attempt.failed', path, attempt, fault, willRetry });
          break;
        }
        case 'back-off': {
          const { attempt, fault, before } = effect;
          abortSoon(io, fault);
          snapshot.slot?.release(fault);
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
    abortSoon(snapshot.io, OVER);
    release(snapshot);
    return { ...snapshot, status: 'done', output: outcome, error: undefined };
  };
  const release = (snapshot: LeafSnapshot): void => {
    snapshot.slot?.release();
    clock.clearTimeout(snapshot.timer);
    clock.clearTimeout(snapshot.pause);
  };
  const close = (snapshot: LeafSnapshot, leaf: LeafState, fault: Fault, scope: Scope): LeafSnapshot => {
    abortSoon(snapshot.io, fault);
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
          return close(
            snapshot,
            leaf,
            { status: 'timeout', message: 'held its slot too long while others waited' },
            scope,
          );
        case 'leaf.cancel':
          return close(snapshot, leaf, CANCELLED, scope);
        case STOP:
          snapshot.isOver = true;
          release(snapshot);
          snapshot.io?.abort(STOPPED);
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        default:
          return snapshot;
      }
    },
  };
}

const OVER: Fault = { status: 'cancelled', message: 'the attempt is over' };
/** After the present step: what an abort listener says then is said to a leaf that knows where it stands. */
function abortSoon(io: LazyIo | undefined, fault: Fault): void {
  io?.breakOff(fault);
  queueMicrotask(() => io?.abort(fault));
}

function saidIn(effects: readonly LeafEffect[]): Finding[] {
  const said: Finding[] = [];
  for (const effect of effects) if (effect.type === 'say') said.push(effect.finding);
  return said;
}

const isPresent = (snapshot: LeafSnapshot, io: LazyIo, scope: Scope): boolean => isLive(scope) && snapshot.io === io;
const tellLeaf = (scope: Scope, told: LeafEvent): void => tellSelf(scope, { type: 'leaf.told', told });

const failedEvent = (error: unknown): LeafEvent => ({ type: 'failed', fault: faultOf(error) });
/** The event, or the failure of making it. */
function eventOr(make: () => LeafEvent): LeafEvent {
  try {
    return make();
  } catch (error) {
    return failedEvent(error);
  }
}

/** An author's step that throws at once fails like one that rejects. */
function guarded<Answer>(start: () => Promise<Answer> | undefined): Promise<Answer> | undefined {
  try {
    return start();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A plain `true` or `false` is understood too: scenarios in JavaScript have no types to tell them. */
function verdictEvent(given: { ok: boolean; why?: string } | boolean | undefined): LeafEvent {
  const verdict = typeof given === 'boolean' ? { ok: given, why: undefined } : given;
  if (verdict?.ok === true) return { type: 'verified' };
  return {
    type: 'failed',
    fault: {
      status: 'invalid',
      message: `not verified: ${verdict?.why ?? 'no reason given'}`,
      diagnosis: 'failed-check',
    },
  };
}

function sendUp(scope: Scope, findings: readonly Finding[]): void {
  const parent = scope.self._parent as AnyActorRef | undefined;
  if (parent && findings.length > 0) tell(scope, parent, { type: 'espalier.up', from: scope.self.id, findings });
}
