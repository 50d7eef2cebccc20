/** What came of a step of an attempt, as its leaf is told. */
import { faultOf } from './fault.ts';
import type { LeafEvent } from './leaf-logic.ts';

export const failedEvent = (error: unknown, isHedge = false): LeafEvent => ({
  type: 'failed',
  fault: faultOf(error),
  isHedge,
});
/** The event, or the failure of making it. */
export function eventOr(make: () => LeafEvent, isHedge: boolean): LeafEvent {
  try {
    return make();
  } catch (error) {
    return failedEvent(error, isHedge);
  }
}

/** An author's step that throws at once fails like one that rejects. */
export function guarded<Answer>(start: () => Promise<Answer> | undefined): Promise<Answer> | undefined {
  try {
    return start();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A plain `true` or `false` is understood too: scenarios in JavaScript have no types to tell them. */
export function verdictEvent(given: { ok: boolean; why?: string } | boolean | undefined, isHedge: boolean): LeafEvent {
  const verdict = typeof given === 'boolean' ? { ok: given, why: undefined } : given;
  if (verdict?.ok === true) return { type: 'verified' };
  return {
    type: 'failed',
    fault: {
      status: 'invalid',
      message: `not verified: ${verdict?.why ?? 'no reason given'}`,
      diagnosis: 'failed-check',
    },
    isHedge,
  };
}
