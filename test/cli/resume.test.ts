/** A run that is killed at any moment goes on, on the command line, as a user would do it. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { sqliteStore } from '../../src/adapters/stores/sqlite-store.ts';
import type { Report } from '../../src/protocol/report.ts';
import { runEspalier, startEspalier, TINY, workspace } from './command.ts';

const TWO_HUNDRED = fileURLToPath(new URL('../fixtures/scenarios/two-hundred.ts', import.meta.url));
/** Spread over the 400 ms and more that the run takes. */
const KILLS = 10;

type Kept = { runId: string; ended: Set<string>; events: number };
/** What the store holds of the only run in it. */
function keptIn(directory: string): Kept {
  const store = sqliteStore(join(directory, 'runs/espalier.db'));
  try {
    expect(store.problems()).toEqual([]);
    const [run] = store.runs();
    if (!run) throw new Error('no run was kept');
    const ended = [...store.nodes(run.runId)].filter(({ state }) => state !== 'running').map(({ path }) => path);
    return { runId: run.runId, ended: new Set(ended), events: [...store.events(run.runId)].length };
  } finally {
    store.close();
  }
}
const executedIn = (directory: string): string[] => {
  const file = join(directory, 'executed.txt'); // absent when it was killed before the first leaf was done
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
};

const undisturbed = (async () => {
  using at = workspace();
  const { stdout } = await runEspalier(['run', TWO_HUNDRED, '--json'], at.path);
  return { brief: JSON.parse(stdout) as Report, executed: executedIn(at.path) };
})();

