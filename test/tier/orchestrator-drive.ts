/** Drives the statechart by hand: says what it invoked, and answers in the place of a host. */
import { initialTransition, transition } from 'xstate';
import type { RunEventBody } from '../../src/protocol/run-event.ts';
import type { Task } from '../../src/protocol/task.ts';
import { orchestratorMachine } from '../../src/tier/orchestrator-machine.ts';

type Action = { type: string; params?: any };

export function drive(task: Task) {
  const invoked: { id: string; input: any }[] = [];
  const recorded: RunEventBody[] = [];
  const told: { to: string; type: string }[] = [];
  const take = ([snapshot, actions]: readonly [unknown, readonly unknown[]]) => {
    for (const { type, params } of actions as Action[]) {
      if (type === 'xstate.spawnChild') invoked.push({ id: params.id, input: params.input });
      if (type === 'xstate.sendTo') told.push({ to: String(params.targetId ?? params.to), type: params.event.type });
      if (type === 'record') recorded.push(...Object.values<RunEventBody>(params));
    }
    return snapshot as ReturnType<typeof initialTransition<typeof orchestratorMachine>>[0];
  };
  let snapshot = take(initialTransition(orchestratorMachine, task));
  const driven = {
    invoked,
    recorded,
    told,
    get snapshot() {
      return snapshot;
    },
    get state() {
      return snapshot.value;
    },
    get last() {
      return invoked.at(-1);
    },
    get outcome() {
      return snapshot.output;
    },
    send(event: object) {
      snapshot = take(transition(orchestratorMachine, snapshot, event as never));
      return driven;
    },
    /** The invoked actor ends with this. */
    answer(output: unknown) {
      const id = invoked.at(-1)?.id;
      return driven.send({ type: `xstate.done.actor.${id}`, output, actorId: id });
    },
    fail(error: unknown) {
      const id = invoked.at(-1)?.id;
      return driven.send({ type: `xstate.error.actor.${id}`, error, actorId: id });
    },
  };
  return driven;
}
