import { describe, expect, test } from 'vitest';
import { BREAK_CRITICAL_VALUE, meanBreak } from '../../../src/analytics/structural-break.ts';
import { normals } from './series-of.ts';

const LENGTH = 60;
const seeds = Array.from({ length: 1000 }, (_, index) => index + 1);
const noise = (seed: number, persistence = 0): number[] => {
  const next = normals(seed);
  let value = 0;
  return Array.from({ length: LENGTH }, () => (value = persistence * value + next()));
};
const isBroken = (values: readonly number[]): boolean => (meanBreak(values)?.f ?? 0) > BREAK_CRITICAL_VALUE;

describe('a planted break', () => {
  test.each([
    { deviations: 3, place: 15 },
    { deviations: 3, place: 45 },
    { deviations: 3, place: 50 },
    { deviations: 6, place: 50 },
  ])('of $deviations deviations is found at $place', ({ deviations, place }) => {
    const near = seeds.filter((seed) => {
      const found = meanBreak(noise(seed).map((value, index) => value + (index >= place ? deviations : 0)));
      return found && found.f > BREAK_CRITICAL_VALUE && Math.abs(found.at - place) <= 2;
    });
    expect(near.length / seeds.length).toBeGreaterThan(0.9);
  });

  test('without noise is found exactly', () => {
    const step = Array.from({ length: 40 }, (_, index) => (index % 2) * 0.01 + (index >= 25 ? 1 : 0));
    expect(meanBreak(step)?.at).toBe(25);
  });

  test('in the outer 15 % is out of reach', () => {
    const late = noise(1).map((value, index) => value + (index >= 57 ? 3 : 0));
    expect(meanBreak(late)?.at).toBeLessThanOrEqual(51);
  });
});

const shareBroken = (persistence: number): number =>
  seeds.filter((seed) => isBroken(noise(seed, persistence))).length / seeds.length;

test('noise is called broken about as rarely as the 5 % level says', () => {
  expect(shareBroken(0)).toBeLessThan(0.08);
  // Prewhitening is what keeps a persistent series from looking broken.
  expect(shareBroken(0.8)).toBeLessThan(0.08);
});

/** Σ(x − mean)² by the other formula, Σx² − (Σx)²/n. */
function squares(part: readonly number[]): number {
  const total = part.reduce((sum, value) => sum + value, 0);
  return part.reduce((sum, value) => sum + value * value, 0) - (total * total) / part.length;
}

test('F is the definition', () => {
  const values = noise(7);
  const center = values.reduce((sum, value) => sum + value, 0) / LENGTH;
  const at = (index: number): number => values[index] ?? Number.NaN;
  const pairs = Array.from({ length: LENGTH - 1 }, (_, index) => [at(index), at(index + 1)] as const);
  const products = pairs.reduce((sum, [before, now]) => sum + (before - center) * (now - center), 0);
  const phi = products / pairs.reduce((sum, [before]) => sum + (before - center) ** 2, 0);
  const whitened = pairs.map(([before, now]) => now - phi * before);
  const fs = Array.from({ length: 42 }, (_, index) => {
    const split = index + 9; // 0.15 · 59 = 8.85 … 0.85 · 59 = 50.15
    const apart = squares(whitened.slice(0, split)) + squares(whitened.slice(split));
    return (squares(whitened) - apart) / (apart / 57);
  });
  const largest = Math.max(...fs);
  expect(meanBreak(values)?.f).toBeCloseTo(largest, 9);
  expect(meanBreak(values)?.at).toBe(fs.indexOf(largest) + 9 + 1);
});

test('too few values or none that vary: no answer', () => {
  expect(meanBreak(noise(1).slice(0, 19))).toBeUndefined();
  expect(meanBreak(noise(1).slice(0, 20))).toBeDefined();
  expect(meanBreak(Array.from({ length: 40 }, () => 0.1))).toBeUndefined();
  expect(meanBreak([])).toBeUndefined();
});
