/** One command line, one process. */
import { writeSync } from 'node:fs';
import { EXIT } from './exit-code.ts';
import { openOutput } from './output.ts';
import { espalier } from './program.ts';

export async function main(): Promise<void> {
  const output = openOutput();
  let hasEnded = false;
  // When nothing is left to wait for, Node ends without a word: what never settles would look like success.
  process.once('exit', (code) => {
    if (hasEnded || code !== EXIT.complete) return;
    writeSync(2, 'espalier: The command ended before it was done: what it waited for never came. Report it.\n');
    process.exitCode = EXIT.failed;
  });
  const code = await espalier(process.argv.slice(2), output);
  hasEnded = true;
  await output.exit(code);
}
