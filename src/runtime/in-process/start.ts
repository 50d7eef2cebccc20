/** The shortest way in: a scenario becomes a running tree of actors. */
import { customAlphabet } from 'nanoid';
import { createActor, type InspectionEvent, type Observer } from 'xstate';
import { createActivities } from '../../activities/create-activities.ts';
import { reserveOf } from '../../activities/registry.ts';
import { checkAsOf } from '../../define/define-scenario.ts';
import type { Limits, Scenario } from '../../define/spec.ts';
import { EspalierError } from '../../errors.ts';
import type { Activities } from '../../ports/activities.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Report } from '../../protocol/report.ts';
import type { Task } from '../../protocol/task.ts';
import { HOST_VERSION } from '../../version.ts';
import { createEventStream } from '../event-stream.ts';
import { checkDomains, limitsFor } from '../limits.ts';
import type { RunHandle, RunOptions, RunOutcome } from '../run.ts';
import type { Host, Rehearsal } from './host.ts';
import { runActor, type RunInput } from './run-actor.ts';
import { createSlots } from './slots.ts';
import { systemClock } from './system-clock.ts';

export type InProcessOptions = RunOptions & {
  /** Sees every actor of the tree: XState's `inspect`. */
  inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** Steps in place of the scenario's own: the test kit scripts and breaks them here. */
  activities?: (own: Activities) => Activities;
  rehearsal?: Rehearsal;
  guestFor?: Host['guestFor'];
};

/** Lower case and digits: a run's id is a folder's name and a word on the command line. */
const newRunId = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 16);

/** What a slot may be held for while others wait: a share of the run's window. */
const LEASE_SHARE = 0.25;

/**
 * Runs a scenario and resolves with its brief.
 * @throws EspalierError `invalid-input` on an option that cannot be read
 */
export const run = (scenario: Scenario, options: InProcessOptions = {}): Promise<RunOutcome> =>
  start(scenario, options).result;

/**
 * Starts a scenario. Nothing has run when it returns: whoever iterates `events` in the same turn misses none.
 * @throws EspalierError `invalid-input` on an option that cannot be read
 */
export function start(scenario: Scenario, options: InProcessOptions = {}): RunHandle {
  const { clock = systemClock, runId = newRunId(), guestFor, rehearsal } = options;
  const limits = limitsFor(scenario, options);
  const asOf = options.asOf ?? scenario.asOf;
  if (asOf !== undefined) checkAsOf(asOf);
  const thesis = options.thesis ?? scenario.thesis;
  checkDomains(scenario, options.domains);

  const stream = createEventStream(runId, clock, options.onEvent);
  const own = createActivities(scenario, { thesis, domains: options.domains });
  const host: Host = {
    clock,
    activities: options.activities?.(own) ?? own,
    slots: createSlots(clock, limits.concurrency, limits.deadlineMs * LEASE_SHARE),
    emit: stream.emit,
    afterthoughts: [],
    isStopped: false,
    ...(guestFor && { guestFor }),
    ...(rehearsal && { rehearsal }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<RunOutcome>();
  promise.catch(() => {}); // whoever stops a run need not also catch its result

  const now = clock.now();
  const deadline = now + limits.deadlineMs;
  const input: RunInput = {
    task: rootTask({ runId, thesis, asOf, limits, issuedAt: now, deadline }),
    reserveMs: reserveOf(scenario),
  };
  const inspect = options.inspect && harmless(options.inspect);
  const actor = createActor(runActor(host), { input, clock, ...(inspect && { inspect }) });
  let isOver = false;
  const cancel = (): void => {
    if (!isOver) actor.send({ type: 'cancel' });
  };
  const end = (): void => {
    isOver = true;
    options.signal?.removeEventListener('abort', cancel);
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
      resolve(outcomeOf(report));
      end();
    },
    error(cause) {
      reject(new EspalierError('host-fault', `The run ${runId} broke: ${String(cause)}. Report it.`, { cause }));
      end();
    },
  });
  const begin = (): void => {
    const { maxDepth, concurrency } = limits;
    stream.emit({
      type: 'run.started',
      path: ROOT,
      scenario: scenario.name,
      thesis,
      ...(asOf !== undefined && { asOf }),
      maxDepth,
      deadline,
      concurrency,
      hostVersion: HOST_VERSION,
    });
    if (!isOver) actor.start(); // a listener may have stopped it already
    if (options.signal?.aborted) cancel();
    else if (!isOver) options.signal?.addEventListener('abort', cancel, { once: true });
  };
  queueMicrotask(() => isOver || begin());
  const stop = (): void => {
    if (isOver) return;
    actor.stop();
    stopped();
  };
  return { runId, events: stream.events, result: promise, cancel, stop };
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

type RootTask = Pick<Task, 'runId'> & {
  thesis: string;
  asOf: string | undefined;
  limits: Limits;
  issuedAt: number;
  deadline: number;
};
const rootTask = ({ runId, thesis, asOf, limits, issuedAt, deadline }: RootTask): Task => ({
  runId,
  path: ROOT,
  tier: 'root',
  question: thesis,
  charter: '',
  ...(asOf !== undefined && { asOf }),
  grant: {
    depthLeft: limits.maxDepth,
    issuedAt,
    deadline,
    reserveMs: 0,
    budget: {},
    maxChildren: limits.maxChildren,
    sources: [],
    tools: [],
  },
  prior: [],
  enrichments: [],
});

const outcomeOf = (brief: Report): RunOutcome => ({
  runId: brief.runId,
  status: brief.status,
  brief,
  escalations: brief.escalations,
  gaps: brief.gaps,
});
