import type { Fault } from '../protocol/fault.ts';

const BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 30_000;

/**
 * How long to wait, in ms. Full jitter: those that were refused together do not come back together. No sooner than the
 * fault asks for. `random`: 0 … 1.
 */
export const backOffMs = (before: number, { retryAfterMs = 0 }: Fault, random: number): number =>
  retryAfterMs + Math.round(random * Math.min(LONGEST_BACK_OFF_MS, BACK_OFF_MS * 2 ** before));
