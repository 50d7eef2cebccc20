/** What a store can do to a command: one clear line, exit code 1, and nothing destroyed. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/protocol/report.ts';
import { runEspalier, TINY, workspace } from './command.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const TWO_HUNDRED = fileURLToPath(new URL('../fixtures/scenarios/two-hundred.ts', import.meta.url));
const COMMANDS = [
  ['run', TINY],
  ['resume', 'latest'],
];

describe.each(COMMANDS)('espalier %s', (...args) => {
  const fails = async (directory: string, message: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await runEspalier([...args, '--store', 'kept.db'], directory);
    expect({ code, stdout, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 1,
      stdout: '',
      lines: [expect.stringMatching(message)],
    });
  };

  it('with a file that is no database', async () => {
    using at = workspace({ 'kept.db': 'dear diary\n'.repeat(1_000) });
    await fails(at.path, /^espalier: .*kept\.db/);
    expect(readFileSync(join(at.path, 'kept.db'), 'utf8')).toBe('dear diary\n'.repeat(1_000));
  });

  it('with a database of another program', async () => {
    using at = workspace();
    const other = new DatabaseSync(join(at.path, 'kept.db'));
    other.exec('CREATE TABLE diary (day TEXT)');
    other.close();
    await fails(at.path, /^espalier: .*kept\.db/);
    expect(readdirSync(at.path)).toEqual(['kept.db']);
  });

  it('with a store from a newer version', async () => {
    using at = workspace();
    await runEspalier(['run', TINY, '--store', 'kept.db'], at.path);
    const store = new DatabaseSync(join(at.path, 'kept.db'));
    store.exec('PRAGMA user_version = 99');
    store.close();
    const before = readFileSync(join(at.path, 'kept.db'));
    await fails(at.path, /^espalier: .*kept\.db.*newer/);
    expect(readFileSync(join(at.path, 'kept.db')).equals(before)).toBe(true);
  });

  it('with a store whose pages are damaged', async () => {
    using at = workspace();
    await runEspalier(['run', TINY, '--store', 'kept.db'], at.path);
    const file = join(at.path, 'kept.db');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, 100, 3_000)); // the schema
    await fails(at.path, /^espalier: .*kept\.db/);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});

/** Root may write anywhere, so there the command runs as nobody. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

it.skipIf(process.platform === 'win32')('a folder that cannot be written to is said before anything runs', () => {
  using at = workspace();
  const folder = join(at.path, 'closed');
  mkdirSync(folder);
  chmodSync(at.path, 0o755);
  chmodSync(folder, 0o555);
  const run = spawnSync(
    process.execPath,
    ['--conditions=espalier-source', MAIN, 'run', TINY, '--store', 'kept.db', '--out', '/dev/null/x'],
    { cwd: folder, encoding: 'utf8', ...nobody, env: { PATH: process.env['PATH'], NO_COLOR: '1' } },
  );
  expect({ code: run.status, lines: run.stderr.trimEnd().split('\n') }).toEqual({
    code: 1,
    lines: [expect.stringMatching(/^espalier: Store kept\.db/)],
  });
});

/** A limit on the size of files stands for a disk that is full: writing fails in the same place. */
const canLimit = spawnSync('bash', ['-c', "trap '' XFSZ; ulimit -f 400"]).status === 0;

it.skipIf(!canLimit)(
  'a store that is full in mid-run costs the record: the brief is there, the exit code is 1',
  async () => {
    using at = workspace();
    const command = `trap '' XFSZ; ulimit -f 300; exec "$0" --conditions=espalier-source "$@"`;
    const args = [MAIN, 'run', TWO_HUNDRED, '--store', 'kept.db', '--json'];
    const run = spawnSync('bash', ['-c', command, process.execPath, ...args], {
      cwd: at.path,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    });
    expect(run.status).toBe(1);
    const brief = JSON.parse(run.stdout) as Report;
    expect(brief.usage.subtree.leaves).toBe(200);
    expect(run.stderr).toMatch(/Not stored from here on: Store kept\.db/);
    expect(existsSync(join(at.path, 'kept.db'))).toBe(true);

    // Room again: the record is whole up to where it stopped, and the run goes on from there.
    const resumed = await runEspalier(['resume', 'latest', '--store', 'kept.db', '--json'], at.path);
    expect(resumed.code, resumed.stderr).toBe(3);
    expect((JSON.parse(resumed.stdout) as { digest: string }).digest).toBe(
      (JSON.parse(run.stdout) as { digest: string }).digest,
    );
  },
);
