import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Bounds } from './bounds.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { core } from './core.ts';
import { MUTANTS } from './mutants.ts';
import { HEAD, rowOf } from './table.ts';
import { walk } from './walk.ts';

const page = readFileSync('docs/model-check.md', 'utf8');
const [, table = ''] = /<!-- walks -->\s*([\s\S]*?)\s*<!-- \/walks -->/.exec(page) ?? [];
const rows = table.split('\n').map(unpadded);
function unpadded(row: string): string {
  const cells = row.split('|').slice(1, -1);
  return `| ${cells.map((cell) => cell.trim().replace(/^-+$/, '---')).join(' | ')} |`;
}

describe('every interleaving: no deadlock, no orphan, nobody ended twice, no depth breached, no critical lost', () => {
  // All of them: npm run check:model
  test.each(CONFIGURATIONS.filter(({ isQuick }) => isQuick).map((one) => [one.name, one] as const))(
    '%s',
    (_, configuration) => {
      const walked = walk(configuration.bounds);
      expect(walked.problems).toEqual([]);
      expect(rows).toContain(rowOf(configuration, walked));
      const ways = Object.keys(walked.ways).map((way) => way.split(',')[0]);
      expect(new Set(ways)).toEqual(new Set(['complete', 'partial', 'failed']));
    },
  );

  test('the page shows each walk there is', () => {
    expect(rows.slice(0, 2)).toEqual(HEAD);
    expect(rows.slice(2).map((row) => row.split(' | ')[0])).toEqual(CONFIGURATIONS.map(({ name }) => `| ${name}`));
  });
});

describe('what is reduced ends as the whole does', () => {
  const trees: [string, Bounds][] = [
    ['2', { tiers: [[2]] }],
    ['2, findings that are not critical', { tiers: [[2]], plain: true, attempts: 1 }],
    ['1 and 1 that needs it, quorum 1', { tiers: [[1, 1]], quorum: 1 }],
    ['1 × 2', { tiers: [[1], [2]], attempts: 1 }],
    ['1 × 1, a gather breaks', { tiers: [[1], [1]], attempts: 1, hostFaults: true }],
  ];
  test.each(trees)('%s', (_, bounds) => {
    for (const symmetric of [true, false]) {
      const whole = walk({ ...bounds, symmetric, reduced: 'nothing' });
      const reduced = walk({ ...bounds, symmetric, reduced: 'all' });
      expect(reduced.ends).toEqual(whole.ends);
      expect(Object.keys(reduced.ways).sort()).toEqual(Object.keys(whole.ways).sort());
      expect(reduced.states).toBeLessThan(whole.states);
    }
  });
});

describe('a walk finds', () => {
  const soundly = new Map<Bounds, readonly string[]>();
  const usual: Bounds = { tiers: [[1], [2]], attempts: 2 };
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', (_, mutant) => {
    const { bounds = usual } = mutant;
    const { problems } = walk(bounds, { ...core, ...mutant.core }, 20_000);
    expect(problems.join('\n')).toMatch(mutant.seen);
    if (!soundly.has(bounds)) soundly.set(bounds, walk(bounds).problems);
    expect(soundly.get(bounds)).toEqual([]);
  });
});
