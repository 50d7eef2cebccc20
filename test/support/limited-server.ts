/** A server that allows so many requests at once, and refuses all beyond; and a seeded source of chance. */
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';

/** Mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type LimitedServer = {
  request(abortSignal: AbortSignal): Promise<void>;
  /** When each request was served. */
  readonly served: number[];
  readonly refused: number[];
};
/** `retryAfterMs`: what a refused one is told. Serving takes 50 to 150 ms, refusing 2. */
export function limitedServer(
  clock: VirtualClock,
  { allows, random, retryAfterMs }: { allows: number; random: () => number; retryAfterMs?: number | undefined },
): LimitedServer {
  const served: number[] = [];
  const refused: number[] = [];
  let present = 0;
  return {
    served,
    refused,
    async request(abortSignal) {
      if (present >= allows) {
        await clock.sleep(2, abortSignal);
        refused.push(clock.now());
        const told = retryAfterMs === undefined ? {} : { retryAfterMs };
        throw Object.assign(new Error('429'), { status: 429, ...told });
      }
      present++;
      try {
        await clock.sleep(50 + Math.floor(100 * random()), abortSignal);
        served.push(clock.now());
      } finally {
        present--;
      }
    },
  };
}
