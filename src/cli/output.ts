/**
 * The command's two streams: results on stdout, everything else on stderr.
 *  1. A reader that goes away (`| head`) ends nothing but the writing.
 *  2. The process ends only when both streams have passed on what was written to them.
 */
import { Console } from 'node:console';
import { EXIT } from './exit-code.ts';
import { reasonOf } from './misuse.ts';

export type Output = {
  result(content: string | Uint8Array): void;
  note(text: string): void;
  /** Ends the process once everything is written; with 1 when stdout could not take it. */
  exit(code: number): Promise<void>;
};

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((done) => {
    // Also when nothing is buffered: a failed write is only told of in a later turn.
    if (stream.destroyed) setImmediate(done);
    else stream.write('', () => setImmediate(done));
  });

/** Takes charge of stdout and stderr. */
export function openOutput(): Output {
  let problem: string | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') problem ??= reasonOf(error);
  });
  // With nobody left to tell, there is nothing to say.
  process.stderr.on('error', () => {});
  // What a scenario logs must not get between the lines of a result.
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });
  return {
    result(content) {
      if (!process.stdout.destroyed) process.stdout.write(content);
    },
    note(text) {
      if (!process.stderr.destroyed) process.stderr.write(`${text}\n`);
    },
    async exit(code) {
      await flushed(process.stdout);
      if (problem !== undefined) this.note(`espalier: stdout could not be written: ${problem}. Redirect it elsewhere.`);
      await flushed(process.stderr);
      process.exit(problem === undefined ? code : EXIT.failed);
    },
  };
}
