import type { Clock } from '../ports/clock.ts';

/** A wait on any clock. Rejects with the signal's reason when it aborts, and clears its timer. */
export function sleepOn(clock: Clock, ms: number, abortSignal?: AbortSignal): Promise<void> {
  return new Promise((wake, reject) => {
    const giveUp = (): void => {
      clock.clearTimeout(timer);
      reject(abortSignal?.reason as Error);
    };
    const timer = clock.setTimeout(() => {
      abortSignal?.removeEventListener('abort', giveUp);
      wake();
    }, ms);
    if (abortSignal?.aborted) giveUp();
    else abortSignal?.addEventListener('abort', giveUp, { once: true });
  });
}
