import type { Clock } from '../ports/clock.ts';

/** What a timer can wait, in ms: with more it goes off at once. A vendor may ask for more, and no deadline is later. */
const LONGEST_MS = 2 ** 31 - 1;

/** The system's time. It never jumps: a change of the wall clock during a run moves no deadline. */
export const systemClock: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  setTimeout: (callback, ms) => setTimeout(callback, Math.max(0, Math.min(ms, LONGEST_MS))),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};
