/** What every host does before a run starts: checks what it was given, opens its record, and lines up who listens. */
import { customAlphabet } from 'nanoid';
import { historyIn, NO_HISTORY, type History } from '../activities/history.ts';
import { registryOf, type Registry } from '../activities/registry.ts';
import type { Limits, Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hooks } from '../ports/hooks.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { ROOT } from '../protocol/path.ts';
import type { RunEvent, RunEventBody } from '../protocol/run-event.ts';
import { faultOf } from '../tier/fault.ts';
import { HOST_VERSION } from '../version.ts';
import { createEventStream, type EventStream } from './event-stream.ts';
import type { Models } from '../define/models.ts';
import type { Memory } from '../ports/memory.ts';
import { lessonsOf, type Lessons } from './lessons.ts';
import { checkScenario, limitsFor, modelsFor } from './limits.ts';
import { learnedIn } from './record/learned.ts';
import { openRecord, resumedOptions, type Record } from './record/open-record.ts';
import type { RunOptions } from './run.ts';

export type OpenedRun<Options extends RunOptions> = {
  /** As given; of a resumed run, over those it had. */
  readonly options: Options;
  readonly runId: string;
  readonly thesis: string;
  readonly asOf: string | undefined;
  readonly limits: Limits;
  readonly models: Models | undefined;
  readonly issuedAt: number;
  readonly deadline: number;
  readonly history: History;
  readonly registry: Registry;
  readonly record: Record | undefined;
  /** By path: what helped in earlier runs. */
  readonly learned: ReadonlyMap<string, string[]> | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly stream: EventStream;
  /** Aborted when another process has taken this run over. */
  readonly lost: AbortSignal;
};

/** Lower case and digits: a run's id is a folder's name and a word on the command line. */
export const newRunId = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 16);

/**
 * `record`: how a stored run is opened or taken up. `asksModels`: its models are asked from here, and not elsewhere.
 * @throws EspalierError `invalid-input` on an option that cannot be read, or models that cannot be asked
 */
export function openRun<Options extends RunOptions>(
  scenario: Scenario,
  given: Options,
  clock: Clock,
  { record = openRecord, asksModels = true }: { record?: typeof openRecord; asksModels?: boolean } = {},
): OpenedRun<Options> {
  checkScenario(scenario, given);
  const options = resumedOptions(scenario, given);
  const { store, runId = newRunId(), asOf = scenario.asOf, thesis = scenario.thesis, onEvent } = options;
  const telemetry = options.telemetry && harmless(options.telemetry);
  const limits = limitsFor(scenario, options);
  const models = modelsFor(scenario, options);
  if (asksModels) models?.adapter.checkReady?.();
  const history = store ? historyIn(store, scenario.name) : NO_HISTORY;
  const registry = registryOf(scenario, thesis, { concurrency: limits.concurrency, models, history });
  const learned = store && learnedIn(store, scenario.name); // before the claim: a store that fails keeps none
  const issuedAt = clock.now();
  const lost = new AbortController();
  const kept =
    store &&
    record({
      ...options,
      store,
      scenario,
      runId,
      thesis,
      limits,
      startedAt: issuedAt,
      registry,
      onFailure(error) {
        if (EspalierError.isInstance(error) && error.code === 'claim-lost') lost.abort(error);
        else stream.emit({ type: 'record.failed', path: ROOT, message: faultOf(error).message });
      },
    });
  const watched = telemetry && ((event: RunEvent): void => telemetry.onEvent(event));
  const remembering =
    scenario.memory && rememberIn(scenario.memory, lessonsOf(runId, asOf), (event) => stream.emit(event));
  /** An event that nobody is told is not made: a telemetry without an SDK must not cost that. */
  const begun =
    telemetry &&
    ((event: RunEvent): void => {
      if (event.type !== 'run.started') return;
      const isWatching = telemetry.isWatching?.(runId) ?? true;
      events.listen(listenerOf(isWatching ? [recorded, watched, ...others] : [recorded, ...others]));
    });
  const recorded = kept?.recorder.record;
  const others = [remembering, escalationsTo(scenario.hooks), onEvent];
  const listener = listenerOf([recorded, watched, begun, ...others]);
  const events = createEventStream(runId, clock, listener, kept?.events);
  const stream: EventStream = {
    ...events,
    close() {
      events.close();
      kept?.recorder.close();
      telemetry?.onEnd(runId);
    },
  };
  return {
    options,
    runId,
    thesis,
    asOf,
    limits,
    models,
    issuedAt,
    deadline: issuedAt + limits.deadlineMs,
    history,
    registry,
    record: kept,
    learned,
    telemetry,
    stream,
    lost: lost.signal,
  };
}

