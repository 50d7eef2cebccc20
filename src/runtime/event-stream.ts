/**
 * Stamps a run's events and hands them to whoever listens. Consumers never block the run: they are buffered for.
 *  1. Every consumer, and the listener, gets the events in order of `seq`, also those that a listener causes.
 *  2. A listener's fault, thrown or rejected, is not the run's.
 *  3. After `close` or its own `return` a consumer ends; no `next` stays pending.
 */
import type { Clock } from '../ports/clock.ts';
import type { RunEvent, RunEventBody } from '../protocol/run-event.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';

export type EventStream = {
  /** Never throws. Ignored after `close`. `at`: when it happened, if not now. */
  readonly emit: (event: RunEventBody, at?: number) => void;
  /** From the next event on, this one in place of the listener before; nobody, when it is undefined. */
  listen(listener: ((event: RunEvent) => void) | undefined): void;
  close(): void;
  /** Each iteration is a consumer of its own, from the moment it starts. */
  readonly events: AsyncIterable<RunEvent>;
};

type Result = IteratorResult<RunEvent, undefined>;
const END: Result = { done: true, value: undefined };

class Consumer implements AsyncIterator<RunEvent, undefined> {
  readonly #buffer: RunEvent[] = [];
  readonly #waiting: ((result: Result) => void)[] = [];
  readonly #leave: (consumer: Consumer) => void;
  #taken = 0;
  #hasEnded = false;

  constructor(leave: (consumer: Consumer) => void) {
    this.#leave = leave;
  }
  push(event: RunEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ done: false, value: event });
    else this.#buffer.push(event);
  }
  /** What is buffered can still be taken. */
  end(): void {
    this.#hasEnded = true;
    for (const waiting of this.#waiting.splice(0)) waiting(END);
  }
  next = (): Promise<Result> => {
    const value = this.#buffer[this.#taken];
    if (value) {
      this.#taken++;
      if (this.#taken === this.#buffer.length) this.#buffer.length = this.#taken = 0;
      return Promise.resolve({ done: false, value });
    }
    if (this.#hasEnded) return Promise.resolve(END);
    return new Promise((resolve) => void this.#waiting.push(resolve));
  };
  return = (): Promise<Result> => {
    this.#leave(this);
    this.#buffer.length = this.#taken = 0;
    this.end();
    return Promise.resolve(END);
  };
}

/** `from`: the number of the first event; a resumed run counts on. */
export function createEventStream(
  runId: string,
  clock: Clock,
  onEvent?: (event: RunEvent) => void,
  from = 0,
): EventStream {
  const consumers = new Set<Consumer>();
  let listener = onEvent;
  let seq = from;
  let isClosed = false;
  // What a listener causes is told when everybody has been told of what caused it.
  const untold: RunEvent[] = [];
  const tell = (event: RunEvent): void => {
    if (untold.push(event) > 1) return;
    for (let next: RunEvent | undefined = event; next; next = untold[0]) {
      try {
        const answer: unknown = listener?.(next);
        if (answer instanceof Promise) answer.catch(() => {});
      } catch {
        // a listener's fault is not the run's
      }
      untold.shift();
    }
  };
  return {
    emit(body, at) {
      if (isClosed || (consumers.size === 0 && !listener)) {
        seq++;
        return;
      }
      const event: RunEvent = { v: SCHEMA_VERSION, runId, seq: seq++, at: at ?? clock.now(), ...body };
      for (const consumer of consumers) consumer.push(event); // before the listener, who may cause the next one
      tell(event);
    },
    listen(next) {
      listener = next;
    },
    close() {
      isClosed = true;
      for (const consumer of consumers) consumer.end();
      consumers.clear();
    },
    events: {
      [Symbol.asyncIterator]() {
        const consumer = new Consumer((leaving) => consumers.delete(leaving));
        if (isClosed) consumer.end();
        else consumers.add(consumer);
        return consumer;
      },
    },
  };
}
