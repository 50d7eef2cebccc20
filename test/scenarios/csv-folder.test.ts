import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { renderBrief, run, type Report, type RunEvent } from 'espalier';
import { describe, expect, test } from 'vitest';
import csvFolderScenario from '../../scenarios/csv-folder.ts';
import { renderTerminalBrief } from '../../src/render/terminal-brief.ts';
import { entry, manifestOf, monthly, writtenFolder } from '../adapters/csv-folder/written-folder.ts';

const growing = Array.from({ length: 120 }, (_, i) => 100 + i + ((i * 7) % 5));
const crashing = growing.map((value, i) => (i < 114 ? value : value / 3));
const asOf = '2010-02-01';

const FILES = { 'jobs.csv': monthly(growing), 'deep/price.csv': monthly(crashing) };
const SERIES = [
  entry({ polarity: 1 }),
  entry({ id: 'S&P 500', domain: 'shares', title: 'Index', file: 'deep/price.csv', analyst: 'price', polarity: 1 }),
  entry({ id: 'rate', domain: 'macro', title: 'Rate', analyst: 'labour', polarity: -1 }),
  entry({ id: 'T10Y3M', domain: 'macro', title: 'Slope', analyst: 'spread', polarity: 1 }),
  entry({ id: 'credit', domain: 'macro', title: 'Credit spread', unit: 'pp', analyst: 'spread', polarity: -1 }),
  entry({ id: 'own', domain: 'macro', title: 'Own slope', analyst: 'yield-curve' }),
];
const folderOf = (...series: readonly unknown[]): string =>
  writtenFolder({ 'manifest.json': manifestOf(...series), ...FILES });
const briefOf = async (flags: { data: string; thesis?: string }, options: object = {}): Promise<Report> =>
  (await run(await csvFolderScenario(flags), { asOf, ...options })).brief;
const said = ({ findings }: Report) => findings.map(({ id, stance, flags }) => ({ id, stance, flags }));

describe('a folder becomes a tree', () => {
  test('with a leaf per series and a domain per domain, each asked its own question', async () => {
    const brief = await briefOf({ data: folderOf(...SERIES) });
    expect(brief.status).toBe('complete');
    expect(brief.question).toBe('Hold shares');
    expect(brief.children.map(({ path }) => path)).toEqual(['root/macro', 'root/shares']);
    expect(brief.findings.map(({ id }) => id).toSorted()).toEqual([
      'root/macro/T10Y3M#yield-curve',
      'root/macro/credit#level',
      'root/macro/jobs#growth',
      'root/macro/own#yield-curve',
      'root/macro/rate#unemployment',
      'root/shares/S-P 500#drawdown',
      'root/shares/S-P 500#trend',
    ]);
    const level = brief.findings.find(({ measure }) => measure === 'level');
    expect(level).toMatchObject({ stance: expect.closeTo(-1, 1), value: growing.at(-1), unit: 'pp' });
    expect(level?.statement).toMatch(/^Credit spread \(2009-12-01\): \d+ pp, above 100 % of its own history$/);
    expect(brief.escalations.map(({ id }) => id)).toContain('root/shares/S-P 500#drawdown');
    expect(brief.assessment?.conviction).toBeTypeOf('number');
  });

  test('with names of nodes that never meet, whatever the ids are', async () => {
    const ids = ['a&b', 'a+b', 'a b', '__proto__', 'constructor', '-', '№ 1', 'спред', '🌍', '.', '#~'];
    const series = ids.map((id) => entry({ id, domain: `${id}&`, polarity: 1 }));
    const brief = await briefOf({ data: folderOf(...series) });
    expect(brief.status).toBe('complete');
    expect(brief.children).toHaveLength(ids.length);
    expect(brief.usage.subtree.leaves).toBe(ids.length);
  });

  test('and to the same findings with a tier or two less', async () => {
    const data = folderOf(...SERIES);
    const whole = await briefOf({ data });
    for (const maxDepth of [1, 0]) {
      const brief = await briefOf({ data }, { maxDepth });
      expect(brief.status).toBe('complete');
      expect(brief.findings).toHaveLength(whole.findings.length);
      const stances = (report: Report) => report.findings.map(({ statement, stance }) => `${statement} ${stance}`).toSorted();
      expect(stances(brief)).toEqual(stances(whole));
    }
  });
});

describe('a series that cannot be read is a gap and silences no other', () => {
  const bad = entry({ id: 'bad', file: 'bad.csv', polarity: 1 });
  const late = entry({ id: 'late', file: 'late.csv', polarity: 1 });
  const more = { 'bad.csv': 'date,value\n2008-01-01,x\n', 'late.csv': 'date,value\n2020-01-01,1\n' };

  test.each([
    [2, 'token', 'root/macro/bad', 'root/macro/late'],
    [1, 'undone', 'root/macro/bad', 'root/macro/late'],
    [0, 'undone', 'root/macro', 'root/macro'],
  ])('at depth %i', async (maxDepth, kind, broken, unknown) => {
    const data = writtenFolder({ 'manifest.json': manifestOf(bad, late, ...SERIES), ...FILES, ...more });
    const brief = await briefOf({ data }, { maxDepth });
    expect(brief.status).toBe('partial');
    expect(brief.gaps).toContainEqual({ path: broken, kind, why: expect.stringContaining('bad.csv, line 2: "value"') });
    expect(brief.gaps).toContainEqual({ path: unknown, kind: 'insufficient', why: expect.stringContaining('"late"') });
    expect(brief.findings).toHaveLength(7);
  });
});

