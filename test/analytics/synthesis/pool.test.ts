import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinctEvidence, duplicatesIn, pool } from '../../../src/analytics/pool.ts';
import { sideOf } from '../../../src/protocol/finding.ts';
import type { Finding } from '../../../src/protocol/finding.ts';
import { critical, finding, incomingOf, leavesUnder } from './tree.ts';

const flipped = (findings: readonly Finding[]): Finding[] =>
  findings.map((one) => Object.assign({}, one, { stance: -one.stance }));
const some = leavesUnder('root').map(incomingOf);

describe('pool', () => {
  it('pools two findings to the known answer', () => {
    const pooled = pool([
      finding('root/a#x', { stance: 0.5, confidence: 0.6 }),
      finding('root/b#x', { stance: -0.2, confidence: 0.3 }),
    ]);
    // 1.6·(0.3 − 0.06)/0.9·√(2/1.5)
    expect(pooled.logOdds).toBeCloseTo(0.492672, 6);
    expect(pooled.dissent).toBeCloseTo(0.06 / 0.36, 12);
    expect(pooled.votes).toEqual({ supports: 1, against: 1, neutral: 0, context: 0 });
  });

  it('leaves context out of the vote, and takes ±0.1 for neutral', () => {
    const neutral = finding('root/a#x', { stance: -0.1 });
    const context = finding('root/b#x', { stance: -1, flags: ['context'] });
    expect([neutral, context].map(sideOf)).toEqual(['neutral', 'context']);
    expect(pool([neutral, context])).toEqual({
      logOdds: expect.closeTo(-0.16, 12),
      dissent: 0,
      votes: { supports: 0, against: 0, neutral: 1, context: 1 },
    });
  });

  it('grows with the effective, not the whole number of findings', () => {
    const same = (n: number): number => pool(Array.from({ length: n }, (_, i) => finding(`root/${i}#x`))).logOdds;
    expect(same(1)).toBeCloseTo(0.8, 12);
    expect(same(1000)).toBeCloseTo(0.8 * Math.sqrt(2), 2);
  });

  it('is 0, never NaN, for nothing, no confidence, and no stance', () => {
    const still = { logOdds: 0, dissent: 0 };
    expect(pool([])).toMatchObject(still);
    expect(pool([finding('root/a#x', { confidence: 0 }), finding('root/b#x', { confidence: 0 })])).toMatchObject(still);
    expect(pool([finding('root/a#x', { stance: 0 }), finding('root/b#x', { stance: -0 })])).toEqual({
      ...still,
      votes: { supports: 0, against: 0, neutral: 2, context: 0 },
    });
  });

  it('depends on no order, and turns its sign with the stances, to the last bit', () => {
    fc.assert(
      fc.property(
        some.chain((findings) =>
          fc.tuple(fc.constant(findings), fc.shuffledSubarray(findings, { minLength: findings.length })),
        ),
        ([findings, other]) => {
          const pooled = pool(findings);
          expect(pool(other)).toEqual(pooled);
          const turned = pool(flipped(findings));
          expect(turned.logOdds + pooled.logOdds).toBe(0);
          expect(turned.dissent).toBe(pooled.dissent);
          expect(Number.isFinite(pooled.logOdds)).toBe(true);
        },
      ),
    );
  });
});

describe('duplicates', () => {
  const said = { measure: 'growth', value: 2.5, source: { kind: 'series', ref: 'gdp' } };

  it('counts one piece of evidence once, the heaviest first', () => {
    const light = finding('root/a#x', { ...said, confidence: 0.2 });
    const heavy = finding('root/b#x', { ...said, confidence: 0.9 });
    expect(duplicatesIn([light, heavy])).toEqual([[heavy, light]]);
    expect(distinctEvidence([light, heavy])).toEqual([heavy]);
  });

  it.each([
    ['another direction', { stance: -0.5 }],
    ['another value', { value: 2.4 }],
    ['another unit', { unit: '%' }],
    ['another measure', { measure: 'level' }],
    ['another source', { source: { kind: 'series', ref: 'gnp' } }],
    ['another date', { source: { kind: 'series', ref: 'gdp', asOf: '2008-01-01' } }],
    ['no vote', { flags: ['context'] }],
  ])('keeps apart what has %s', (_, over) => {
    expect(duplicatesIn([finding('root/a#x', said), finding('root/b#x', { ...said, ...over })])).toEqual([]);
  });

  it('takes two findings of one node, or findings without a figure, for different things', () => {
    expect(duplicatesIn([finding('root/a#x', said), finding('root/a#y', said)])).toEqual([]);
    const source = said.source;
    expect(duplicatesIn([finding('root/a#x', { source }), finding('root/b#x', { source })])).toEqual([]);
  });

  it('prefers a critical finding', () => {
    const plain = finding('root/a#x', { ...said, stance: -0.8 });
    const alarming = critical('root/b#x', said);
    expect(distinctEvidence([plain, alarming])).toEqual([alarming]);
  });
});
