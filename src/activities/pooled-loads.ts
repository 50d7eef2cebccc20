/**
 * Loads of sources, within the pools of their servers. A leaf that waits for a load keeps its own slot. That cannot end
 * in a circle: a load waits for nothing else once it has its place, and no leaf is in a pool of loads.
 */
import { shown } from '../define/check.ts';
import { EspalierError } from '../errors.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import { SOURCE_POOL, type Slots } from '../ports/slots.ts';
import { errorOf, faultOf } from '../tier/fault.ts';
import { placeIn, unlessAborted } from './place.ts';

/** The adapter, with loads that wait for a place in their pool and tell it how they went. */
export function withinPools(adapter: SourceAdapter, slots: Slots): SourceAdapter {
  if (!adapter.poolOf) return adapter;
  return {
    async load(id, { abortSignal }) {
      const pool = poolOf(adapter, id);
      if (pool === undefined) return adapter.load(id, { abortSignal });
      const { slot, lost } = await placeIn({ pool, who: 'a source', estimateMs: 0 }, slots, abortSignal);
      try {
        const over = AbortSignal.any([abortSignal, lost]);
        // A load that is deaf to its signal must not keep its place.
        const record = await unlessAborted(adapter.load(id, { abortSignal: over }), over);
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
