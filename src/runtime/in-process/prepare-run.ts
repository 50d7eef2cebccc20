/** Makes of a scenario and options all that a run needs. Nothing runs yet. */
import type { AnyActorLogic } from 'xstate';
import { sharedReads } from '../../activities/shared-reads.ts';
import { withHooks } from '../../activities/with-hooks.ts';
import { createActivities } from '../../activities/create-activities.ts';
import { openTools } from '../../activities/open-tools.ts';
import type { Registry } from '../../activities/registry.ts';
import { adopt, isMaking } from '../../activities/sub-domains.ts';
import { withinSpans } from '../../activities/within-spans.ts';
import type { Scenario } from '../../define/spec.ts';
import type { Activities } from '../../ports/activities.ts';
import type { Clock } from '../../ports/clock.ts';
import { Decision, type ChildSpec } from '../../protocol/decision.ts';
import { ROOT } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import { openHedging } from '../../tier/hedging.ts';
import type { EventStream } from '../event-stream.ts';
import { debouncesOf } from '../interim-desks.ts';
import { hasCaps, openRun, startedEvent, type OpenedRun } from '../open-run.ts';
import type { Recall } from '../record/recall.ts';
import { spentEarlier } from '../record/spent-earlier.ts';
import { rootTask } from '../root.ts';
import type { RunOptions } from '../run.ts';
import { withDecided } from '../with-decided.ts';
import { systemClock } from '../system-clock.ts';
import type { Host, Rehearsal } from './host.ts';
import { createInterims } from './interims.ts';
import { memoryPressure } from '../memory-pressure.ts';
import { createRunBudget } from '../run-budget.ts';
import { createSlots, LEASE_SHARE } from '../slots.ts';

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

/** @throws EspalierError `invalid-input` on an option that cannot be read, or models that cannot be asked */
export function prepareRun(scenario: Scenario, given: RunOptions & WiringOptions): PreparedRun {
  const { clock = systemClock } = given;
  const opened = openRun(scenario, given, clock);
  try {
    return wired(scenario, opened, clock);
  } catch (error) {
    opened.record?.recorder.close(); // or nobody could take the run up as long as this process lives
    throw error;
  }
}

function wired(scenario: Scenario, opened: OpenedRun<RunOptions & WiringOptions>, clock: Clock): PreparedRun {
  const { options, runId, limits, models, registry, record, learned, telemetry, lost } = opened;
  const { domains, guestFor, rehearsal, store } = options;
  const tools = openTools(scenario.tools);
  let closing: Promise<void> | undefined;
  const stream: EventStream = {
    ...opened.stream,
    close() {
      closing ??= tools.close();
      opened.stream.close();
    },
  };
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
  const activities = options.activities?.(recalled) ?? recalled;
  const debounceOf = debouncesOf(registry, options.synthesis);
  const interims = debounceOf && createInterims({ clock, emit: stream.emit, debounceOf });
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
    lost,
    task: rootTask({ ...opened, isAsking: scenario.decide?.asks !== undefined }),
    reserveMs: registry.get(ROOT)?.reserveMs ?? 0,
    leaves: registry.get(ROOT)?.leaves ?? 0,
    opening: [
      { ...startedEvent(scenario, opened), ...(record?.recall && { resumed: { events: record.events } }) },
      ...(record?.invalidated ?? []),
    ],
  };
}

/** A plan is not asked for again when the same task had one. */
const withoutAskingAgain = (own: Activities, recall: Recall): Activities => ({
  ...own,
  // The stored decision is the latest: whether it grows further is a new question.
  plan: async (input, io) => (input.again ? undefined : recall.decisionOf(input.task)) ?? own.plan(input, io),
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
