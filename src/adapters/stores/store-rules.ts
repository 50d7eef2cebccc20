/** What every store refuses in the same words, and how much it remembers. */
import { hash } from 'node:crypto';
import { EspalierError } from '../../errors.ts';
import type { StoredEvent } from '../../ports/store.ts';

/** Of durations, and of helpful enrichments, for each path of a scenario: the latest. */
export const REMEMBERED = 50;

export const unknownRun = (runId: string, store: string): EspalierError =>
  new EspalierError('unknown-run', `There is no run ${runId} in ${store}. Check its id, and which store is asked.`);

export const runExists = (runId: string, store: string): EspalierError =>
  new EspalierError('invalid-input', `There is a run ${runId} in ${store} already. Choose another id, or resume it.`);

export const claimLost = (runId: string): EspalierError =>
  new EspalierError(
    'claim-lost',
    `Run ${runId} is not this process's any more: its claim was given back or taken over. Nothing was written. Claim it again when nobody else works on it.`,
  );

/**
 * A log has no holes and nothing twice.
 * @throws EspalierError `host-fault`
 */
export function checkOrder(runId: string, events: readonly StoredEvent[], count: number): void {
  const misplaced = events.find(({ seq }, i) => seq !== count + i);
  if (!misplaced) return;
  throw new EspalierError(
    'host-fault',
    `Run ${runId} has ${count} events, and event ${misplaced.seq} does not follow on them. Nothing was written. This is a fault of the program that records the run: report it.`,
  );
}

/** @throws EspalierError `invalid-input` */
export function checkBytes(sha256: string, bytes: Uint8Array): void {
  const actual = hash('sha256', bytes, 'hex');
  if (actual === sha256) return;
  throw new EspalierError(
    'invalid-input',
    `These ${bytes.length} bytes are to be kept under ${sha256}, but their SHA-256 is ${actual}. Keep them under that.`,
  );
}
