import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import type { Usage } from '../../src/protocol/report.ts';
import { addUsage, ownUsage, subtreeUsage } from '../../src/tier/usage.ts';
import { reportOf, tokenOf } from './samples.ts';

const usages: fc.Arbitrary<Usage> = fc.record({
  nodes: fc.nat(),
  leaves: fc.nat(),
  attempts: fc.nat(),
  depth: fc.nat(9),
  inputTokens: fc.nat(),
  outputTokens: fc.nat(),
  usd: fc.nat(),
});

it('adds up in any order, and keeps the greatest depth', () => {
  fc.assert(
    fc.property(usages, usages, usages, (a, b, c) => {
      expect(addUsage(a, b)).toEqual(addUsage(b, a));
      expect(addUsage(addUsage(a, b), c)).toEqual(addUsage(a, addUsage(b, c)));
      expect(addUsage(a, b)).toMatchObject({
        nodes: a.nodes + b.nodes,
        usd: a.usd + b.usd,
        depth: Math.max(a.depth, b.depth),
      });
    }),
  );
});
test('a node counts itself, at its own depth', () => {
  expect(ownUsage('root/a/b', { leaves: 1, attempts: 2 })).toEqual({
    nodes: 1,
    leaves: 1,
    attempts: 2,
    depth: 2,
    inputTokens: 0,
    outputTokens: 0,
    usd: 0,
  });
});
test.each([
  ['a report: what it says of its subtree', reportOf('root/a/b'), { nodes: 1, leaves: 1, attempts: 1, depth: 2 }],
  [
    'a token with a partial: that of its partial',
    tokenOf('root/a', { partial: reportOf('root/a/b') }),
    { leaves: 1, depth: 2 },
  ],
  [
    'the token of a leaf: its place and its attempts',
    tokenOf('root/a/b'),
    { nodes: 1, leaves: 1, attempts: 3, depth: 2 },
  ],
  ['the token of a domain: its place', tokenOf('root/a'), { nodes: 1, leaves: 0, depth: 1 }],
])('of %s', (_, outcome, usage) => {
  expect(subtreeUsage(outcome)).toMatchObject(usage);
});
