import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { faultsIn, scorecard, tableOf, type Row } from '../../chaos/scorecard.ts';
import { FAULTS, TIERS } from '../../chaos/tree.ts';

const rows = await scorecard();

test('no finding that was found is lost, no brief is late, nothing is left behind', () => {
  expect(faultsIn(rows)).toEqual([]);
  for (const { ours } of rows) expect(ours).toMatchObject({ kept: ours.found, criticalsKept: ours.criticalsFound });
  expect(rows.map(({ fault }) => fault)).toEqual(expect.arrayContaining([...FAULTS]));
  expect(rows).toHaveLength(FAULTS.length * TIERS.length - 2); // a leaf has no synthesis
});

test('every blow falls upon both', () => {
  for (const fault of FAULTS) {
    const struck = rows.filter((row) => row.fault === fault);
    expect(struck.some(({ ours }) => ours.outcome === 'partial')).toBe(true);
    expect(struck.some(({ settled }) => settled.outcome !== 'complete')).toBe(true);
    for (const { ours, settled } of struck) expect(Math.min(ours.found, settled.found)).toBeGreaterThan(30);
  }
});

test('the page shows this table', () => {
  const page = readFileSync('docs/chaos.md', 'utf8');
  const [, table = ''] = /<!-- scorecard -->\s*([\s\S]*?)\s*<!-- \/scorecard -->/.exec(page) ?? [];
  const cellsOf = (line: string): string[] => line.split('|').map((cell) => cell.trim().replace(/^-+$/, '-'));
  expect(table.split('\n').map(cellsOf)).toEqual(tableOf(rows).map(cellsOf));
});

test('what would be lost is said', () => {
  const [row] = rows as [Row];
  const ours = { ...row.ours, kept: 30, criticalsKept: 5, lateMs: 7, leftBehind: 1 };
  expect(faultsIn([{ ...row, ours }])).toEqual([
    'hang at a leaf: 5 findings were lost',
    'hang at a leaf: 1 critical findings were lost',
    'hang at a leaf: 7 ms late',
    'hang at a leaf: 1 left behind',
  ]);
});

test('the command prints figures, and says what it does not know', () => {
  const command = (...flags: string[]) =>
    spawnSync(process.execPath, ['--conditions=espalier-source', 'chaos/main.ts', ...flags], { encoding: 'utf8' });
  const printed = JSON.parse(command('--json').stdout) as { rows: Row[]; faults: string[] };
  expect(printed).toEqual({ rows: JSON.parse(JSON.stringify(rows)) as Row[], faults: [] });
  expect(command('--jsn')).toMatchObject({ status: 2, stdout: '' });
});
