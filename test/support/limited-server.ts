/** A server that allows so many requests at once, and refuses all beyond. */
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';

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
