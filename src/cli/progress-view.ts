import type { RunEvent } from '../protocol/run-event.ts';

/** Shows a run while it runs. */
export type ProgressView = {
  show(event: RunEvent): void;
  /** A word from the command itself, such as that it was interrupted. */
  say(text: string): void;
  /** Leaves the terminal as it was found. Idempotent. */
  close(): void;
};