/** What a run says first. */
export const startedEvent = (
  scenario: Scenario,
  { thesis, asOf, limits, deadline }: Pick<OpenedRun<RunOptions>, 'thesis' | 'asOf' | 'limits' | 'deadline'>,
): Extract<RunEventBody, { type: 'run.started' }> => ({
  type: 'run.started',
  path: ROOT,
  scenario: scenario.name,
  thesis,
  ...(asOf !== undefined && { asOf }),
  maxDepth: limits.maxDepth,
  deadline,
  concurrency: limits.concurrency,
  hostVersion: HOST_VERSION,
});

/** Whether some node may spend no more than so much, though the run may. */
export const hasCaps = (registry: Registry): boolean =>
  [...registry.values()].some(({ definition }) => definition.kind === 'domain' && definition.budget !== undefined);

/** What a run teaches is kept once its root has ended. That it cannot be kept is said, and is all. */
function rememberIn(memory: Memory, lessons: Lessons, emit: (event: RunEventBody) => void): (event: RunEvent) => void {
  return (event) => {
    lessons.hear(event);
    if (event.path !== ROOT || (event.type !== 'node.reported' && event.type !== 'node.failed')) return;
    try {
      for (const [path, learned] of lessons.learned()) memory.append(path, learned);
    } catch (error) {
      emit({ type: 'memory.failed', path: ROOT, message: faultOf(error).message });
    }
  };
}

function escalationsTo(hooks: Hooks | undefined): RunOptions['onEvent'] {
  const tell = hooks?.onEscalation;
  if (!tell) return undefined;
  return (event) => {
    if (event.type !== 'finding.escalated') return;
    try {
      Promise.resolve(tell(event.finding)).catch(() => {}); // it may be async in JavaScript
    } catch {
      // whoever is told must not be able to break the run, nor keep it from others
    }
  };
}

/** In this order: what is shown has been stored. */
function listenerOf(listeners: readonly RunOptions['onEvent'][]): RunOptions['onEvent'] {
  const [first, ...more] = listeners.filter((listener) => listener !== undefined);
  if (!first || more.length === 0) return first;
  const last = more.pop();
  return (event) => {
    first(event);
    for (const listener of more) listener(event);
    return last?.(event);
  };
}

/** Whoever watches a run must not be able to break it. */
export function harmless(telemetry: Telemetry): Telemetry {
  const quietly = <T>(call: () => T): T | undefined => {
    try {
      return call();
    } catch {
      return undefined;
    }
  };
  return {
    onEvent: (event) => void quietly(() => telemetry.onEvent(event)),
    isWatching: (runId) => quietly(() => telemetry.isWatching?.(runId)) ?? true,
    onEnd: (runId) => void quietly(() => telemetry.onEnd(runId)),
    traceparentOf: (runId, path) => quietly(() => telemetry.traceparentOf(runId, path)),
    traceparentFor: (...given) => quietly(() => telemetry.traceparentFor?.(...given)),
    within(task, work) {
      let hasBegun = false;
      const begin = (): ReturnType<typeof work> => {
        hasBegun = true;
        return work();
      };
      try {
        return telemetry.within(task, begin);
      } catch (error) {
        if (hasBegun) throw error; // the work's own
        return work();
      }
    },
  };
}
