/**
 * The command's two streams: results on stdout, everything else on stderr.
 *  1. A reader that goes away (`| head`) ends nothing but the writing.
 *  2. The process ends only when both streams have passed on what was written to them.
 */
import { Console } from 'node:console';

export type Output = {
  result(text: string): void;
  note(text: string): void;
  /** Why stdout could not be written, when it is more than a reader that went away. */
  readonly problem: string | undefined;
  /** Ends the process, once everything is written. */
  exit(code: number): Promise<void>;
};

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((done) => {
    if (stream.destroyed || stream.writableLength === 0) done();
    else stream.write('', () => done());
  });

/** Takes charge of stdout and stderr. */
export function openOutput(): Output {
  let problem: string | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') problem ??= error.message;
  });
  // With nobody left to tell, there is nothing to say.
  process.stderr.on('error', () => {});
  // What a scenario logs must not get between the lines of a result.
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });
  return {
    result(text) {
      if (!process.stdout.destroyed) process.stdout.write(text);
    },
    note(text) {
      if (!process.stderr.destroyed) process.stderr.write(`${text}\n`);
    },
    get problem() {
      return problem;
    },
    async exit(code) {
      await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
      process.exit(code);
    },
  };
}
