import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { relevanceOf } from '../../src/define/relevance.ts';
import type { Candidate } from '../../src/define/shape.ts';

const child = (charter: string, name = 'x1', question = ''): Candidate => ({
  name,
  kind: 'domain',
  question,
  charter,
  sources: [],
  needs: [],
  leaves: 1,
  tiers: 2,
  estimateMs: 1,
  measured: 0,
});
const score = (thesis: string, charter: string, asked = 0, withData = 0, question = ''): number =>
  relevanceOf({ thesis, child: child(charter, 'x1', question), sources: { asked, withData } });

describe('relevanceOf', () => {
  it.each([
    ['Hold gold', 'Gold', 0, 0, 0.75], // gold of { gold, x1 }: half of the terms in common, all data there
    ['Hold gold', 'Gold', 4, 1, 0.375],
    ['Hold gold', 'Wheat', 4, 4, 0.5],
    ['Hold gold', 'Wheat', 4, 0, 0],
    ['Holding shares', 'holds a share of the', 2, 2, 1],
    ['Out of the', 'and of', 2, 2, 0.5],
  ])('of %j and %j, %i sources asked and %i with data: %f', (thesis, charter, asked, withData, expected) => {
    expect(score(thesis, charter, asked, withData)).toBe(expected);
  });
  it('learns nothing from a question that is the thesis', () => {
    expect(score('Hold gold', 'Wheat', 1, 0, 'Hold gold')).toBe(0);
    expect(score('Hold gold', 'Wheat', 1, 0, 'Does gold pay?')).toBeGreaterThan(0);
  });
});

const leaf = defineLeaf({ name: 'a', run: () => [] });
it.each([
  [{ relevance: 'guess' }, /has relevance: the text "guess"/],
  [{ relevance: { threshold: 2 } }, /relevance\.threshold: 2/],
  [{ reinvestigate: {} }, /nobody to ask/],
  [{ reinvestigate: 7 }, /reinvestigate: 7/],
  [{ reinvestigate: { leaves: [leaf] } }, /two children named "a"/],
  [{ reinvestigate: { leaves: [{}] } }, /one that is none/],
  [{ reinvestigate: { rounds: 4 }, decide: () => ({}) }, /reinvestigate\.rounds: 4/],
  [{ reinvestigate: { dissentAbove: 'x' }, decide: () => ({}) }, /dissentAbove/],
  [{ decide: 7 }, /has decide: 7/],
  [{ aliases: 'x' }, /has aliases/],
])('a domain with %j is refused', (over, message) => {
  expect(() => defineDomain({ name: 'd', charter: 'c', children: [leaf], ...(over as object) })).toThrow(message);
});
