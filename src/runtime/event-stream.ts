/** Stamps a run's events and hands them to whoever listens. Consumers never block the run: they are buffered for. */
import type { Clock } from '../ports/clock.ts';
import type { RunEvent, RunEventBody } from '../protocol/run-event.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';

export type EventStream = {
  /** Never throws. Ignored after `close`. */
  emit(event: RunEventBody): void;
  close(): void;
  /** Each iteration is a consumer of its own, from the moment it starts. */
  readonly events: AsyncIterable<RunEvent>;
};

type Consumer = { buffer: RunEvent[]; wake: (() => void) | undefined };

export function createEventStream(runId: string, clock: Clock, onEvent?: (event: RunEvent) => void): EventStream {
  const consumers = new Set<Consumer>();
  let seq = 0;
  let isClosed = false;
  const wakeAll = (): void => {
    for (const consumer of consumers) {
      consumer.wake?.();
      consumer.wake = undefined;
    }
  };
  return {
    emit(body) {
      if (isClosed || (consumers.size === 0 && !onEvent)) {
        seq++;
        return;
      }
      const event: RunEvent = { v: SCHEMA_VERSION, runId, seq: seq++, at: clock.now(), ...body };
      try {
        onEvent?.(event);
      } catch {
        // a listener's fault is not the run's
      }
      for (const consumer of consumers) consumer.buffer.push(event);
      wakeAll();
    },
    close() {
      isClosed = true;
      wakeAll();
    },
    events: {
      [Symbol.asyncIterator]() {
        const consumer: Consumer = { buffer: [], wake: undefined };
        let next = 0;
        consumers.add(consumer);
        return {
          async next() {
            for (;;) {
              const event = consumer.buffer[next];
              if (event) {
                next++;
                if (next === consumer.buffer.length) consumer.buffer.length = next = 0;
                return { done: false, value: event };
              }
              if (isClosed) {
                consumers.delete(consumer);
                return { done: true, value: undefined };
              }
              await new Promise<void>((wake) => (consumer.wake = wake));
            }
          },
          async return() {
            consumers.delete(consumer);
            return { done: true, value: undefined };
          },
        };
      },
    },
  };
}
