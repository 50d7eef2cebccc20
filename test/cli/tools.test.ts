/** Servers of tools end with the run on the command line, however it ends. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { startEspalier, workspace } from './command.ts';

const SCENARIO = fileURLToPath(new URL('../fixtures/scenarios/with-tools.ts', import.meta.url));

/** One that is dead and that nobody has collected does not count. */
const isAlive = (pid: string): boolean => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
};

it.each([
  ['a ^C', 1, 3],
  ['a second ^C', 2, 130],
])('%s leaves no process behind', async (_, presses, code) => {
  using folder = workspace();
  const { child, stderrSays, ended } = startEspalier(['run', SCENARIO, '--no-store'], folder.path);
  await stderrSays('PIDS');
  child.kill('SIGINT');
  if (presses === 2) {
    await stderrSays('Interrupted');
    child.kill('SIGINT');
  }
  const result = await ended;
  const pids = /PIDS (\d+) (\d+)\./.exec(result.stderr)?.slice(1) ?? [];
  expect(pids).toHaveLength(2);
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 5_000 });
  expect(result.code).toBe(code);
});
