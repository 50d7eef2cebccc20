/**
 * Interim reports of the orchestrators of a run, as they travel between actors. Made only for a run in which some
 * synthesis is incremental; when, `../interim-desks.ts` says.
 *  1. What is made goes one hop up, to the parent's gather, which believes only what was sealed here.
 */
import type { ActorLogic, AnyActorRef, AnyEventObject, Snapshot } from 'xstate';
import type { Ended } from '../../ports/activities.ts';
import { seal } from '../../protocol/digest.ts';
import { childPath } from '../../protocol/path.ts';
import type { Report, UnsealedReport } from '../../protocol/report.ts';
import type { Join } from '../../tier/join.ts';
import type { GatherInput, InterimUpward } from '../../tier/orchestrator-machine.ts';
import { createInterimDesks, type Desk, type DeskOptions } from '../interim-desks.ts';

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
export function createInterims(options: DeskOptions): Interims {
  const { clock, debounceOf } = options;
  const desks = createInterimDesks(options);
  const { guarded } = desks;
  const ours = new WeakSet<object>();

  const deskOf = ({ task, decision }: GatherInput, self: AnyActorRef | undefined): Desk | undefined =>
    self &&
    desks.at(task, decision, (report) => {
      ours.add(report);
      const upward: InterimUpward = { type: 'espalier.interim', from: self.id, report };
      self.send(upward);
    });
  const heard = ({ input, join, children }: Watched, message: AnyEventObject, self: AnyActorRef): void => {
    const { from, report } = message as Partial<InterimUpward>;
    if (typeof from !== 'string' || !children[from] || join.ended.has(from)) return;
    if (typeof report !== 'object' || !ours.has(report) || report.path !== childPath(join.path, from)) return;
    const desk = deskOf(input, self);
    if (desk) desks.heard(desk, from, report);
  };
  const haveEnded = ({ input, join }: Watched, ends: readonly Ended[], self: AnyActorRef): void => {
    const desk = deskOf(input, self);
    for (const end of ends) if (end.outcome.tier !== 'leaf') desks.over(childPath(join.path, end.name));
    if (desk) desks.ended(desk, ends, join.closedBy !== undefined);
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
            if (next.status === 'stopped' || next.status === 'error') return desks.over(join.path); // its node is over
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
    latestOf: desks.latestOf,
    close: desks.close,
  };
}
