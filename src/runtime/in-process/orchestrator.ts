/** Binds the orchestrator statechart to this host's actors. The only file that ties the recursive logic together. */
import type { AnyActorLogic } from 'xstate';
import { ROOT } from '../../protocol/path.ts';
import { orchestratorMachine } from '../../tier/orchestrator-machine.ts';
import { activityActor } from './activity-actor.ts';
import { gatherActor } from './gather-actor.ts';
import type { Host } from './host.ts';
import { leafActor } from './leaf-actor.ts';

export type OrchestratorLogic = typeof orchestratorMachine;

/** The logic of every orchestrator of a run. It creates its children's by late binding to itself. */
export function createOrchestrator(host: Host): OrchestratorLogic {
  const { activities, emit, interims, rehearsal } = host;
  const leaf = leafActor(host);
  const plain = gatherActor(host, {
    logicFor: (child, task): AnyActorLogic => {
      if (child.role === 'leaf') return leaf;
      return rehearsal?.orchestrator(machine, task) ?? machine;
    },
  });
  const gather = interims?.watching(plain) ?? plain;
  const machine: OrchestratorLogic = orchestratorMachine.provide({
    actors: {
      plan: bind(activityActor(host, (input, io) => activities.plan(input, io))),
      synthesize: bind(activityActor(host, (input, io) => activities.synthesize(input, io))),
      gather: bind(rehearsal?.gather(gather) ?? gather),
      execute: bind(leaf),
    },
    actions: {
      record: (_, events) => {
        for (const event of events) {
          if (event.type === 'node.planned' && event.path === ROOT) host.decided = event.decision;
          emit(event);
        }
      },
    },
  });
  return machine;
}

// The statechart declares its actors by input and output alone; a host's logic has a snapshot of its own shape.
const bind = (logic: AnyActorLogic): never => logic as never;
