/** Waits for code of an author's own, so long that what to do without its answer can still be done in time. */
import type { Clock } from '../ports/clock.ts';

/** What a step may wait of the time that it has. */
const SHARE = 0.75;

export type Answer<T> = { given: T } | { fault: unknown };

/** What `ask` gives, or why it gave nothing: also when it takes too long. Never rejects. */
export async function patiently<T>(
  ask: () => T | Promise<T>,
  { clock, deadline }: { clock: Clock | undefined; deadline: number },
): Promise<Answer<T>> {
  let timer: unknown;
  try {
    const answer = ask();
    if (!clock || !(answer instanceof Promise)) return { given: await answer };
    const ms = Math.max(0, deadline - clock.now()) * SHARE;
    const tooLate = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error('no answer in time')), ms);
    });
    return { given: await Promise.race([answer, tooLate]) };
  } catch (fault) {
    return { fault };
  } finally {
    clock?.clearTimeout(timer);
  }
}
