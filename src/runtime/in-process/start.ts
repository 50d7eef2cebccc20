/** The shortest way in: a scenario becomes a running tree of actors. */
import { createActor, type InspectionEvent, type Observer } from 'xstate';
import type { Scenario } from '../../define/spec.ts';
import { EspalierError } from '../../errors.ts';
import { ROOT } from '../../protocol/path.ts';
import { approvedPlan } from '../ask-plan.ts';
import { checkScenario } from '../limits.ts';
import { outcomeOf } from '../run-outcome.ts';
import type { RunHandle, RunHost, RunOptions, RunOutcome } from '../run.ts';
import { prepareRun, type WiringOptions } from './prepare-run.ts';
import { runActor } from './run-actor.ts';

export type InProcessOptions = RunOptions &
  WiringOptions & {
    /** Sees every actor of the tree: XState's `inspect`. */
    inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  };

/**
 * Runs a scenario and resolves with its brief; with `approve`, once that has approved the plan.
 * @throws EspalierError `invalid-input` on an option that cannot be read; `rejected`
 */
export function run(scenario: Scenario, options: InProcessOptions = {}): Promise<RunOutcome> {
  const { approve, ...rest } = options;
  // What is resumed was approved when it began.
  if (!approve || rest.resume !== undefined) return start(scenario, rest).result;
  checkScenario(scenario, options);
  return approvedPlan(scenario, options).then(({ decided }) => start(scenario, { ...rest, decided }).result);
}

/**
 * Starts a scenario. Nothing has run when it returns: whoever iterates `events` in the same turn misses none.
 * @throws EspalierError `invalid-input` on an option that cannot be read
 */
export function start(scenario: Scenario, options: InProcessOptions = {}): RunHandle {
  const { signal, approve } = options;
  if (approve) {
    throw new EspalierError(
      'invalid-input',
      'start takes no approve: it does not wait. Give it to run, or give start the decided of an askPlan.',
    );
  }
  if (options.host) return startElsewhere(options.host, scenario, options);
  const prepared = prepareRun(scenario, options);
  const { runId, stream, host } = prepared;
  const { promise, resolve, reject } = Promise.withResolvers<RunOutcome>();
  promise.catch(() => {}); // whoever stops a run need not also catch its result

  const inspect = options.inspect && harmless(options.inspect);
  const logic = runActor(() => prepared);
  const actor = createActor(logic, { input: undefined, clock: host.clock, ...(inspect && { inspect }) });
  let isOver = false;
  const cancel = (): void => {
    if (!isOver) actor.send({ type: 'cancel' });
  };
  const end = (): void => {
    isOver = true;
    signal?.removeEventListener('abort', cancel);
    stream.close();
  };
  const stopped = (): void => {
    reject(new EspalierError('stopped', `The run ${runId} was stopped before it could deliver.`));
    end();
  };
  actor.subscribe({
    complete() {
      const report = actor.getSnapshot().output;
      if (!report) return stopped();
      end();
      // Whoever has the outcome may end the process: no server of tools must outlive it.
      void prepared.closed().then(() => resolve(outcomeOf(report)));
    },
    error(cause) {
      if (EspalierError.isInstance(cause)) reject(cause);
      else reject(new EspalierError('host-fault', `The run ${runId} broke: ${String(cause)}. Report it.`, { cause }));
      end();
    },
  });
  queueMicrotask(() => {
    if (isOver) return;
    actor.start();
    if (signal?.aborted) cancel();
    else if (!isOver) signal?.addEventListener('abort', cancel, { once: true });
  });
  const stop = (): void => {
    if (isOver) return;
    host.isStopped = true;
    actor.stop();
    stopped();
  };
  return { runId, events: stream.events, result: promise, interim: () => host.interims?.latestOf(ROOT), cancel, stop };
}

/** What is made of actors of this process. */
const ONLY_HERE = ['activities', 'rehearsal', 'guestFor', 'inspect'] as const;

function startElsewhere(host: RunHost, scenario: Scenario, { host: _, ...options }: InProcessOptions): RunHandle {
  const alien = ONLY_HERE.find((name) => options[name] !== undefined);
  if (alien === undefined) return host.start(scenario, options);
  throw new EspalierError(
    'invalid-input',
    `The option ${alien} is of runs in this process. Leave it out with the host "${host.name}".`,
  );
}

/** XState lets an inspector's fault through, into whichever actor was about to move. */
const harmless = (inspect: NonNullable<InProcessOptions['inspect']>) => (event: InspectionEvent) => {
  try {
    if (typeof inspect === 'function') inspect(event);
    else inspect.next?.(event);
  } catch {
    // an inspector's fault is not the run's
  }
};
