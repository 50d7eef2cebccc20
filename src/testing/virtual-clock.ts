/** Time for tests: stands still until nothing is left to do, then jumps to the next timer. */
import TinyQueue from 'tinyqueue';
import { sleepOn } from '../activities/sleep.ts';
import type { Clock } from '../ports/clock.ts';

type Timer = { due: number; order: number; callback: () => void; isLive: boolean };

/**
 * A clock that an 8-minute run passes through in milliseconds. Give it as `clock` of `run` or `start`; embedding the
 * tree in a machine of your own, give it as XState's `clock` too.
 * @example
 * const clock = new VirtualClock();
 * const outcome = await clock.run(run(scenario, { clock }));
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #pending = 0;
  readonly #timers = new TinyQueue<Timer>([], (a, b) => a.due - b.due || a.order - b.order);

  /** @param now where time starts, in epoch ms */
  constructor(now = 0) {
    this.#now = now;
  }
  now = (): number => this.#now;
  /** Timers that are set and neither fired nor cleared. */
  get pending(): number {
    return this.#pending;
  }
  setTimeout = (callback: () => void, ms: number): unknown => {
    const timer: Timer = { due: this.#now + Math.max(0, ms), order: this.#order++, callback, isLive: true };
    this.#timers.push(timer);
    this.#pending++;
    return timer;
  };
  clearTimeout = (timer: unknown): void => {
    const known = timer as Timer | undefined;
    if (!known?.isLive) return;
    known.isLive = false;
    this.#pending--;
  };
  /** Resolves when `ms` have passed on this clock. Rejects, and leaves no timer, when the signal aborts before. */
  sleep = (ms: number, abortSignal?: AbortSignal): Promise<void> => sleepOn(this, ms, abortSignal);

  /** Fires timers in order until `promise` settles. Rejects when it cannot: nothing is scheduled any more. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      await idle();
      if (isSettled) return promise;
      if (!this.#fireNext()) {
        throw new Error(`Nothing is scheduled at ${this.#now} ms, and the promise is still pending.`);
      }
    }
  }
  /** Lets `ms` pass, firing what falls due. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (await idle(); ; await idle()) {
      const next = this.#peek();
      if (!next || next.due > until) break;
      this.#fireNext();
    }
    this.#now = until;
  }

  #peek(): Timer | undefined {
    for (;;) {
      const next = this.#timers.peek();
      if (!next || next.isLive) return next;
      this.#timers.pop();
    }
  }
  /**
   * All timers of one instant fire before anyone else runs, as in Node's timer phase; those that they set for the
   * same instant fire after it.
   */
  #fireNext(): boolean {
    const next = this.#peek();
    if (!next) return false;
    this.#now = next.due;
    const last = this.#order;
    for (let timer = this.#peek(); timer && timer.due === next.due && timer.order < last; timer = this.#peek()) {
      this.clearTimeout(timer);
      timer.callback();
    }
    return true;
  }
}

const idle = (): Promise<void> => new Promise((done) => setImmediate(done));
