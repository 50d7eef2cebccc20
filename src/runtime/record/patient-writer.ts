/**
 * Writes batches to a store that may be locked or full for a while.
 *  1. What could not be written is kept, in order, and is in the next batch.
 *  2. It is kept for PATIENCE_MS and up to MOST_CHARACTERS of events; then the fault is thrown, and nothing is kept.
 *  3. A claim that is lost is no fault of the store: that is thrown at once.
 */
import { EspalierError } from '../../errors.ts';
import type { Batch, RunWriter } from '../../ports/store.ts';

export type Patience = {
  /** Epoch ms, or any clock in ms. */
  readonly now: () => number;
  forMs: number;
  mostCharacters: number;
};
export const PATIENCE: Patience = { now: () => performance.now(), forMs: 30_000, mostCharacters: 32 * 2 ** 20 };
/** Of what comes last: nobody can wait for the store after that. */
const LAST_TRIES = 10;

export type PatientWriter = {
  /** Whether there is something that the store has not taken. */
  readonly isWaiting: boolean;
  /**
   * Keeps the batch if the store does not take it; the last one of a run is tried several times, and not kept.
   * @throws the fault of a store that has had its time; EspalierError `claim-lost`
   */
  write(batch: Batch, isLast: boolean): void;
};

export function patientWriter(writer: RunWriter, { now, forMs, mostCharacters }: Patience): PatientWriter {
  let kept: Batch | undefined;
  let since = 0;

  const attempt = (batch: Batch): EspalierError | undefined => {
    try {
      writer.write(batch);
      return undefined;
    } catch (error) {
      if (!EspalierError.isInstance(error) || error.code !== 'store-fault') throw error;
      return error;
    }
  };
  return {
    get isWaiting() {
      return kept !== undefined;
    },
    write(given, isLast) {
      const batch = kept ? joined(kept, given) : given;
      let fault = attempt(batch);
      if (isLast) for (let tries = 1; tries < LAST_TRIES && fault !== undefined; tries++) fault = attempt(batch);
      if (fault === undefined) {
        kept = undefined;
        return;
      }
      if (!kept) since = now();
      kept = batch;
      if (!isLast && now() - since < forMs && charactersOf(batch) <= mostCharacters) return;
      kept = undefined;
      throw fault;
    },
  };
}

/** Of a node that is in both, the later is written last. */
const joined = (earlier: Batch, later: Batch): Batch => ({
  events: [...earlier.events, ...later.events],
  nodes: [...earlier.nodes, ...later.nodes],
  durations: [...earlier.durations, ...later.durations],
  enrichments: [...earlier.enrichments, ...later.enrichments],
  ...(later.end && { end: later.end }),
});

const charactersOf = ({ events }: Batch): number => events.reduce((sum, { body }) => sum + body.length, 0);