describe('polarities vote for the thesis of the manifest alone', () => {
  test.each([undefined, 'Hold shares', '  hold\u00A0SHARES. '])('which %j is', async (thesis) => {
    const brief = await briefOf({ data: folderOf(...SERIES), ...(thesis !== undefined && { thesis }) });
    expect(brief.assessment?.conviction).toBeTypeOf('number');
    expect(brief.children).toHaveLength(2);
  });

  test.each([
    [2, undefined],
    [1, undefined],
    [2, ['shares']],
  ])('for another one no conviction is formed, and the brief says why (depth %i, domains %j)', async (maxDepth, domains) => {
    const flags = { data: folderOf(...SERIES), thesis: 'Sell shares' };
    const brief = await briefOf(flags, { maxDepth, ...(domains && { domains }) });
    expect(brief.status).toBe('complete');
    expect(brief.assessment).not.toHaveProperty('conviction');
    expect(brief.assessment).not.toHaveProperty('verdict');
    expect(said(brief).every(({ stance, flags }) => stance === 0 && flags.includes('context'))).toBe(true);
    const reason = 'the polarities of the manifest serve the thesis "Hold shares", not this one';
    expect(renderBrief(brief)).toContain(reason);
    if (domains) return;
    expect(brief.narrative).toContain(`No conviction was formed: ${reason}`);
    expect(renderTerminalBrief(brief).replaceAll(/\s+/g, ' ')).toContain(`No conviction was formed: ${reason}`);
    expect(brief.gaps[0]).toMatchObject({ path: 'root/polarities', why: expect.stringContaining(reason) });
  });

  test('with all depth spent the root says so itself', async () => {
    const brief = await briefOf({ data: folderOf(...SERIES), thesis: 'Sell shares' }, { maxDepth: 0 });
    expect(renderBrief(brief)).toContain('No conviction was formed: the polarities');
  });

  test('a manifest without a thesis serves none, one without polarities has nothing to vote', async () => {
    const data = writtenFolder({ 'manifest.json': JSON.stringify({ series: SERIES }), ...FILES });
    const unnamed = await briefOf({ data, thesis: 'Hold shares' });
    expect(unnamed.assessment).not.toHaveProperty('conviction');
    expect(unnamed.narrative).toContain('does not say which thesis its polarities serve');
    await expect(csvFolderScenario({ data })).rejects.toThrow(/names no thesis\. Give one with --thesis/);

    const without = await briefOf({ data: folderOf(entry()) });
    expect(without.narrative).toContain('No conviction was formed: no series of the manifest has a polarity');
  });
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The command line as a person has it; never rejects. */
async function espalier(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const out = join(writtenFolder({}), 'out');
  const command = ['--conditions=espalier-source', 'src/cli/main.ts', 'run', 'scenarios/csv-folder.ts', '--out', out, ...args];
  return promisify(execFile)(process.execPath, command, { cwd: ROOT }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: unknown; stdout: string; stderr: string }) => error,
  );
}
// eslint-disable-next-line no-control-regex -- what must not reach a terminal or a page
const STEERING = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B\u202E]/u;

describe('on the command line', () => {
  test.each([
    ['../jobs.csv', 'jobs'],
    ['/etc/hosts', 'jobs'],
    ['jobs.csv', 'a/b'],
    ['jobs.csv', '..'],
    ['jobs.csv', 'a\u001B[31m'],
    ['none.csv', 'jobs'],
  ])('file %j and id %j end with 2 and one line', async (file, id) => {
    const { code, stdout, stderr } = await espalier('--data', folderOf(entry({ file, id })));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^espalier: .*manifest\.json: series 1? ?\(?"(?:jobs|a\/b|\.\.|a\\u001b\[31m)".*\n$/);
    expect(stderr).not.toMatch(STEERING);
  });

  test('without a folder it says what is missing', async () => {
    expect(await espalier()).toMatchObject({ code: 2, stderr: expect.stringContaining('Give --data DIR') });
  });

  test('texts that would steer a terminal or mark up a page arrive as what they are', async () => {
    const evil = '\u001B]0;owned\u0007\u001B[2J<script>x</script> [x](javascript:x) ![i](http://e.vil/p) `c` | **b** \u202E\u200B\n## Fake\n';
    const over = { domain: 'a|<b>`[c](d)', file: 'deep/price.csv', analyst: 'price', polarity: 1 };
    const hostile = entry({ ...over, id: 'x<b>`|[y](z)', title: evil, unit: evil });
    const data = writtenFolder({ 'manifest.json': JSON.stringify({ thesis: `T ${evil}`, series: [hostile] }), ...FILES });
    const { code, stdout, stderr } = await espalier('--data', data, '--as-of', asOf);
    expect(code).toBe(0);
    for (const screen of [stdout, stderr]) {
      expect(screen).not.toMatch(STEERING);
      expect(screen).toContain('⟨U+001B⟩]0;owned');
    }
    const brief = renderBrief(await briefOf({ data }));
    expect(brief).not.toMatch(STEERING);
    // Neither HTML, nor a link or an image, nor a heading of its own.
    expect(brief).not.toMatch(/(?<!\\)<(?:script|b)>|(?<!\\)\[x(?<!\\)\]\(|^## Fake/m);
    expect(brief.split('\n').filter((line) => line.startsWith('# '))).toHaveLength(1);
  });
});
