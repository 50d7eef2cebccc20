/** Waits for code of an author's own, so long that what to do without its answer can still be done in time. */
import type { Clock } from '../ports/clock.ts';

/** What a step may wait of the time that it has. */
const SHARE = 0.75;

export type Answer<T> = { given: T } | { fault: unknown };

type Patience = { clock: Clock | undefined; deadline: number; abortSignal: AbortSignal };

/** What `ask` gives, or why it gave nothing: also when it takes too long, and is told so. Never rejects. */
export async function patiently<T>(
  ask: (abortSignal: AbortSignal) => T | Promise<T>,
  { clock, deadline, abortSignal }: Patience,
): Promise<Answer<T>> {
  const over = new AbortController();
  let timer: unknown;
  try {
    const answer = ask(AbortSignal.any([abortSignal, over.signal]));
    if (!clock || !(answer instanceof Promise)) return { given: await answer };
    const ms = Math.max(0, deadline - clock.now()) * SHARE;
    const tooLate = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error('no answer in time')), ms);
    });
    return { given: await Promise.race([answer, tooLate]) };
  } catch (fault) {
    over.abort(fault);
    return { fault };
  } finally {
    clock?.clearTimeout(timer);
  }
}
