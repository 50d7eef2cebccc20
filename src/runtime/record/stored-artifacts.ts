/**
 * The big outputs of a stored run.
 *  1. What the store cannot take, the run keeps for itself: a full disk must not fail a leaf.
 *  2. It is offered again as soon as the store takes a batch: a lock must not cost the record an output.
 */
import type { Artifacts } from '../../ports/artifacts.ts';
import type { RunWriter, Store } from '../../ports/store.ts';

/** `writer`: to be written with in place of the one given. */
export function storedArtifacts(
  store: Store,
  runId: string,
  writer: RunWriter,
): { artifacts: Artifacts; writer: RunWriter } {
  const untaken = new Map<string, Uint8Array>();
  const offer = (sha256: string, bytes: Uint8Array): boolean => {
    try {
      writer.keep(sha256, bytes);
      return true;
    } catch {
      return false; // why, whoever writes what is said next is told
    }
  };
  const offerAgain = (): void => {
    for (const [sha256, bytes] of untaken) {
      if (!offer(sha256, bytes)) return;
      untaken.delete(sha256);
    }
  };
  return {
    artifacts: {
      keep(sha256, bytes) {
        if (!offer(sha256, bytes)) untaken.set(sha256, bytes);
      },
      bytes: (sha256) => untaken.get(sha256) ?? store.bytes(runId, sha256),
    },
    writer: {
      renew: () => writer.renew(),
      write(batch) {
        writer.write(batch);
        offerAgain();
      },
      keep: (sha256, bytes) => writer.keep(sha256, bytes),
      release: () => writer.release(),
    },
  };
}
