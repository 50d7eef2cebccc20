/**
 * Loads of sources, within the pools of their hosts. A leaf that waits for a load keeps its own slot. That cannot end
 * in a circle: a load waits for nothing else once it has its place, and no leaf is in a pool of loads.
 */
import { shown } from '../define/check.ts';
import { EspalierError } from '../errors.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import { SOURCE_POOL, type Slot, type Slots } from '../ports/slots.ts';
import type { Fault } from '../protocol/fault.ts';
import { errorOf, faultOf } from '../tier/fault.ts';

/** The adapter, with loads that wait for a place in their pool and tell it how they went. */
export function withinPools(adapter: SourceAdapter, slots: Slots): SourceAdapter {
  if (!adapter.poolOf) return adapter;
  return {
    async load(id, { abortSignal }) {
      const pool = poolOf(adapter, id);
      if (pool === undefined) return adapter.load(id, { abortSignal });
      const { slot, lost } = await placeIn(pool, slots, abortSignal);
      try {
        const over = AbortSignal.any([abortSignal, lost.signal]);
        // A load that is deaf to its signal must not keep its place.
        const record = await Promise.race([adapter.load(id, { abortSignal: over }), rejectionOf(over)]);
        slot.release('well');
        return record;
      } catch (error) {
        const fault = faultOf(error);
        slot.release(fault);
        if (fault.diagnosis !== 'rate-limited' || fault.pool !== undefined) throw error;
        throw Object.assign(errorOf({ ...fault, pool }), { cause: error });
      }
    },
  };
}

function poolOf(adapter: SourceAdapter, id: string): string | undefined {
  const pool: unknown = adapter.poolOf?.(id);
  if (pool === undefined || (typeof pool === 'string' && pool.startsWith(SOURCE_POOL))) return pool;
  throw new EspalierError(
    'invalid-data',
    `The pool of the source "${id}" is ${shown(pool)}, says its adapter. Begin the name with "${SOURCE_POOL}".`,
  );
}

const REVOKED: Fault = {
  status: 'timeout',
  message: 'a source held its place too long while others waited',
  diagnosis: 'transient',
};

/** `lost` aborts when the place is taken back. Rejects when `abortSignal` aborts before there is one. */
function placeIn(pool: string, slots: Slots, abortSignal: AbortSignal): Promise<{ slot: Slot; lost: AbortController }> {
  const lost = new AbortController();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      slot.release();
      reject(abortSignal.reason as Error);
    };
    const slot = slots.request({
      estimateMs: 0,
      pools: [pool],
      isLoad: true,
      granted() {
        abortSignal.removeEventListener('abort', giveUp);
        resolve({ slot, lost });
      },
      revoked: () => lost.abort(errorOf(REVOKED)),
    });
    if (abortSignal.aborted) giveUp();
    else abortSignal.addEventListener('abort', giveUp, { once: true });
  });
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
