import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { robustZ } from '../../../src/analytics/robust.ts';

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return Number.isInteger(half) ? (at(half - 1) + at(half)) / 2 : at(Math.floor(half));
}

test('a known answer: median 4, MAD 2', () => {
  expect(robustZ(10, [1, 2, 4, 6, 10])).toBeCloseTo(6 / (1.4826 * 2), 12);
});

test('it is the definition, whatever the order', () => {
  const history = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 8, maxLength: 60 });
  fc.assert(
    fc.property(history, fc.integer({ min: -1000, max: 1000 }), (values, value) => {
      const center = middle(values);
      const mad = middle(values.map((each) => Math.abs(each - center)));
      const meanDeviation = values.reduce((sum, each) => sum + Math.abs(each - center), 0) / values.length;
      fc.pre(1.4826 * mad > 0.1 * 1.2533 * meanDeviation);
      const expected = Math.max(-99, Math.min(99, (value - center) / (1.4826 * mad)));
      expect(robustZ(value, values)).toBeCloseTo(expected, 9);
      expect(robustZ(value, [...values].reverse())).toBe(robustZ(value, values));
    }),
  );
});

test('a history of one value but one has MAD 0: the mean deviation stands in', () => {
  // Mean absolute deviation 10/20.
  const pegged = [...Array.from({ length: 19 }, () => 5), 15];
  expect(robustZ(15, pegged)).toBeCloseTo(10 / (1.2533 * 0.5), 9);
  expect(robustZ(5, pegged)).toBe(0);
});

test('so has, nearly, a history that hardly moves but for some values', () => {
  const hardly = Array.from({ length: 19 }, (_, index) => 5 + 1e-4 * (index % 3));
  expect(robustZ(15, [...hardly, 15])).toBeLessThan(20);
});

test('no spread, no score', () => {
  expect(robustZ(3, [3, 3, 3])).toBe(0);
  expect(robustZ(3, [])).toBe(0);
  // Rounding errors are no spread.
  expect(robustZ(0.01, [0.01, 0.01 + 1e-17, 0.01 - 1e-17, 0.01 + 2e-17])).toBe(0);
});
