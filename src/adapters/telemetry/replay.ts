/**
 * The trace of a run that is told again from its events: the one that was sent while it ran, had anybody listened.
 *  1. The same events give the same spans, with the ids that the run's spans had wherever those are derived.
 *  2. No SDK and no global provider is asked or told.
 */
import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import type { Tier } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { HOST_VERSION } from '../../version.ts';
import { SCOPE } from './names.ts';
import { openRunSpans, type RunSpans } from './run-spans.ts';
import { derivedSpanIds } from './span-ids.ts';
import { recordSpans, type RecordedSpan } from './span-recorder.ts';

export type ReplayOptions = {
  /** The `service.name` of the spans of each tier. */
  serviceOf: (tier: Tier) => string;
  /** When a run that has not ended was last known to go on, in epoch ms: what it left open ends then. */
  until?: number;
};

/** All in one trace, with a root span for each part of a run that was resumed. */
export function replaySpans(events: Iterable<RunEvent>, { serviceOf, until = 0 }: ReplayOptions): RecordedSpan[] {
  const ids = derivedSpanIds();
  const recorder = recordSpans(ids);
  const tracerOf = (tier: Tier): Tracer => recorder.providerOf(serviceOf(tier)).getTracer(SCOPE, HOST_VERSION);
  let part: RunSpans | undefined;
  let lastAt = 0;
  for (const event of events) {
    if (event.type === 'run.started') {
      part?.abandon(lastAt);
      part = openRunSpans({ tracerOf, ids, capturesContent: false }, event, ROOT_CONTEXT);
    } else part?.apply(event);
    lastAt = event.at;
  }
  part?.abandon(Math.max(lastAt, until));
  return recorder.spans;
}
