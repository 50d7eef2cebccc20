import type { SeriesRecord } from '../protocol/series.ts';

/** Where series come from. `load` rejects with an `EspalierError` (`unknown-source`, `invalid-data`). */
export type SourceAdapter = {
  load(id: string, io: { abortSignal: AbortSignal }): Promise<SeriesRecord>;
  /** The pool that a load of this series is in, such as `source:api.example.org`. Default: none, loads are not capped. */
  poolOf?(id: string): string | undefined;
};
