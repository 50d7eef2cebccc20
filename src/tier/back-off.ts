import type { Fault } from '../protocol/fault.ts';

const BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 30_000;
const SECOND = 1_000;

/**
 * How long to wait, in ms. Full jitter: those that were refused together do not come back together. No sooner than the
 * fault asks for. `random`: 0 … 1.
 */
export const backOffMs = (before: number, { retryAfterMs = 0 }: Fault, random: number): number =>
  retryAfterMs + Math.round(random * Math.min(LONGEST_BACK_OFF_MS, BACK_OFF_MS * 2 ** before));

/** The end of whoever is told to wait for longer than there is time: to wait in vain would only hold up its parent. */
export function outlasting(fault: Fault, leftMs: number): Fault | undefined {
  const { retryAfterMs = 0, message } = fault;
  if (retryAfterMs === 0 || retryAfterMs < leftMs) return undefined;
  const seconds = (ms: number): number => Math.ceil(Math.max(0, ms) / SECOND);
  return {
    ...fault,
    message: `${message}; it is to wait ${seconds(retryAfterMs)} s, and ${seconds(leftMs)} s are left`,
  };
}
