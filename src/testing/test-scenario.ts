import type { Scenario } from '../define/spec.ts';
import type { Activities } from '../ports/activities.ts';
import type { RunEvent, RunEventType } from '../protocol/run-event.ts';
import { start, type InProcessOptions } from '../runtime/in-process/start.ts';
import type { RunOutcome } from '../runtime/run.ts';
import { watchLeftovers, type Leftovers } from './leftovers.ts';
import { plan } from '../runtime/plan.ts';
import { checkRehearsedFaults, rehearse } from './rehearsal.ts';
import { parseRehearsedFault } from './rehearsed-fault.ts';
import { scripted, type Script } from './scripted.ts';
import { VirtualClock } from './virtual-clock.ts';

export type TestOptions = Omit<InProcessOptions, 'clock' | 'activities' | 'rehearsal' | 'inspect'> & {
  /** What nodes do in place of their own code. */
  script?: Script;
  /** How long each attempt takes before its own work begins, in ms of virtual time. Default: no time. */
  latency?: (path: string) => number;
  /** `root/macro=hang`, `root:synthesize=throw` … as on the command line. */
  faults?: readonly string[];
  /** Cancels the run after so many ms. */
  cancelAfterMs?: number;
};
export type TestedRun = RunOutcome & {
  readonly events: readonly RunEvent[];
  eventsOf<Type extends RunEventType>(type: Type): readonly Extract<RunEvent, { type: Type }>[];
  /** Virtual time from start to brief, in ms. */
  readonly elapsedMs: number;
  /** What the run left behind; compare with `NOTHING_LEFT`. */
  readonly leftovers: Leftovers;
};

/**
 * Runs a scenario on virtual time: one of 8 minutes takes milliseconds, and two runs of it the same time.
 * @throws EspalierError `invalid-input` on an option, a script or a fault that the scenario has no place for
 * @example
 * const { brief, eventsOf } = await testScenario(scenario, { latency: () => 20_000, faults: ['root/macro=hang'] });
 * expect(brief.status).toBe('partial');
 * expect(eventsOf('finding.escalated')).toHaveLength(3);
 */
export async function testScenario(scenario: Scenario, options: TestOptions = {}): Promise<TestedRun> {
  const { script, latency, faults = [], cancelAfterMs, onEvent, random = () => 0.5, ...rest } = options;
  const clock = new VirtualClock();
  const watch = watchLeftovers(clock);
  const parsed = faults.map(parseRehearsedFault);
  const tested = script ? scripted(scenario, script) : scenario;
  checkRehearsedFaults(parsed, plan(tested, rest).root);
  const { activities, rehearsal } = rehearse(parsed, clock);
  const events: RunEvent[] = [];
  const handle = start(tested, {
    ...rest,
    clock,
    random,
    rehearsal,
    inspect: watch.inspect,
    activities: (own) => watch.activities(activities(latency ? delayed(own, latency, clock) : own)),
    onEvent(event) {
      events.push(event);
      return onEvent?.(event);
    },
  });
  const timer = cancelAfterMs === undefined ? undefined : clock.setTimeout(() => handle.cancel(), cancelAfterMs);
  const outcome = await clock.run(handle.result);
  clock.clearTimeout(timer);
  return {
    ...outcome,
    events,
    eventsOf: (type) =>
      events.filter((event): event is Extract<RunEvent, { type: typeof type }> => event.type === type),
    elapsedMs: clock.now(),
    leftovers: watch.leftovers(),
  };
}

const delayed = (own: Activities, latency: (path: string) => number, clock: VirtualClock): Activities => ({
  ...own,
  async attempt(input, io) {
    await clock.sleep(latency(input.task.path), io.abortSignal);
    return own.attempt(input, io);
  },
});
