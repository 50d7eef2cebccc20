/** A host without a run around it, for the logic of single nodes. */
import { createActivities } from '../../src/activities/create-activities.ts';
import { registryOf } from '../../src/activities/registry.ts';
import type { Scenario } from '../../src/define/spec.ts';
import type { Activities } from '../../src/ports/activities.ts';
import type { RunEventBody } from '../../src/protocol/run-event.ts';
import type { Task } from '../../src/protocol/task.ts';
import type { Host } from '../../src/runtime/in-process/host.ts';
import { createRunBudget } from '../../src/runtime/run-budget.ts';
import { createSlots } from '../../src/runtime/slots.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { MINUTES_8 } from './world.ts';

export type BareHost = Host & { clock: VirtualClock; events: RunEventBody[]; attempts: string[] };

export function bareHost(scenario: Scenario, attempt: (path: string, clock: VirtualClock) => Promise<void>): BareHost {
  const clock = new VirtualClock();
  const events: RunEventBody[] = [];
  const attempts: string[] = [];
  const own = createActivities(scenario, { registry: registryOf(scenario, 'It holds') });
  const activities: Activities = {
    ...own,
    attempt: async (input, io) => {
      attempts.push(input.task.path);
      await attempt(input.task.path, clock);
      return own.attempt(input, io);
    },
  };
  return {
    clock,
    events,
    attempts,
    activities,
    slots: createSlots(clock, 10, MINUTES_8),
    random: () => 0.5,
    budget: createRunBudget({}, () => {}),
    emit: (event) => void events.push(event),
    underRoot: [],
    decided: undefined,
    afterthoughts: [],
    isStopped: false,
  };
}

export const rootTask = (depthLeft: number): Task => ({
  runId: 'run',
  path: 'root',
  tier: 'root',
  question: 'It holds',
  charter: '',
  grant: {
    depthLeft,
    issuedAt: 0,
    deadline: MINUTES_8,
    reserveMs: 100,
    budget: {},
    maxChildren: 10,
    sources: [],
    tools: [],
  },
  prior: [],
  enrichments: [],
});
