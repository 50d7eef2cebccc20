import { describe, expect, it } from 'vitest';
import { conflictAmong, relationsBetween } from '../../../src/analytics/conflict.ts';
import { Conflict, Relation } from '../../../src/protocol/conflict.ts';
import { critical, finding } from './tree.ts';

const of = (name: string, stance: number, confidence: number): ReturnType<typeof finding> =>
  finding(`root/${name}#x`, { stance, confidence });

describe('conflictAmong', () => {
  it('keeps both sides, heaviest first, from a dissent of 0.3', () => {
    const findings = [of('a', 0.5, 0.4), of('b', 1, 0.5), of('c', -0.6, 0.5), of('d', 0.1, 1)];
    const conflict = conflictAmong('root', findings);
    expect(Conflict.parse(conflict)).toEqual({
      path: 'root',
      dissent: expect.closeTo(0.3, 12),
      supports: { findings: ['root/b#x', 'root/a#x'], weight: expect.closeTo(0.7, 12) },
      against: { findings: ['root/c#x'], weight: expect.closeTo(0.3, 12) },
      resolution: 'open',
      statement: '2 for (weight 0.70) and 1 against (weight 0.30)',
    });
  });

  it('sees none below that, on one side only, or among context', () => {
    expect(conflictAmong('root', [of('a', 1, 0.7), of('b', -1, 0.29)])).toBeUndefined();
    expect(conflictAmong('root', [of('a', 1, 0.7), of('b', 1, 0.29)])).toBeUndefined();
    expect(conflictAmong('root', [])).toBeUndefined();
    const context = finding('root/b#x', { stance: -1, flags: ['context'] });
    expect(conflictAmong('root', [of('a', 1, 0.7), context])).toBeUndefined();
  });

  it('counts a critical finding three times', () => {
    const alone = critical('root/b#x', { stance: -0.5, confidence: 0.3 });
    expect(conflictAmong('root', [of('a', 1, 0.7), alone])?.against.weight).toBeCloseTo(0.45, 12);
  });
});

describe('relationsBetween', () => {
  it('types what stands beyond ±0.25, contradictions first', () => {
    const relations = relationsBetween([
      { path: 'root/macro', logOdds: -1.59 },
      { path: 'root/sector', logOdds: -1.5 },
      { path: 'root/company', logOdds: 0.42 },
      { path: 'root/rates', logOdds: 0.25 },
    ]);
    expect(relations.map(({ kind, between, strength }) => [kind, ...between, strength])).toEqual([
      ['contradicts', 'root/company', 'root/macro', 0.42],
      ['contradicts', 'root/company', 'root/sector', 0.42],
      ['reinforces', 'root/macro', 'root/sector', 1.5],
    ]);
    expect(relations[0]?.statement).toBe('company (+0.42) contradicts macro (−1.59)');
    for (const relation of relations) Relation.parse(relation);
  });

  it('compares the strongest of many, of either direction', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      path: `root/${i}`,
      logOdds: i === 7 ? 0.3 : -1 - i / 1e5,
    }));
    const relations = relationsBetween(many);
    expect(relations).toHaveLength((13 * 12) / 2);
    expect(
      relations.slice(0, 12).every(({ kind, between }) => kind === 'contradicts' && between.includes('root/7')),
    ).toBe(true);
  });
});
