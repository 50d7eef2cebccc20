import { mean } from 'simple-statistics';
import { clamp } from './rounding.ts';

/**
 * The 5 % critical value of sup-F for one parameter and 15 % trim: Andrews (1993), Econometrica 61, with the table
 * of his corrigendum (2003).
 */
export const BREAK_CRITICAL_VALUE = 8.68;

const TRIM = 0.15;
/** With fewer values the asymptotic table is no guide: at 16, an AR(1) without a break is found broken in 9 %. */
const FEWEST = 20;
/** A break without any noise around it has an infinite F. */
const LIMIT = 999;

/** `f` is sup-F, at most 999; `at` is the index of the first value after the most likely break. */
export type MeanBreak = { readonly f: number; readonly at: number };

/**
 * The most likely single shift of the mean, with its sup-F statistic: over all places but the outer 15 %, the largest
 * F of two means against one, on values prewhitened by an AR(1). A break when `f` exceeds `BREAK_CRITICAL_VALUE`.
 * Undefined for fewer than 20 values or no variation.
 *
 * The AR(1) is estimated as if there were no break, which keeps persistent noise from looking broken (1–8 % at 60
 * values, against 18–35 % when it is estimated around the break) but takes a huge break in the middle for persistence
 * (Vogelsang 1999). One near the end, which is what the analysts ask for, is found whatever its size.
 */
export function meanBreak(values: readonly number[]): MeanBreak | undefined {
  if (values.length < FEWEST) return undefined;
  const innovations = prewhitened(values);
  const count = innovations.length;
  const whole = squaredDeviations(innovations);
  if (whole <= 1e-20 * innovations.reduce((sum, value) => sum + value * value, 0)) return undefined;
  let best: MeanBreak = { f: 0, at: 0 };
  for (let split = Math.ceil(TRIM * count); split <= Math.floor((1 - TRIM) * count); split += 1) {
    const apart = squaredDeviations(innovations.slice(0, split)) + squaredDeviations(innovations.slice(split));
    const f = apart > 0 ? Math.min(LIMIT, (whole - apart) / (apart / (count - 2))) : LIMIT;
    // Prewhitening took the first value, so innovation `split` belongs to value `split + 1`.
    if (f > best.f) best = { f, at: split + 1 };
  }
  return best;
}

function prewhitened(values: readonly number[]): number[] {
  const center = mean([...values]);
  let products = 0;
  let squares = 0;
  for (const [index, value] of values.slice(1).entries()) {
    const before = (values[index] ?? center) - center;
    products += before * (value - center);
    squares += before * before;
  }
  const persistence = squares > 0 ? clamp(products / squares, -0.95, 0.95) : 0;
  return values.slice(1).map((value, index) => value - persistence * (values[index] ?? center));
}

function squaredDeviations(values: readonly number[]): number {
  const center = mean([...values]);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0);
}
