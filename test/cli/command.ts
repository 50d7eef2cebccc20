/** Runs the command line as a user does: a process of its own, in a directory of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
export const TINY = fileURLToPath(new URL('../fixtures/scenarios/tiny.ts', import.meta.url));

export type Ended = { code: number | null; stdout: string; stderr: string };
export type Started = { child: ChildProcess; stderrSays: (text: string) => Promise<void>; ended: Promise<Ended> };

export function startEspalier(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}, input = ''): Started {
  const child = spawn(process.execPath, ['--conditions=espalier-source', MAIN, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said.stderr += chunk));
  const stderrSays = async (text: string): Promise<void> => {
    while (!said.stderr.includes(text)) await once(child.stderr, 'data', { signal: AbortSignal.timeout(20_000) });
  };
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, ...said }));
  return { child, stderrSays, ended };
}

export const runEspalier = (
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
  input?: string,
): Promise<Ended> => startEspalier(args, cwd, env, input).ended;

/** A directory with these files, removed when the test ends. */
export function workspace(files: Readonly<Record<string, string>> = {}): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'espalier-cli-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
