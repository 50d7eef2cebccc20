import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { Activities, Io } from '../ports/activities.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a run could leave behind: nothing, once it has ended, however it ended. */
export type Leftovers = {
  /** Ids of actors that still run. */
  readonly actors: readonly string[];
  /** Ids of actors that were made and neither started nor stopped. */
  readonly unstarted: readonly string[];
  readonly timers: number;
  /** Steps that neither settled nor were told to stop: `attempt root/macro/payrolls`. */
  readonly signals: readonly string[];
};
export const NOTHING_LEFT: Leftovers = { actors: [], unstarted: [], timers: 0, signals: [] };

export type LeftoverWatch = {
  readonly inspect: (event: InspectionEvent) => void;
  readonly activities: (own: Activities) => Activities;
  /** Every step that was started, in order: `plan root`, `attempt root/macro/payrolls`. */
  readonly steps: readonly string[];
  readonly leftovers: () => Leftovers;
};

/** Counts what runs on `clock` leave behind. Give `inspect` and `activities` to `start`. */
export function watchLeftovers(clock: VirtualClock): LeftoverWatch {
  const actors = new Set<AnyActorRef>();
  const started: { step: string; signal: AbortSignal; isSettled: boolean }[] = [];
  const track = async <T>(step: string, { abortSignal }: Io, perform: () => Promise<T>): Promise<T> => {
    const entry = { step, signal: abortSignal, isSettled: false };
    started.push(entry);
    try {
      return await perform();
    } finally {
      entry.isSettled = true;
    }
  };
  const inStatus = (status: number): string[] =>
    [...actors].filter((actor) => processingStatusOf(actor) === status).map(({ id }) => id);
  return {
    inspect(event) {
      if (event.type === '@xstate.actor') actors.add(event.actorRef as AnyActorRef);
    },
    activities: (own) => ({
      ...own,
      plan: (input, io) => track(`plan ${input.task.path}`, io, () => own.plan(input, io)),
      synthesize: (input, io) => track(`synthesize ${input.task.path}`, io, () => own.synthesize(input, io)),
      attempt: (input, io) => track(`attempt ${input.task.path}`, io, () => own.attempt(input, io)),
    }),
    get steps() {
      return started.map(({ step }) => step);
    },
    leftovers: () => ({
      actors: inStatus(1),
      unstarted: inStatus(0),
      timers: clock.pending,
      signals: started.filter(({ signal, isSettled }) => !isSettled && !signal.aborted).map(({ step }) => step),
    }),
  };
}

// XState keeps it to itself: 0 is made, 1 runs, 2 has ended.
const processingStatusOf = (actor: AnyActorRef): number =>
  (actor as AnyActorRef & { _processingStatus: number })._processingStatus;
