import type { Activities } from '../ports/activities.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** A node's own work belongs to its span. */
export function withinSpans(activities: Activities, telemetry: Pick<Telemetry, 'within'> | undefined): Activities {
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
