/**
 * Loads of one source, shared by everybody in a run who reads it.
 *
 * 1. One reader's abort never disturbs another's load; when nobody waits any more the load itself is aborted.
 * 2. A load that failed or was abandoned is forgotten: the next reader starts anew.
 */
import type { SeriesRecord } from '../protocol/series.ts';

/** The loads of one run, by source id. Give the same map to every reader of the run. */
export type SeriesCache = Map<string, Promise<SeriesRecord>>;

type Running = { readonly abort: AbortController; waiting: number };
/** The loads that have not ended. Apart from the cache, so that a cache is a plain map of promises. */
const running = new WeakMap<Promise<SeriesRecord>, Running>();

/** Joins the load of `id`, or starts it. Rejects with a signal's reason as soon as one of `signals` aborts. */
export function sharedLoad(
  cache: SeriesCache,
  id: string,
  signals: readonly AbortSignal[],
  load: (abortSignal: AbortSignal) => Promise<SeriesRecord>,
): Promise<SeriesRecord> {
  let record = cache.get(id);
  if (!record) {
    const abort = new AbortController();
    const started = load(abort.signal);
    record = started;
    cache.set(id, started);
    running.set(started, { abort, waiting: 0 });
    started.then(
      () => running.delete(started),
      () => forget(cache, id, started),
    );
  }
  return join(cache, id, record, signals);
}

function join(
  cache: SeriesCache,
  id: string,
  record: Promise<SeriesRecord>,
  signals: readonly AbortSignal[],
): Promise<SeriesRecord> {
  const load = running.get(record);
  if (!load) return record;
  load.waiting++;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      if (!leave()) return;
      reject(signals.find((signal) => signal.aborted)?.reason);
      if (load.waiting > 0 || !running.has(record)) return;
      forget(cache, id, record);
      load.abort.abort();
    };
    let waits = true;
    const leave = (): boolean => {
      if (!waits) return false;
      waits = false;
      load.waiting--;
      for (const signal of signals) signal.removeEventListener('abort', giveUp);
      return true;
    };
    for (const signal of signals) signal.addEventListener('abort', giveUp);
    record.then(
      (value) => leave() && resolve(value),
      (error: unknown) => leave() && reject(error),
    );
  });
}

function forget(cache: SeriesCache, id: string, record: Promise<SeriesRecord>): void {
  running.delete(record);
  if (cache.get(id) === record) cache.delete(id);
}
