import type { Fault } from '../protocol/fault.ts';

/**
 * The caps on work in progress of a whole run: one in total, and named pools. Waiting orchestrators hold nothing, and
 * whoever asks for a slot waits until there is room everywhere at once: nobody holds one pool while waiting for another.
 */
export type Slots = {
  /** Asks for a slot. `granted` is called later, never from within; longer estimates go first, unknown ones before. */
  request(ask: SlotRequest): Slot;
  /** What was heard of a pool by the way: a refusal of work that goes on, or what its vendor still allows. */
  hear(pool: string, news: Fault | Allowance): void;
};
/** At most so many more may begin within so many ms. */
export type Allowance = { readonly calls: number; readonly forMs: number };
export type SlotRequest = {
  readonly estimateMs: number | undefined;
  /** The named pools it is in. Default: none; it counts in the total all the same. */
  readonly pools?: readonly string[];
  /**
   * A load of a source, or a call of a model, counts in its pools alone: the leaf that waits for it has a slot already,
   * and a waiting orchestrator needs none.
   */
  readonly isBesideTotal?: true;
  /** It can be done without, as a hedge can: nobody's slot is taken back for it, and no place is kept. */
  readonly isSpare?: true;
  readonly granted: () => void;
  readonly revoked: () => void;
};
export type Slot = {
  /**
   * Gives the slot back, or withdraws the request. Idempotent. `ended`: how the work went, so that its pools learn;
   * left out of work that was broken off.
   */
  release(ended?: 'well' | Fault): void;
};

/** The pool that all leaves of a run are in. */
export const TOTAL = 'total';
/** How the names of pools begin that loads of sources are in. No leaf is in one of these. */
export const SOURCE_POOL = 'source:';
/** How the names of pools begin that calls of models are in, and the leaves that make them. */
export const MODEL_POOL = 'model:';
