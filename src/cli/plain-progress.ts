/** Progress where nobody watches a terminal: one line per event that matters, with the time since the start. */
import type { ProgressView } from './progress-view.ts';
import { lineOf } from './event-line.ts';

export function plainProgress(stream: NodeJS.WritableStream): ProgressView {
  let startedAt: number | undefined;
  return {
    show(event) {
      startedAt ??= event.at;
      const line = lineOf(event);
      if (!line) return;
      const seconds = ((event.at - startedAt) / 1_000).toFixed(2);
      stream.write(`${seconds.padStart(7)} s  ${line.text}\n`);
    },
    say(text) {
      stream.write(`${text}\n`);
    },
    close() {},
  };
}
