import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { CONTEXT_FLAG, votes, weightOf } from '../../src/protocol/finding.ts';
import { GapKind, isHole } from '../../src/protocol/gap.ts';
import { CRITICAL, findingOf } from '../tier/samples.ts';
import { findings } from './arbitraries.ts';

test.each([
  ['confidence · |stance|', { confidence: 0.5, stance: -0.8 }, 0.4],
  ['three times that when critical', { confidence: 0.5, stance: -0.8, ...CRITICAL }, 1.2],
  ['nothing without a stance', { confidence: 1, stance: 0, ...CRITICAL }, 0],
])('a finding weighs %s', (_, over, weight) => {
  expect(weightOf(findingOf('root', 'said', over))).toBeCloseTo(weight, 12);
});
it('weighs the same for and against', () => {
  fc.assert(fc.property(findings, (one) => weightOf(one) === weightOf({ ...one, stance: -one.stance })));
});
test('context is reported and does not vote', () => {
  expect(votes(findingOf('root'))).toBe(true);
  expect(votes(findingOf('root', 'said', { flags: ['own', CONTEXT_FLAG] }))).toBe(false);
});

test('a report with a gap is partial when something was due and did not come', () => {
  const holes = GapKind.options.filter((kind) => isHole({ path: 'root', kind, why: '' }));
  expect(holes).toEqual(['token', 'undone', 'synthesis', 'pending']);
});
