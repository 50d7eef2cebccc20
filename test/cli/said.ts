/** A command line without a process of its own: what it said, and how it ended. */
import type { Output } from '../../src/cli/output.ts';
import { espalier } from '../../src/cli/program.ts';

export async function said(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const output: Output = {
    result: (text) => void (written.stdout += text),
    note: (text) => void (written.stderr += `${text}\n`),
    exit: () => Promise.resolve(),
  };
  const code = await espalier(args, output);
  return { code, ...written };
}
