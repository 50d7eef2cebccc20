/** Makes of a scenario and options all that a run needs. Nothing runs yet. */
import { customAlphabet } from 'nanoid';
import type { AnyActorLogic } from 'xstate';
import { sharedReads } from '../../activities/shared-reads.ts';
import { withHooks } from '../../activities/with-hooks.ts';
import { createActivities } from '../../activities/create-activities.ts';
import { openTools } from '../../activities/open-tools.ts';
import { historyIn } from '../../activities/history.ts';
import { registryOf, type Entry, type Registry } from '../../activities/registry.ts';
import { adopt, isMaking } from '../../activities/sub-domains.ts';
import type { Limits, Scenario } from '../../define/spec.ts';
import { debounceOf } from '../../define/synthesis-mode.ts';
import { EspalierError } from '../../errors.ts';
import type { Activities } from '../../ports/activities.ts';
import type { Hooks } from '../../ports/hooks.ts';
import type { Memory } from '../../ports/memory.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { Decision, type ChildSpec } from '../../protocol/decision.ts';
import { ROOT } from '../../protocol/path.ts';
import type { RunEvent, RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import { faultOf } from '../../tier/fault.ts';
import { ASKING_PLAN_MS } from '../../tier/grant.ts';
import { openHedging } from '../../tier/hedging.ts';
import { HOST_VERSION } from '../../version.ts';
import { createEventStream, type EventStream } from '../event-stream.ts';
import { checkScenario, limitsFor, modelsFor } from '../limits.ts';
import { lessonsOf, type Lessons } from '../lessons.ts';
import { learnedIn } from '../record/learned.ts';
import { openRecord, resumedOptions } from '../record/open-record.ts';
import type { Recall } from '../record/recall.ts';
import { spentEarlier } from '../record/spent-earlier.ts';
import type { Decided, RunOptions } from '../run.ts';
import type { Host, Rehearsal } from './host.ts';
import { createInterims, type InterimOptions, type Interims } from './interims.ts';
import { memoryPressure } from './memory-pressure.ts';
import { createRunBudget } from './run-budget.ts';
import { createSlots } from './slots.ts';
import { systemClock } from './system-clock.ts';

export type WiringOptions = {
  /** Steps in place of the scenario's own: the test kit scripts and breaks them here. */
  activities?: (own: Activities) => Activities;
  rehearsal?: Rehearsal;
  /** Logic of the caller's own for a node: an actor in the place of a leaf or a domain, parsed, not believed. */
  guestFor?: (child: ChildSpec, task: Task) => AnyActorLogic | undefined;
};

/** A run before its start. `task` is the root's, its grant the whole run's. */
export type PreparedRun = {
  readonly runId: string;
  readonly host: Host;
  readonly stream: EventStream;
  readonly task: Task;
  /** What the root keeps back for its synthesis, in ms. */
  readonly reserveMs: number;
  /** Leaves as planned. */
  readonly leaves: number;
  /** What to say first. */
  readonly opening: readonly RunEventBody[];
  /** Resolves when nothing is left of what the run had opened, such as servers of tools. Ask at its end. */
  readonly closed: () => Promise<void>;
  /** Aborted when another process has taken this run over. */
  readonly lost: AbortSignal;
};

/** Lower case and digits: a run's id is a folder's name and a word on the command line. */
export const newRunId = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 16);

/** What a slot may be held for while others wait: a share of the run's window. */
const LEASE_SHARE = 0.25;

