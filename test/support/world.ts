/** A run on virtual time that counts everything it could leave behind. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, DomainSpec, LeafSpec, Scenario, ScenarioSpec } from '../../src/define/spec.ts';
import type { Activities, Io } from '../../src/ports/activities.ts';
import type { FindingDraft } from '../../src/protocol/finding.ts';
import type { FailureToken, Report } from '../../src/protocol/report.ts';
import type { RunEvent, RunEventType } from '../../src/protocol/run-event.ts';
import { start, type InProcessOptions } from '../../src/runtime/in-process/start.ts';
import type { RunHandle, RunOutcome } from '../../src/runtime/run.ts';
import { rehearse } from '../../src/testing/rehearsal.ts';
import { parseRehearsedFault } from '../../src/testing/rehearsed-fault.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

export const MINUTES_8 = 480_000;
export const NOTHING_LEFT = { actors: [], unstarted: [], timers: 0, signals: [] };

/** What a node at `path` says by default. */
export const draft = (path: string, over: Partial<FindingDraft> = {}): FindingDraft => ({
  key: 'said',
  statement: `Said by ${path}`,
  stance: 0.5,
  confidence: 0.8,
  ...over,
});
export const CRITICAL = { critical: { rule: 'alarm', reason: 'it rings' } } as const;
export const never = (): Promise<never> => new Promise(() => {});

type TreeSpec = { leaf?: Partial<LeafSpec>; domain?: Partial<DomainSpec>; scenario?: Partial<ScenarioSpec> };
/** A scenario by widths: `[3, 5]` is a root over the domains d0 … d2, each over the leaves l0 … l4. */
export function tree(widths: readonly number[], { leaf, domain, scenario }: TreeSpec = {}): Scenario {
  const childrenAt = (depth: number): Child[] =>
    Array.from({ length: widths[depth] ?? 0 }, (_, i) =>
      depth === widths.length - 1
        ? defineLeaf({ name: `l${i}`, run: ({ task }) => draft(task.path), ...leaf })
        : defineDomain({ name: `d${i}`, charter: `domain ${i}`, children: childrenAt(depth + 1), ...domain }),
    );
  return defineScenario({
    name: 'tree',
    thesis: 'It holds',
    domains: childrenAt(0),
    limits: { maxDepth: widths.length },
    ...scenario,
  });
}

/** Steps in place of the scenario's own, or a function of these. */
export type Script = Partial<Activities> | ((own: Activities) => Partial<Activities>);
export type WorldOptions = Omit<InProcessOptions, 'clock' | 'activities'> & {
  /** As on the command line: `root/d0:plan=hang`. */
  faults?: readonly string[];
  clock?: VirtualClock;
};
type Tracked = { who: string; signal: AbortSignal; isSettled: boolean };
type Live = AnyActorRef & { _processingStatus: 0 | 1 | 2 };

export type World = ReturnType<typeof world>;
export function world(shape: readonly number[] | Scenario, script: Script = {}, options: WorldOptions = {}) {
  const { faults, clock = new VirtualClock(), ...rest } = options;
  const scenario = 'kind' in shape ? shape : tree(shape);
  const actors = new Set<AnyActorRef>();
  const events: RunEvent[] = [];
  const signals: Tracked[] = [];
  const calls: string[] = [];
  let peak = 0;
  const rehearsed = faults && rehearse(faults.map(parseRehearsedFault), clock);

  const unsettled = (step: string): string[] =>
    signals.flatMap(({ who, isSettled, signal }) =>
      isSettled || signal.aborted || !who.startsWith(step) ? [] : [who],
    );
  const track = async <T>(who: string, io: Io, step: () => Promise<T>): Promise<T> => {
    const entry = { who, signal: io.abortSignal, isSettled: false };
    signals.push(entry);
    calls.push(who);
    peak = Math.max(peak, unsettled('attempt').length);
    try {
      return await step();
    } finally {
      entry.isSettled = true;
    }
  };
  const activities = (own: Activities): Activities => {
    const scripted = { ...own, ...(typeof script === 'function' ? script(own) : script) };
    const steps = rehearsed?.activities(scripted) ?? scripted;
    return {
      ...steps,
      plan: (input, io) => track(`plan ${input.task.path}`, io, () => steps.plan(input, io)),
      synthesize: (input, io) => track(`synthesize ${input.task.path}`, io, () => steps.synthesize(input, io)),
      attempt: (input, io) => track(`attempt ${input.task.path}`, io, () => steps.attempt(input, io)),
    };
  };
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.actor') actors.add(event.actorRef as AnyActorRef);
    if (typeof rest.inspect === 'function') rest.inspect(event);
  };
  const withStatus = (status: Live['_processingStatus']): string[] =>
    [...actors].filter((actor) => (actor as Live)._processingStatus === status).map((actor) => actor.id);

  const startRun = (more: InProcessOptions = {}): RunHandle =>
    start(scenario, {
      runId: 'run',
      ...rest,
      ...(rehearsed && { rehearsal: rehearsed.rehearsal }),
      ...more,
      clock,
      activities,
      inspect,
      onEvent(event) {
        events.push(event);
        return rest.onEvent?.(event);
      },
    });
  return {
    clock,
    scenario,
    events,
    actors,
    signals,
    calls,
    start: startRun,
    /** Starts, and lets time pass until the brief is there. */
    run: (more?: InProcessOptions): Promise<RunOutcome> => clock.run(startRun(more).result),
    /** What is still alive: nothing once a run has ended, however it ended. */
    leftovers: () => ({
      actors: withStatus(1),
      unstarted: withStatus(0),
      timers: clock.pending,
      signals: unsettled(''),
    }),
    /** How many attempts were at work at once, at most. */
    peakOfAttempts: () => peak,
    eventsOf: <Type extends RunEventType>(type: Type) =>
      events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type),
    /** How the node at `path` ended; it must have ended exactly once. */
    endOf(path: string): Report | FailureToken {
      const ends = endsOf(events).filter((end) => end.path === path);
      if (ends.length !== 1) throw new Error(`${path} ended ${ends.length} times`);
      return ends[0] as Report | FailureToken;
    },
  };
}

/** Every end of a node, in order. */
export const endsOf = (events: readonly RunEvent[]): (Report | FailureToken)[] =>
  events.flatMap((event): (Report | FailureToken)[] => {
    if (event.type === 'node.reported') return [event.report];
    return event.type === 'node.failed' ? [event.token] : [];
  });

export const reportOf = (outcome: Report | FailureToken): Report => {
  if (outcome.kind !== 'report') throw new Error(`${outcome.path} failed: ${outcome.status} ${outcome.message}`);
  return outcome;
};
export const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
