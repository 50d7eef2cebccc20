/**
 * Interim reports of a distributed run, made where it is watched: they are made of nothing but its events, so that the
 * server does no work for them, and a run that nobody watches makes none.
 */
import type { Ended } from '../../ports/activities.ts';
import { nameOf, parentOf } from '../../protocol/path.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { Outcome, Report } from '../../protocol/report.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import { NOT_NEEDED } from '../../tier/join.ts';
import { createInterimDesks, type Desk, type DeskOptions } from '../interim-desks.ts';

export type InterimWatch = {
  /** Sees each event of the run after it has been told. */
  see(event: RunEventBody): void;
  latestOf(path: string): Report | undefined;
  close(): void;
};
type Started = { task: Task; decision: Decision | undefined };

/** `run`: what the tasks of its nodes have in common. */
export function watchInterims(options: DeskOptions, run: Pick<Task, 'runId' | 'asOf'>): InterimWatch {
  const desks = createInterimDesks(options);
  const orchestrators = new Map<string, Started>();

  const deskOf = (path: string): Desk | undefined => {
    const started = orchestrators.get(path);
    return started && desks.at(started.task, started.decision, (report) => passOn(path, report));
  };
  const passOn = (path: string, report: Report): void => {
    const desk = deskOf(parentOf(path));
    if (desk) desks.heard(desk, nameOf(path), report);
  };
  const ended = (path: string, outcome: Outcome): void => {
    const notNeeded = outcome.kind === 'failure' && outcome.message === NOT_NEEDED.message;
    const end: Ended = { name: nameOf(path), outcome, ...(notNeeded && { notNeeded: true as const }) };
    const desk = deskOf(parentOf(path));
    if (outcome.tier !== 'leaf') {
      desks.over(path);
      orchestrators.delete(path);
    }
    if (!desk) return;
    const { interim } = desk;
    const children = interim.decision.stages.flat().length;
    desks.ended(desk, [end], interim.ended.size + 1 >= children);
  };
  return {
    see(event) {
      const { path } = event;
      desks.guarded(path, () => {
        switch (event.type) {
          case 'node.started': {
            const { tier, question, charter, grant } = event;
            if (tier === 'leaf') return;
            const task: Task = { ...run, path, tier, question, charter, grant, prior: [], enrichments: [] };
            orchestrators.set(path, { task, decision: undefined });
            return;
          }
          case 'node.planned': {
            const started = orchestrators.get(path);
            if (started) started.decision = event.decision;
            return;
          }
          case 'node.reported':
            return ended(path, event.report);
          case 'node.failed':
            return ended(path, event.token);
          default:
        }
      });
    },
    latestOf: desks.latestOf,
    close: desks.close,
  };
}
