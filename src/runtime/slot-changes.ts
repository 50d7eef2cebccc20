/** Says how limits change, four times a second at most: of changes that come faster the last of each pool. */
import type { RunEventBody } from '../protocol/run-event.ts';

export type SlotsChange = Pick<Extract<RunEventBody, { type: 'slots.changed' }>, 'pool' | 'limit' | 'why'>;

const WINDOW_MS = 1_000;
const MOST = 4;

export function slotChanges(say: (change: SlotsChange) => void): {
  note(change: SlotsChange, now: number): void;
  /** Says what is due. Without a timer: whoever moves anything calls it. */
  flush(now: number): void;
} {
  const unsaid = new Map<string, SlotsChange>();
  let opened = -Infinity;
  let said = 0;
  const flush = (now: number): void => {
    if (unsaid.size === 0) return;
    if (now >= opened + WINDOW_MS) [opened, said] = [now, 0];
    for (const [pool, change] of unsaid) {
      if (said === MOST) return;
      said++;
      unsaid.delete(pool);
      say(change);
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
