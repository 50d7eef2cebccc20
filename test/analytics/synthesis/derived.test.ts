import { describe, expect, it } from 'vitest';
import { recomputes } from '../../../src/analytics/derived.ts';
import type { Derived } from '../../../src/protocol/synthesis.ts';
import { finding } from './tree.ts';

const findings = [
  finding('root/a#x', { value: 0.1 }),
  finding('root/b#x', { value: 0.2 }),
  finding('root/c#x', { value: 1.5 }),
  finding('root/d#x'),
  finding('root/e#x', { value: 0 }),
];
const [a, b, c, valueless, zero] = findings.map((one) => one.id) as [string, string, string, string, string];

describe('recomputes', () => {
  it.each<[Derived['op'], number, string[], boolean]>([
    ['count', 2, [a, valueless], true],
    ['count', 0, [], true],
    ['count', 3, [a, b], false],
    ['count', 2, [a, a], false],
    ['sum', 0.3, [a, b], true],
    ['sum', 0.4, [a, b], false],
    ['mean', 0.6, [a, b, c], true],
    ['mean', 0.15, [a, b], true],
    ['mean', 0.16, [a, b], false],
    ['median', 0.2, [c, a, b], true],
    ['min', 0.1, [c, a, b], true],
    ['max', 1.5, [c, a, b], true],
    ['difference', -1.4, [a, c], true],
    ['difference', 1.4, [a, c], false],
    ['difference', 0, [a, b, c], false],
    ['difference', 0.1, [a], false],
    ['ratio', 15, [c, a], true],
    ['ratio', 0.067, [a, c], true],
    ['ratio', 0, [a, zero], false],
    ['sum', 0, [], false],
    ['sum', 0.1, [a, valueless], false],
    ['sum', 0.1, [a, 'root/unknown#x'], false],
    ['count', 1, ['root/unknown#x'], false],
  ])('%s = %s of %j: %s', (op, value, from, expected) => {
    expect(recomputes({ op, value, from }, findings)).toBe(expected);
    expect(recomputes({ op, value, from }, new Map(findings.map((one) => [one.id, one])))).toBe(expected);
  });
});
