/**
 * Interim reports of the orchestrators of a run: when they are made, and how they travel. Made only for a run in which
 * some synthesis is incremental.
 *  1. Of one node at most one per `debounceMs`, the first at once, whichever stage it is in and while it synthesizes.
 *  2. What is made goes one hop up, to the parent's gather, which believes only what was sealed here.
 *  3. When a node has ended, nothing of it or below it is made any more, and no timer is left.
 *  4. A fault in making one is an event, nothing else.
 */
import type { ActorLogic, AnyActorRef, AnyEventObject, Snapshot } from 'xstate';
import type { Ended } from '../../ports/activities.ts';
import type { Clock } from '../../ports/clock.ts';
import { childPath, isWithin, parentOf } from '../../protocol/path.ts';
import { seal } from '../../protocol/digest.ts';
import type { Report, UnsealedReport } from '../../protocol/report.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { faultOf } from '../../tier/fault.ts';
import { interimEnded, interimHeard, makeInterim, openInterim, type Interim } from '../../tier/interim.ts';
import type { Join } from '../../tier/join.ts';
import type { GatherInput, InterimUpward } from '../../tier/orchestrator-machine.ts';
import { leanOf } from '../../tier/report.ts';

type Desk = {
  readonly path: string;
  readonly interim: Interim;
  readonly debounceMs: number;
  /** Its orchestrator, which passes interims on. */
  readonly self: AnyActorRef;
  madeAt: number | undefined;
  timer: unknown;
};
type Watched = { input: GatherInput; join: Join; children: Record<string, AnyActorRef> };

type Gather<State extends Snapshot<unknown>> = ActorLogic<State, AnyEventObject, GatherInput>;

export type Interims = {
  /** Gather logic that tells of its children as they end. */
  watching<State extends Snapshot<unknown> & Watched>(gather: Gather<State>): Gather<State>;
  /** Whether the node at this path makes interims. */
  isIncremental(path: string): boolean;
  /** What a guest said of itself so far, once it has been parsed. */
  sealed(report: UnsealedReport, startedAt: number): Report;
  /** The latest of the node at this path. */
  latestOf(path: string): Report | undefined;
  /** The run is over. */
  close(): void;
};
export type InterimOptions = {
  readonly clock: Clock;
  readonly emit: (event: RunEventBody) => void;
  /** The least time between two interims of the node at this path; undefined where its synthesis is final. */
  debounceOf: (path: string) => number | undefined;
};

export function createInterims({ clock, emit, debounceOf }: InterimOptions): Interims {
  const desks = new Map<string, Desk>();
  const latest = new Map<string, Report>();
  const over = new Set<string>();
  const ours = new WeakSet<object>();
  let hasEnded = false;

  const isOver = (path: string): boolean => {
    for (let at = path; at !== ''; at = parentOf(at)) if (over.has(at)) return true;
    return hasEnded;
  };
  const closeAt = (path: string): void => {
    over.add(path);
    for (const desk of desks.values()) {
      if (!isWithin(desk.path, path)) continue;
      clock.clearTimeout(desk.timer);
      desks.delete(desk.path);
    }
  };
  const deskOf = ({ task, decision }: GatherInput, self: AnyActorRef | undefined): Desk | undefined => {
    const { path } = task;
    const known = desks.get(path);
    if (known || !decision || !self || isOver(path)) return known;
    const debounceMs = debounceOf(path);
    if (debounceMs === undefined) return undefined;
    const desk = { path, interim: openInterim(task, decision), debounceMs, self, madeAt: undefined, timer: undefined };
    desks.set(path, desk);
    return desk;
  };
  const guarded = (path: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      emit({ type: 'interim.failed', path, fault: faultOf(error) });
    }
  };
  const make = (desk: Desk): void => {
    const { path, interim, self } = desk;
    const { task, decision, ended } = interim;
    desk.madeAt = clock.now();
    const report = makeInterim(interim, desk.madeAt);
    if (!report?.assessment) return;
    const { tier } = task;
    ours.add(report);
    latest.set(path, report);
    emit({
      type: 'synthesis.interim',
      path,
      tier,
      ended: ended.size,
      children: decision.stages.flat().length,
      assessment: leanOf(report.assessment),
      ...(tier === 'root' && { report }),
    });
    if (tier === 'root' || isOver(path)) return; // a listener may have stopped the run just now
    const upward: InterimUpward = { type: 'espalier.interim', from: self.id, report };
    self.send(upward);
  };
  /** `isClosed`: its join is closed, and its own end may follow in this turn. */
  const touch = (desk: Desk, isClosed = false): void => {
    if (desk.timer !== undefined) return;
    const { madeAt, debounceMs } = desk;
    const wait = madeAt === undefined ? undefined : Math.max(0, madeAt + debounceMs - clock.now());
    if (wait === undefined || (wait === 0 && !isClosed)) make(desk);
    else {
      desk.timer = clock.setTimeout(() => {
        desk.timer = undefined;
        guarded(desk.path, () => make(desk));
      }, wait);
    }
  };
  const heard = ({ input, join, children }: Watched, message: AnyEventObject, self: AnyActorRef): void => {
    const { from, report } = message as Partial<InterimUpward>;
    if (typeof from !== 'string' || !children[from] || join.ended.has(from)) return;
    if (typeof report !== 'object' || !ours.has(report) || report.path !== childPath(join.path, from)) return;
    const desk = deskOf(input, self);
    if (!desk) return;
    interimHeard(desk.interim, from, report);
    touch(desk);
  };
  const haveEnded = ({ input, join }: Watched, ends: readonly Ended[], self: AnyActorRef): void => {
    const desk = deskOf(input, self);
    for (const end of ends) {
      if (desk) interimEnded(desk.interim, end);
      if (end.outcome.tier !== 'leaf') closeAt(childPath(join.path, end.name));
    }
    if (desk) touch(desk, join.closedBy !== undefined);
  };
  return {
    watching(gather) {
      // A map's entries stay in the order in which they came: those beyond the ones seen are new.
      const seen = new WeakMap<Join, { entries: Iterator<Ended>; count: number }>();
      const newEnds = (join: Join): Ended[] => {
        let progress = seen.get(join);
        if (!progress) seen.set(join, (progress = { entries: join.ended.values(), count: 0 }));
        const ends: Ended[] = [];
        for (; progress.count < join.ended.size; progress.count++) {
          const next = progress.entries.next();
          if (!next.done) ends.push(next.value);
        }
        return ends;
      };
      return {
        ...gather,
        transition(snapshot, event, scope) {
          const self = scope.self._parent as AnyActorRef;
          if (event.type === 'espalier.interim') {
            if (snapshot.status === 'active') guarded(snapshot.join.path, () => heard(snapshot, event, self));
            return snapshot;
          }
          const next = gather.transition(snapshot, event, scope);
          const { join } = next;
          guarded(join.path, () => {
            if (next.status === 'stopped' || next.status === 'error') return closeAt(join.path); // its node is over
            const ends = newEnds(join);
            if (ends.length > 0) haveEnded(next, ends, self);
          });
          return next;
        },
      };
    },
    isIncremental: (path) => debounceOf(path) !== undefined,
    sealed(report, startedAt) {
      const sealed = seal(report, { startedAt, endedAt: clock.now() }) as Report;
      ours.add(sealed);
      return sealed;
    },
    latestOf: (path) => latest.get(path),
    close() {
      hasEnded = true;
      for (const { timer } of desks.values()) clock.clearTimeout(timer);
      desks.clear();
    },
  };
}
