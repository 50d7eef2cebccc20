import { describe, expect, it } from 'vitest';
import { patternsAcross } from '../../../src/analytics/patterns.ts';
import { keyRisks } from '../../../src/analytics/risks.ts';
import { KeyRisk, Pattern } from '../../../src/protocol/assessment.ts';
import { critical, finding } from './tree.ts';

describe('keyRisks', () => {
  it('clusters by rule and ranks by weight, the heaviest leading', () => {
    const sahm = { rule: 'sahm', reason: 'rising' };
    const risks = keyRisks([
      critical('root/a#x', { confidence: 0.4 }),
      critical('root/b#x', { confidence: 0.9 }),
      critical('root/c#x', { critical: sahm, stance: -1, confidence: 0.9 }),
      critical('root/d#x', { stance: 0.9, confidence: 1 }),
      critical('root/e#x', { stance: 0, confidence: 1 }),
      finding('root/f#x', { stance: -1, confidence: 1 }),
    ]);
    for (const risk of risks) KeyRisk.parse(risk);
    expect(risks).toMatchObject([
      { rank: 1, rule: 'drawdown', lead: 'root/b#x', findings: ['root/b#x', 'root/a#x'], nodes: ['root/b', 'root/a'] },
      { rank: 2, rule: 'sahm', lead: 'root/c#x', findings: ['root/c#x'], nodes: ['root/c'] },
    ]);
    expect(risks.map((risk) => risk.weight)).toEqual([expect.closeTo(3.12, 12), expect.closeTo(2.7, 12)]);
  });

  it('holds every opposing critical finding of a flood in exactly one cluster', () => {
    const flood = Array.from({ length: 84 }, (_, i) =>
      critical(`root/${i}#x`, { critical: { rule: `rule ${i % 4}`, reason: 'deep' } }),
    );
    const ids = keyRisks(flood).flatMap((risk) => risk.findings);
    expect(new Set(ids).size).toBe(84);
    expect(ids).toHaveLength(84);
  });
});

describe('patternsAcross', () => {
  const growth = (id: string, stance: number, over = {}): ReturnType<typeof finding> =>
    finding(id, { measure: 'growth', stance, ...over });

  it('finds a measure that points one way in two nodes', () => {
    const patterns = patternsAcross([
      growth('root/b#x', -0.3),
      growth('root/a#x', -0.9),
      growth('root/c#x', 0.9),
      finding('root/c#y', { measure: 'spread', stance: -0.5 }),
    ]);
    expect(patterns.map((pattern) => Pattern.parse(pattern))).toEqual([
      { measure: 'growth', direction: 'against', findings: ['root/a#x', 'root/b#x'], nodes: ['root/a', 'root/b'] },
    ]);
  });

  it('takes no neutral, context or unnamed measure, and no node twice', () => {
    expect(patternsAcross([growth('root/a#x', 0.5), growth('root/b#x', 0.1)])).toEqual([]);
    expect(patternsAcross([growth('root/a#x', 0.5), growth('root/b#x', 0.5, { flags: ['context'] })])).toEqual([]);
    expect(patternsAcross([growth('root/a#x', 0.5), growth('root/a#y', 0.5)])).toEqual([]);
    expect(patternsAcross([finding('root/a#x'), finding('root/b#x')])).toEqual([]);
  });

  it('counts the leaves behind a merged finding', () => {
    const merged = growth('root/macro#duplicate-1', 0.5, { from: ['root/macro/a#x', 'root/macro/b#x'] });
    expect(patternsAcross([merged, growth('root/company/c#x', 0.5)])[0]?.nodes).toEqual([
      'root/company/c',
      'root/macro/a',
      'root/macro/b',
    ]);
  });

  it('puts what most nodes share first', () => {
    const spread = ['a', 'b', 'c'].map((name) => finding(`root/${name}#s`, { measure: 'spread', stance: 0.2 }));
    const patterns = patternsAcross([growth('root/a#x', 0.9), growth('root/b#x', 0.9), ...spread]);
    expect(patterns.map((pattern) => pattern.measure)).toEqual(['spread', 'growth']);
  });
});
