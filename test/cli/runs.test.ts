import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { said } from './said.ts';
import { storeAt } from './stored-runs.ts';

const DAY = 86_400_000;

/** As if the terminal were this wide. */
function columns(wide: number): Disposable {
  const before = process.stdout.columns;
  process.stdout.columns = wide;
  return { [Symbol.dispose]: () => void (process.stdout.columns = before) };
}

describe('espalier runs', () => {
  it('lists them, the latest first, one line each', async () => {
    using at = storeAt();
    await at.keep({
      runId: 'first000001',
      at: Date.UTC(2025, 1, 3),
      thesis: 'A thesis \u001B[31mthat does not fit into a line',
    });
    await at.keep({ runId: 'second000001', scenario: 'other', faults: ['root/d0=throw'] });
    await at.keep({ runId: 'third000001' }, 3_000);
    const { code, stdout, stderr } = await said('runs', '--store', at.file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [header = '', third, second, first = ''] = stdout.split('\n');
    expect(header).toMatch(/^run +began, UTC +scenario +state +leaves +took +crit\. +thesis$/);
    expect(third).toMatch(/^third000 +\S+ \S+ +tree +interrupted/);
    expect(second).toMatch(/^second00 +\S+ 10:00 +other +partial +\d +8\.0 s +1 +It ho/);
    expect(first).toMatch(/^first000 +2025-02-03 +tree +complete +4 +8\.0 s +1 +A th.*…$/);
    for (const line of [header, third, second, first]) expect(line?.length).toBeLessThanOrEqual(100);
    expect(stdout).not.toContain('\u001B');
    // Figures end where their heading does, words begin there.
    const endOf = (line: string, part: RegExp): number =>
      (part.exec(line)?.index ?? 0) + (part.exec(line)?.[0].length ?? 0);
    expect(endOf(first, / 4(?= )/)).toBe(header.indexOf('leaves') + 'leaves'.length);
    expect(endOf(first, /8\.0 s/)).toBe(header.indexOf('took') + 'took'.length);
    expect(endOf(first, / 1(?= )/)).toBe(header.indexOf('crit.') + 'crit.'.length);
    expect(first.indexOf('complete')).toBe(header.indexOf('state'));
  });

  it('gives each run its own lines where the columns do not fit', async () => {
    using at = storeAt();
    await at.keep({ runId: 'first000001', at: Date.UTC(2025, 1, 3) });
    await at.keep({ runId: 'third000001' }, 3_000);
    using _ = columns(40);
    const { stdout } = await said('runs', '--store', at.file);
    expect(stdout.replaceAll(/\d\d-\d\d 10/g, 'DAY 10')).toBe(
      [
        'third000  DAY 10:00 UTC, interrupted',
        '  tree: It holds',
        'first000  2025-02-03 UTC, complete, took',
        '          8.0 s, 4 leaves, 1 critical',
        '  tree: It holds',
        '',
      ].join('\n'),
    );
  });

  it('shows as much of an id as tells it apart', async () => {
    using at = storeAt();
    await at.keep({ runId: 'same-beginning-1' });
    await at.keep({ runId: 'same-beginning-2' });
    const { stdout } = await said('runs', '--store', at.file);
    expect(stdout).toMatch(/^same-beginning-2 .*\nsame-beginning-1 /m);
  });

  it('narrows to a scenario, a state, a day and a number', async () => {
    using at = storeAt();
    await at.keep({ runId: 'old', at: Date.UTC(2026, 0, 1), scenario: 'other' });
    await at.keep({ runId: 'new', at: Date.UTC(2026, 0, 2) });
    await at.keep({ runId: 'cut', at: Date.UTC(2026, 0, 2) }, 3_000);
    const ids = async (...args: string[]): Promise<string[]> => {
      const { stdout } = await said('runs', '--json', '--store', at.file, ...args);
      return (JSON.parse(stdout) as { runId: string }[]).map(({ runId }) => runId);
    };
    expect(await ids()).toEqual(['cut', 'new', 'old']);
    expect(await ids('--scenario', 'other')).toEqual(['old']);
    expect(await ids('--state', 'interrupted')).toEqual(['cut']);
    expect(await ids('--state', 'running')).toEqual([]);
    expect(await ids('--state', 'complete')).toEqual(['new', 'old']);
    expect(await ids('--since', '2026-01-02')).toEqual(['cut', 'new']);
    expect(await ids('--limit', '1')).toEqual(['cut']);
    expect((await said('runs', '--limit', '1', '--store', at.file)).stderr).toContain(
      'There are more. Give a higher --limit',
    );
    expect((await said('runs', '--limit', '3', '--store', at.file)).stderr).toBe('');
    at.store.claim('cut');
    expect(await ids('--state', 'running')).toEqual(['cut']);
    expect(await ids('--state', 'interrupted')).toEqual([]);
  });

  it('says so when there is none', async () => {
    using at = storeAt();
    const { code, stdout, stderr } = await said('runs', '--store', at.file);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: `No run is stored in ${at.file} yet.\n` });
    expect((await said('runs', '--state', 'failed', '--store', at.file)).stderr).toContain(
      'is like that. Leave out --scenario',
    );
    expect((await said('runs', '--store', `${at.file}.none`)).stderr).toContain('No run is stored: there is no store');
    expect((await said('runs', '--json', '--store', `${at.file}.none`)).stdout).toBe('[]\n');
    expect(existsSync(`${at.file}.none`)).toBe(false);
  });
});

