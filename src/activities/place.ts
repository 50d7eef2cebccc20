/** A place in a pool for work that somebody waits for who has a slot, or needs none: a load, or a call of a model. */
import type { Slot, Slots } from '../ports/slots.ts';
import type { Fault } from '../protocol/fault.ts';
import { errorOf } from '../tier/fault.ts';

export type Place = {
  readonly slot: Slot;
  /** Aborts when the place is taken back. */
  readonly lost: AbortSignal;
};

type Wanted = {
  pool: string;
  /** What a fault calls the work. */
  who: string;
  estimateMs: number | undefined;
};

/** Rejects when `abortSignal` aborts before there is one. */
export function placeIn({ pool, who, estimateMs }: Wanted, slots: Slots, abortSignal: AbortSignal): Promise<Place> {
  const lost = new AbortController();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      slot.release();
      reject(abortSignal.reason as Error);
    };
    const slot = slots.request({
      estimateMs,
      pools: [pool],
      isBesideTotal: true,
      granted() {
        abortSignal.removeEventListener('abort', giveUp);
        resolve({ slot, lost: lost.signal });
      },
      revoked: () => lost.abort(errorOf(revoked(who))),
    });
    if (abortSignal.aborted) giveUp();
    else abortSignal.addEventListener('abort', giveUp, { once: true });
  });
}

const revoked = (who: string): Fault => ({
  status: 'timeout',
  message: `${who} held its place too long while others waited`,
  diagnosis: 'transient',
});

/** Whatever `work` gives, unless the signal aborts before: what is deaf to its signal is not waited for. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