/** @throws EspalierError `invalid-input` on an option that cannot be read, or models that cannot be asked */
export function prepareRun(scenario: Scenario, given: RunOptions & WiringOptions): PreparedRun {
  checkScenario(scenario, given);
  const options = resumedOptions(scenario, given);
  const { clock = systemClock, runId = newRunId(), domains, guestFor, rehearsal, onEvent } = options;
  const telemetry = options.telemetry && harmless(options.telemetry);
  const limits = limitsFor(scenario, options);
  const models = modelsFor(scenario, options);
  models?.adapter.checkReady?.();
  const asOf = options.asOf ?? scenario.asOf;
  const thesis = options.thesis ?? scenario.thesis;

  const { store } = options;
  const history = store && historyIn(store, scenario.name);
  const registry = registryOf(scenario, thesis, {
    concurrency: limits.concurrency,
    models,
    ...(history && { history }),
  });
  const issuedAt = clock.now();
  const deadline = issuedAt + limits.deadlineMs;
  const lost = new AbortController();
  const record =
    store &&
    openRecord({
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
  const tools = openTools(scenario.tools);
  const watched = telemetry && ((event: RunEvent): void => telemetry.onEvent(event));
  const remembering =
    scenario.memory && rememberIn(scenario.memory, lessonsOf(runId, asOf), (event) => stream.emit(event));
  const listeners = [record?.recorder.record, watched, remembering, escalationsTo(scenario.hooks), onEvent];
  const listener = listenerOf(listeners);
  const events = createEventStream(runId, clock, listener, record?.events);
  let closing: Promise<void> | undefined;
  const stream: EventStream = {
    ...events,
    close() {
      closing ??= tools.close();
      events.close();
      record?.recorder.close();
      telemetry?.onEnd(runId);
    },
  };
  const learned = store && learnedIn(store, scenario.name);
  const dependencies = new Map(record?.recall?.dependencies());
  const observed = scenario.dependencies === 'observe' ? { shared: sharedReads(), dependencies } : undefined;
  const random = options.random ?? Math.random;
  const pressure = options.pressure ?? (options.clock ? undefined : memoryPressure);
  const slots = createSlots(clock, limits.concurrency, limits.deadlineMs * LEASE_SHARE, {
    pools: limits.pools,
    onChange: (change) => stream.emit({ type: 'slots.changed', path: ROOT, ...change }),
    ...(pressure && { pressure }),
  });
  const own = createActivities(scenario, {
    tools,
    registry,
    domains,
    clock,
    artifacts: record?.artifacts,
    shared: observed?.shared,
    slots,
    models,
    random,
    hedge: limits.hedge,
  });
  const hooked = withHooks(options.decided ? withDecided(own, options.decided) : own, scenario.hooks, clock);
  const recalled = record?.recall ? withoutAskingAgain(hooked, record.recall) : hooked;
  let activities: Activities;
  try {
    activities = options.activities?.(recalled) ?? recalled;
  } catch (error) {
    record?.recorder.close(); // or nobody could take the run up as long as this process lives
    throw error;
  }
  const interims = interimsFor(registry, options.synthesis, { clock, emit: stream.emit });
  const budget = createRunBudget(limits.budget, stream.emit, { hasCaps: hasCaps(registry) });
  if (record?.recall && budget.isLimited && store) {
    budget.chargeEarlier((path) => spentEarlier(store, runId, path, options));
  }
  return {
    runId,
    host: {
      clock,
      activities: withinSpans(withSubDomains(activities, registry), telemetry),
      slots,
      random,
      budget,
      emit: stream.emit,
      underRoot: [],
      decided: undefined,
      afterthoughts: [],
      isStopped: false,
      ...(limits.hedge && { hedging: openHedging(limits.hedge) }),
      ...(learned && { learned: (path) => learned.get(path) }),
      ...(observed && { observed }),
      ...(guestFor && { guestFor }),
      ...(record && { identify: record.identify }),
      ...(record?.recall && { recall: record.recall }),
      ...(interims && { interims }),
      ...(rehearsal && { rehearsal }),
      ...(telemetry && { traceparentOf: (path) => telemetry.traceparentOf(runId, path) }),
    },
    stream,
    closed: () => closing ?? tools.close(),
    lost: lost.signal,
    task: rootTask({ runId, thesis, asOf, limits, issuedAt, deadline, isAsking: scenario.decide?.asks !== undefined }),
    reserveMs: registry.get(ROOT)?.reserveMs ?? 0,
    leaves: registry.get(ROOT)?.leaves ?? 0,
    opening: [
      {
        type: 'run.started',
        path: ROOT,
        scenario: scenario.name,
        thesis,
        ...(asOf !== undefined && { asOf }),
        maxDepth: limits.maxDepth,
        deadline,
        concurrency: limits.concurrency,
        hostVersion: HOST_VERSION,
        ...(record?.recall && { resumed: { events: record.events } }),
      },
      ...(record?.invalidated ?? []),
    ],
  };
}

const hasCaps = (registry: Registry): boolean =>
  [...registry.values()].some(({ definition }) => definition.kind === 'domain' && definition.budget !== undefined);

/** None where every synthesis is final: such a run pays nothing for what it does not make. */
function interimsFor(
  registry: ReadonlyMap<string, Entry>,
  forAll: RunOptions['synthesis'],
  io: Pick<InterimOptions, 'clock' | 'emit'>,
): Interims | undefined {
  if (forAll !== undefined) {
    const debounceMs = debounceOf('The run', forAll);
    return debounceMs === undefined
      ? undefined
      : createInterims({ ...io, debounceOf: (path) => (path === '' ? undefined : debounceMs) });
  }
  const debounces = new Map<string, number>();
  for (const { path, definition } of registry.values()) {
    const debounceMs = definition.kind === 'leaf' ? undefined : debounceOf(path, definition.synthesis);
    if (debounceMs !== undefined) debounces.set(path, debounceMs);
  }
  if (debounces.size === 0) return undefined;
  return createInterims({ ...io, debounceOf: (path) => debounces.get(path) });
}

/** A plan is not asked for again when the same task had one. */
const withoutAskingAgain = (own: Activities, recall: Recall): Activities => ({
  ...own,
  // The stored decision is the latest: whether it grows further is a new question.
  plan: async (input, io) => (input.again ? undefined : recall.decisionOf(input.task)) ?? own.plan(input, io),
});

/** What was decided before the run stands in it, and what the asking has cost is spent. */
const withDecided = (own: Activities, { decisions, spent }: Decided): Activities => ({
  ...own,
  async plan(input, io) {
    const { path } = input.task;
    const known = input.again ? undefined : decisions[path];
    if (!known) return own.plan(input, io);
    const expense = spent[path];
    if (expense) io.budget.reserve({}).settle(expense);
    return known;
  },
});

/** Whoever decided, also a script or an earlier run: what the decision makes can be looked up from then on. */
const withSubDomains = (activities: Activities, registry: Registry): Activities => ({
  ...activities,
  async plan(input, io) {
    const answer = await activities.plan(input, io);
    if (isMaking(answer)) {
      const { success, data } = Decision.safeParse(answer);
      if (success) adopt(registry, registry.get(input.task.path), data);
    }
    return answer;
  },
});

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
function harmless(telemetry: Telemetry): Telemetry {
  const quietly = <T>(call: () => T): T | undefined => {
    try {
      return call();
    } catch {
      return undefined;
    }
  };
  return {
    onEvent: (event) => void quietly(() => telemetry.onEvent(event)),
    onEnd: (runId) => void quietly(() => telemetry.onEnd(runId)),
    traceparentOf: (runId, path) => quietly(() => telemetry.traceparentOf(runId, path)),
    within: (task, work) => telemetry.within(task, work),
  };
}

/** A node's own work belongs to its span. */
function withinSpans(activities: Activities, telemetry: Telemetry | undefined): Activities {
  if (!telemetry) return activities;
  return {
    ...activities,
    plan: (input, io) => telemetry.within(input.task, () => activities.plan(input, io)),
    synthesize: (input, io) => telemetry.within(input.task, () => activities.synthesize(input, io)),
    attempt: (input, io) => telemetry.within(input.task, () => activities.attempt(input, io)),
    verify: (input, findings, io) => telemetry.within(input.task, () => activities.verify(input, findings, io)),
    recover: (input, fault, io) => telemetry.within(input.task, () => activities.recover(input, fault, io)),
  };
}

type RootTask = Pick<Task, 'runId'> & {
  thesis: string;
  asOf: string | undefined;
  limits: Limits;
  issuedAt: number;
  deadline: number;
  /** Whether a model is asked to decide. */
  isAsking: boolean;
};
const rootTask = ({ runId, thesis, asOf, limits, issuedAt, deadline, isAsking }: RootTask): Task => ({
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
    ...(isAsking && { planMs: ASKING_PLAN_MS }),
    budget: limits.budget,
    maxChildren: limits.maxChildren,
    sources: [],
    tools: [],
  },
  prior: [],
  enrichments: [],
});