describe('espalier runs prune', () => {
  const idsIn = (at: ReturnType<typeof storeAt>): string[] => Array.from(at.store.runs(), ({ runId }) => runId);

  it('keeps the latest, and says what would go before it goes', async () => {
    using at = storeAt();
    for (const [index, runId] of ['one', 'two', 'three'].entries()) await at.keep({ runId, at: 1_000 * index });
    const dry = await said('runs', 'prune', '--keep', '1', '--dry-run', '--store', at.file);
    expect(dry.stdout).toMatch(
      /^would go {2}two .*\nwould go {2}one .*\n2 runs would be forgotten, about [\d.]+ [kM]B\./,
    );
    expect(idsIn(at)).toEqual(['three', 'two', 'one']);
    const { code, stdout } = await said('runs', 'prune', '--keep', '1', '--store', at.file);
    expect(code).toBe(0);
    expect(stdout).toContain('2 runs forgotten');
    expect(idsIn(at)).toEqual(['three']);
    expect((await said('runs', 'prune', '--keep', '1', '--store', at.file)).stdout).toBe(
      'There is no such run: nothing to forget.\n',
    );
  });

  it('lets go what is older; of two conditions only what both let go', async () => {
    using at = storeAt();
    const now = Date.now();
    await at.keep({ runId: 'ancient', at: now - 40 * DAY });
    await at.keep({ runId: 'old', at: now - 20 * DAY });
    await at.keep({ runId: 'new', at: now - DAY });
    const both = await said('runs', 'prune', '--older-than', '2w', '--keep', '2', '--json', '--store', at.file);
    expect(JSON.parse(both.stdout)).toMatchObject({ isDone: true, gone: ['ancient'], busy: [] });
    await said('runs', 'prune', '--older-than', '240h', '--store', at.file);
    expect(idsIn(at)).toEqual(['new']);
  });

  it('narrows to a scenario', async () => {
    using at = storeAt();
    await at.keep({ runId: 'mine', scenario: 'mine' });
    await at.keep({ runId: 'other', scenario: 'other' });
    await said('runs', 'prune', '--keep', '0', '--scenario', 'mine', '--store', at.file);
    expect(idsIn(at)).toEqual(['other']);
  });

  it('never lets go a run that is being worked on', async () => {
    using at = storeAt();
    await at.keep({ runId: 'busy' }, 3_000);
    await at.keep({ runId: 'idle' }, 3_000);
    at.store.claim('busy');
    const dry = await said('runs', 'prune', '--keep', '0', '--dry-run', '--json', '--store', at.file);
    expect(JSON.parse(dry.stdout)).toMatchObject({ isDone: false, gone: ['idle'], busy: ['busy'] });
    const { stdout } = await said('runs', 'prune', '--keep', '0', '--store', at.file);
    expect(stdout).toMatch(/^gone {2}idle .*\nkept, being worked on {2}busy /);
    expect(idsIn(at)).toEqual(['busy']);
  });

  it('takes the store from after its name, and refuses options that stand before it', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const { code, stderr } = await said('runs', '--store', at.file, 'prune', '--keep', '0');
    expect(code).toBe(2);
    expect(stderr).toContain('--store stands before "prune"');
    expect(idsIn(at)).toEqual(['abc']);
  });

  it('makes no store', async () => {
    using at = storeAt();
    const { code, stdout } = await said('runs', 'prune', '--keep', '0', '--store', `${at.file}.none`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'There is no such run: nothing to forget.\n' });
    expect(existsSync(`${at.file}.none`)).toBe(false);
  });
});
