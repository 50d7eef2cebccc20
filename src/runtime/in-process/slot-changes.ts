/** Says how limits change, a few times a second at most: of changes that come faster the last of each pool. */
import type { RunEventBody } from '../../protocol/run-event.ts';

export type SlotsChange = Pick<Extract<RunEventBody, { type: 'slots.changed' }>, 'pool' | 'limit' | 'why'>;

const APART_MS = 250;

export function slotChanges(say: (change: SlotsChange) => void): {
  note(change: SlotsChange, now: number): void;
  /** Says what is due. Without a timer: whoever moves anything calls it. */
  flush(now: number): void;
} {
  const unsaid = new Map<string, SlotsChange>();
  let saidAt = -Infinity;
  const flush = (now: number): void => {
    if (unsaid.size === 0 || now < saidAt + APART_MS) return;
    saidAt = now;
    for (const [pool, change] of unsaid) {
      unsaid.delete(pool);
      return say(change);
    }
  };
  return {
    note(change, now) {
      unsaid.delete(change.pool);
      unsaid.set(change.pool, change);
      flush(now);
    },
    flush,
  };
}
