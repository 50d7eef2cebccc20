/**
 * A lock between processes: a file that one of them has made. Held for moments, while a small file is read and replaced.
 * One that its maker left behind, having died, is taken away after a while.
 */
import { closeSync, openSync, rmSync, statSync } from 'node:fs';

const STALE_MS = 10_000;
const WAIT_MS = 5;
const PATIENCE_MS = 1_000;

/** Does `work` while nobody else does theirs under the same lock. Waits for it, for a second at most, and throws then. */
export function withLock<T>(lock: string, work: () => T): T {
  for (let waited = 0; !taken(lock); waited += WAIT_MS) {
    if (waited >= PATIENCE_MS) throw new Error(`${lock} is held by another process. Remove it if there is none.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function taken(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && Date.now() - made > STALE_MS) rmSync(lock, { force: true });
  return false;
}
