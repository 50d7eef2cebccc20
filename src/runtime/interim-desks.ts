/**
 * When interim reports are made, for every host: a desk for each orchestrator whose synthesis is incremental.
 *  1. Of one node at most one per `debounceMs`, the first at once, whichever stage it is in and while it synthesizes.
 *  2. When a node has ended, nothing of it or below it is made any more, and no timer is left.
 *  3. A fault in making one is an event, nothing else.
 */
import { debounceOf as debounceIn } from '../define/synthesis-mode.ts';
import type { Entry } from '../activities/registry.ts';
import type { Ended } from '../ports/activities.ts';
import type { Clock } from '../ports/clock.ts';
import type { Decision } from '../protocol/decision.ts';
import { isWithin, parentOf } from '../protocol/path.ts';
import type { Report } from '../protocol/report.ts';
import type { RunEventBody } from '../protocol/run-event.ts';
import type { Task } from '../protocol/task.ts';
import { faultOf } from '../tier/fault.ts';
import { interimEnded, interimHeard, makeInterim, openInterim, type Interim } from '../tier/interim.ts';
import { leanOf } from '../tier/report.ts';
import type { RunOptions } from './run.ts';

export type Desk = {
  readonly path: string;
  readonly interim: Interim;
  readonly debounceMs: number;
  /** Takes what is made one hop up. */
  readonly passOn: (report: Report) => void;
  madeAt: number | undefined;
  timer: unknown;
};
export type DeskOptions = {
  readonly clock: Clock;
  readonly emit: (event: RunEventBody) => void;
  /** The least time between two interims of the node at this path; undefined where its synthesis is final. */
  debounceOf: (path: string) => number | undefined;
};
export type InterimDesks = {
  /** Of a node that is at work; none where its synthesis is final. */
  at(task: Task, decision: Decision | undefined, passOn: Desk['passOn']): Desk | undefined;
  /** A child that still runs has made an interim. */
  heard(desk: Desk, name: string, report: Report): void;
  /** `isClosed`: the join is closed, and the node's own end may follow in this turn. */
  ended(desk: Desk, ends: readonly Ended[], isClosed: boolean): void;
  /** The node at this path has ended. */
  over(path: string): void;
  readonly guarded: (path: string, work: () => void) => void;
  readonly latestOf: (path: string) => Report | undefined;
  /** The run is over. */
  readonly close: () => void;
};

/** How often each node makes interims; undefined of a run in which none does: it pays nothing for them. */
export function debouncesOf(
  registry: ReadonlyMap<string, Entry>,
  forAll: RunOptions['synthesis'],
): DeskOptions['debounceOf'] | undefined {
  if (forAll !== undefined) {
    const debounceMs = debounceIn('The run', forAll);
    return debounceMs === undefined ? undefined : (path) => (path === '' ? undefined : debounceMs);
  }
  const debounces = new Map<string, number>();
  for (const { path, definition } of registry.values()) {
    const debounceMs = definition.kind === 'leaf' ? undefined : debounceIn(path, definition.synthesis);
    if (debounceMs !== undefined) debounces.set(path, debounceMs);
  }
  return debounces.size === 0 ? undefined : (path) => debounces.get(path);
}

export function createInterimDesks({ clock, emit, debounceOf }: DeskOptions): InterimDesks {
  const desks = new Map<string, Desk>();
  const latest = new Map<string, Report>();
  const over = new Set<string>();
  let hasEnded = false;

  const isOver = (path: string): boolean => {
    for (let at = path; at !== ''; at = parentOf(at)) if (over.has(at)) return true;
    return hasEnded;
  };
  const guarded = (path: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      emit({ type: 'interim.failed', path, fault: faultOf(error) });
    }
  };
  const make = (desk: Desk): void => {
    const { path, interim, passOn } = desk;
    const { task, decision, ended } = interim;
    desk.madeAt = clock.now();
    const report = makeInterim(interim, desk.madeAt);
    if (!report?.assessment) return;
    const { tier } = task;
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
    passOn(report);
  };
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
  return {
    at(task, decision, passOn) {
      const { path } = task;
      const known = desks.get(path);
      if (known || !decision || isOver(path)) return known;
      const debounceMs = debounceOf(path);
      if (debounceMs === undefined) return undefined;
      const interim = openInterim(task, decision);
      const desk = { path, interim, debounceMs, passOn, madeAt: undefined, timer: undefined };
      desks.set(path, desk);
      return desk;
    },
    heard(desk, name, report) {
      interimHeard(desk.interim, name, report);
      touch(desk);
    },
    ended(desk, ends, isClosed) {
      for (const end of ends) interimEnded(desk.interim, end);
      touch(desk, isClosed);
    },
    over(path) {
      over.add(path);
      for (const desk of desks.values()) {
        if (!isWithin(desk.path, path)) continue;
        clock.clearTimeout(desk.timer);
        desks.delete(desk.path);
      }
    },
    guarded,
    latestOf: (path) => latest.get(path),
    close() {
      hasEnded = true;
      for (const { timer } of desks.values()) clock.clearTimeout(timer);
      desks.clear();
    },
  };
}
