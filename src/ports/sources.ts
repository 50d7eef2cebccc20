import type { SeriesRecord } from '../protocol/series.ts';

/** Where series come from. `load` rejects with an `EspalierError` (`unknown-source`, `invalid-data`). */
export type SourceAdapter = {
  load(id: string, io: { abortSignal: AbortSignal }): Promise<SeriesRecord>;
};