describe('a run of 200 leaves, killed with -9', () => {
  const cases = Array.from({ length: KILLS }, (_, index) => index);
  it.concurrent.each(cases)('at a random moment (%i)', { timeout: 60_000 }, async (index) => {
    const whole = await undisturbed;
    using at = workspace();
    const { child, stderrSays, ended } = startEspalier(['run', TWO_HUNDRED], at.path);
    await stderrSays('root activates 8 children');
    await setTimeout((400 / KILLS) * (index + Math.random()));
    child.kill('SIGKILL');
    await ended;

    const before = keptIn(at.path);
    const executedBefore = executedIn(at.path).length;
    const { code, stdout, stderr } = await runEspalier(['resume', 'latest', '--json'], at.path);
    expect(code, stderr).toBe(3); // three leaves fail for good
    const brief = JSON.parse(stdout) as Report;
    expect(brief.runId).toBe(before.runId);
    expect(brief.digest).toBe(whole.brief.digest);
    expect(brief.findings.map(({ id }) => id)).toEqual(whole.brief.findings.map(({ id }) => id));

    const again = executedIn(at.path)
      .slice(executedBefore)
      .map((line) => line.split(' ')[0] ?? '');
    expect(again.filter((path) => before.ended.has(path))).toEqual([]);
    expect(new Set(executedIn(at.path))).toEqual(new Set(whole.executed));
    const events = readFileSync(join(at.path, 'runs', before.runId, 'events.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(events.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(events.map((_, seq) => seq));
  });
});

describe('espalier resume', () => {
  it('after ^C does what was cut off', async () => {
    using at = workspace();
    const { child, stderrSays, ended } = startEspalier(['run', TWO_HUNDRED], at.path);
    await stderrSays('root activates 8 children');
    child.kill('SIGINT');
    const first = await ended;
    expect(first.code).toBe(3);
    expect(first.stderr).toMatch(/\nDo what was cut off: espalier resume \w+\n$/);
    const { stdout, stderr } = await runEspalier(['resume', 'latest', '--json'], at.path);
    expect(stderr).toMatch(
      /^The run had ended, (partial|failed): only what was cut off runs again\. With --retry-failed,/,
    );
    expect((JSON.parse(stdout) as Report).digest).toBe((await undisturbed).brief.digest);
  });

  it('refuses while the first process is at work, and harms nothing', async () => {
    using at = workspace();
    const first = startEspalier(['run', TWO_HUNDRED, '--json', '--concurrency', '1'], at.path);
    await first.stderrSays('root activates 8 children');
    const second = await runEspalier(['resume', 'latest'], at.path);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^espalier: Run \w+ is being worked on by process \d+/);
    expect(second.stderr.trimEnd().split('\n')).toHaveLength(1);
    const { stdout } = await first.ended;
    expect((JSON.parse(stdout) as Report).digest).toBe((await undisturbed).brief.digest);
  });

  it('leaves files that are not of its run', async () => {
    using at = workspace();
    await runEspalier(['run', TINY, '--out', 'out'], at.path);
    const { runId } = keptIn(at.path);
    await runEspalier(['run', TINY, '--out', 'out'], at.path);
    const [brief, events] = ['brief.json', 'events.ndjson'].map((name) => join(at.path, 'out', name));
    for (const beginning of [readFileSync(events ?? '', 'utf8'), '']) {
      writeFileSync(events ?? '', beginning);
      const before = readFileSync(brief ?? '', 'utf8');
      const { code, stderr } = await runEspalier(['resume', runId], at.path);
      expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
        code: 2,
        lines: [expect.stringMatching(/out of run \w+ holds other files by now\. Name another with --out\.$/)],
      });
      expect(readFileSync(brief ?? '', 'utf8')).toBe(before);
      expect(readFileSync(events ?? '', 'utf8')).toBe(beginning);
    }
    expect((await runEspalier(['resume', runId, '--out', 'other'], at.path)).code).toBe(0);
    expect(existsSync(join(at.path, 'other/brief.json'))).toBe(true);
  });

  it('says that the store is damaged, and not that the folder is', async () => {
    using at = workspace();
    await runEspalier(['run', TINY], at.path);
    const database = new DatabaseSync(join(at.path, 'runs/espalier.db'));
    database.exec("UPDATE events SET body = 'x' WHERE id & 4294967295 = 2");
    database.close();
    const { code, stderr } = await runEspalier(['resume', 'latest'], at.path);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^espalier: An event of the run/),
    });
  });

  it.skipIf(process.platform === 'win32')('holds the run while it makes its files ready', async () => {
    using at = workspace();
    await runEspalier(['run', TINY, '--out', 'out'], at.path);
    const { runId } = keptIn(at.path);
    rmSync(join(at.path, 'out'), { recursive: true });
    mkdirSync(join(at.path, 'out'));
    const pipe = join(at.path, 'out/events.ndjson');
    execFileSync('mkfifo', [pipe]); // opened when somebody reads it
    const first = startEspalier(['resume', runId], at.path);
    using store = { ...sqliteStore(join(at.path, 'runs/espalier.db')), [Symbol.dispose]: () => store.close() };
    let reader: ChildProcess | undefined;
    try {
      await vi.waitUntil(() => store.run(runId)?.claim, 20_000);
      expect((await runEspalier(['resume', runId, '--out', 'other'], at.path)).stderr).toContain('is being worked on');
      reader = spawn('cat', [pipe], { stdio: 'ignore' });
      expect((await first.ended).code).toBe(0);
    } finally {
      first.child.kill('SIGKILL');
      reader?.kill();
    }
  });

  it.each([
    [['resume', 'nope'], 'There is no run "nope" in runs/espalier.db. See "espalier runs".'],
    [['resume', 'latest', '--deadline', 'soon'], 'The deadline "soon" is not a positive duration'],
  ])('%j is misuse', async (args, message) => {
    using at = workspace();
    await runEspalier(['run', TINY], at.path);
    const { code, stderr } = await runEspalier(args, at.path);
    expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 2,
      lines: [expect.stringContaining(message)],
    });
  });

  it('finds the scenario from another folder, and --no-store keeps nothing', async () => {
    using at = workspace();
    await runEspalier(['run', TINY, '--store', 'kept.db', '--out', 'there'], at.path);
    using elsewhere = workspace();
    const { code, stdout } = await runEspalier(
      ['resume', 'latest', '--store', join(at.path, 'kept.db')],
      elsewhere.path,
    );
    expect(code).toBe(0);
    expect(stdout).toContain(join(at.path, 'there/brief.md'));
    await runEspalier(['run', TINY, '--no-store', '--out', 'here'], elsewhere.path);
    const { stderr } = await runEspalier(['resume', 'latest'], elsewhere.path);
    expect(stderr).toContain('There is no run "latest"');
  });
});
