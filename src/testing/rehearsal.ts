/**
 * Rehearses faults: breaks a chosen node or step on purpose, so that one can see how a brief degrades.
 *  - a leaf's path: its attempt hangs, throws, ends without output, ends with rubbish, or is slow
 *  - an orchestrator's path: the node as a whole does, after its first child has ended
 *  - an orchestrator's path and a step: that step does
 */
import { EspalierError } from '../errors.ts';
import type { Activities, Io } from '../ports/activities.ts';
import type { Clock } from '../ports/clock.ts';
import type { Rehearsal } from '../runtime/in-process/host.ts';
import { systemClock } from '../runtime/system-clock.ts';
import type { PlannedNode } from '../runtime/run.ts';
import { breakingGather, breakingNode, RUBBISH, THROWN } from './broken-logic.ts';
import type { RehearsedFault, RehearsedStep } from './rehearsed-fault.ts';
import { sleepOn } from '../activities/sleep.ts';

/**
 * Checks faults against a plan's tree.
 * @throws EspalierError `invalid-input`, naming the paths there are
 */
export function checkRehearsedFaults(faults: readonly RehearsedFault[], root: PlannedNode): void {
  const nodes = new Map<string, PlannedNode>();
  const visit = (node: PlannedNode): void => {
    nodes.set(node.path, node);
    for (const child of node.children) visit(child);
  };
  visit(root);
  for (const { path, step } of faults) {
    const node = nodes.get(path);
    if (!node) {
      const paths = [...nodes.keys()];
      const shown = paths.length > 12 ? [...paths.slice(0, 12), '…'] : paths;
      throw new EspalierError(
        'invalid-input',
        `There is no node "${path}" in this run. There are ${shown.join(', ')}.`,
      );
    }
    if (step && node.tier === 'leaf') {
      throw new EspalierError('invalid-input', `"${path}" is a leaf and has no ${step}. Leave out ":${step}".`);
    }
  }
}

/**
 * What `start` takes to run with these faults. Give it the run's own clock when that is not the system's.
 * @example start(scenario, { ...rehearse([parseRehearsedFault('root/macro=hang')]) })
 */
export function rehearse(
  faults: readonly RehearsedFault[],
  clock: Clock = systemClock,
): { activities: (own: Activities) => Activities; rehearsal: Rehearsal } {
  const faultAt = (path: string, step?: RehearsedStep): RehearsedFault | undefined =>
    faults.find((fault) => fault.path === path && fault.step === step);
  return {
    activities: (own) => ({
      ...own,
      plan: (input, io) => {
        const whole = faultAt(input.task.path);
        const fault = faultAt(input.task.path, 'plan') ?? (whole?.kind === 'slow' ? whole : undefined);
        return perform(fault, clock, io, () => own.plan(input, io));
      },
      synthesize: (input, io) =>
        perform(faultAt(input.task.path, 'synthesize'), clock, io, () => own.synthesize(input, io)),
      attempt: (input, io) => perform(faultAt(input.task.path), clock, io, () => own.attempt(input, io)),
    }),
    rehearsal: {
      orchestrator(logic, task) {
        const fault = faultAt(task.path);
        return fault && fault.kind !== 'slow' ? breakingNode(logic, fault.kind) : logic;
      },
      gather: (logic) => breakingGather(logic, faultAt, clock),
    },
  };
}

async function perform<T>(
  fault: RehearsedFault | undefined,
  clock: Clock,
  io: Io,
  step: () => Promise<T>,
): Promise<unknown> {
  switch (fault?.kind) {
    case undefined:
      return step();
    case 'hang':
      return new Promise(() => {});
    case 'throw':
      throw new Error(THROWN);
    case 'silent':
      return undefined;
    case 'invalid':
      return RUBBISH;
    case 'slow':
      await sleepOn(clock, fault.ms ?? 0, io.abortSignal);
      return step();
  }
}
