/** A run as actor logic, for actor systems of the caller's own. */
import type { AnyActorRef, Snapshot } from 'xstate';
import type { Scenario } from '../../define/spec.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import type { RunOptions } from '../run.ts';
import { tell } from './host.ts';
import { prepareRun, type WiringOptions } from './prepare-run.ts';
import { runActor, type RunLogic } from './run-actor.ts';

/** What one run may be given: the rest is settled when the logic is made. */
export type OrchestratorInput = Pick<
  RunOptions,
  'asOf' | 'thesis' | 'deadline' | 'maxDepth' | 'concurrency' | 'budget' | 'domains' | 'runId'
>;
export type OrchestratorOptions = Omit<RunOptions, 'signal' | 'approve'> &
  WiringOptions & {
    /** Which events the parent machine is sent, besides being emitted. Default: `isProgress`. */
    tellParent?: (event: RunEvent) => boolean;
  };
export type OrchestratorLogic = RunLogic<OrchestratorInput | undefined>;

/**
 * The whole tree as actor logic, for `createActor`, `invoke` and `spawnChild`. Its output is the root's report. It
 * emits every event of the run (`actor.on('finding.escalated', …)`), and sends its parent those that tell progress.
 * It takes the event `cancel`, which delivers what there is; stopping it stops every actor of the tree.
 *
 * An actor whose own action throws is given no chance by XState to stop its children: a machine that invokes this
 * must catch its own faults, or the tree runs on until its deadline.
 * @throws nothing: an input that cannot be read is the actor's error, an EspalierError `invalid-input`
 * @example
 * setup({ actors: { research: orchestrator(scenario) } }).createMachine({
 *   invoke: { src: 'research', input: { asOf: '2008-06-01' }, onDone: … },
 *   on: { 'finding.escalated': … },
 * })
 */
export function orchestrator(scenario: Scenario, options: OrchestratorOptions = {}): OrchestratorLogic {
  const { tellParent = isProgress, onEvent } = options;
  return runActor((input, scope) =>
    prepareRun(scenario, {
      ...options,
      ...input,
      onEvent(event) {
        scope.emit(event as never);
        const parent = scope.self._parent as AnyActorRef | undefined;
        if (parent && tellParent(event) && isListening(parent)) tell(scope, parent, event);
        return onEvent?.(event);
      },
    }),
  );
}

/** Escalations, alerts, interims, and how orchestrators ended: few events, whatever the width of the tree. */
export function isProgress(event: RunEvent): boolean {
  switch (event.type) {
    case 'run.started':
    case 'finding.escalated':
    case 'synthesis.interim':
    case 'integrity.alert':
    case 'depth.refused':
    case 'budget.refused':
    case 'run.completed':
      return true;
    case 'node.reported':
    case 'node.failed':
      return event.tier !== 'leaf';
    default:
      return false;
  }
}

const isListening = (parent: AnyActorRef): boolean => (parent.getSnapshot() as Snapshot<unknown>).status === 'active';
