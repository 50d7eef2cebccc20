/** Progress where nobody watches a terminal: one line per event that matters, with the time since the start. */
import type { RunEvent } from '../protocol/run-event.ts';
import { convictionLine, moved, standingIn, type Movement } from './conviction-line.ts';
import type { ProgressView } from './progress-view.ts';
import { lineOf } from './event-line.ts';

/** By how much conviction has to move to be worth a line. */
const LEAST_MOVE = 5;

export function plainProgress(stream: NodeJS.WritableStream): ProgressView {
  let startedAt: number | undefined;
  /** The conviction that was said last. */
  let said: Movement | undefined;
  const movement = (event: RunEvent): string | undefined => {
    const standing = event.type === 'synthesis.interim' ? standingIn(event) : undefined;
    if (!standing || (said && Math.abs(standing.conviction - said.conviction) < LEAST_MOVE)) return undefined;
    said = moved(said, standing);
    return convictionLine(said);
  };
  return {
    show(event) {
      startedAt ??= event.at;
      const text = movement(event) ?? lineOf(event)?.text;
      if (text === undefined) return;
      const seconds = ((event.at - startedAt) / 1_000).toFixed(2);
      stream.write(`${seconds.padStart(7)} s  ${text}\n`);
    },
    say(text) {
      stream.write(`${text}\n`);
    },
    close() {},
  };
}
