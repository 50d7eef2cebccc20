import { expect, test } from 'vitest';
import { errandsOf, makespanOf } from '../../bench/schedule.ts';
import { median, quantile } from '../../bench/statistics.ts';

// On virtual time: nothing here depends on the machine.
const SEEDS = 40;

test('120 sources in three tiers at cap 10: near the bound, and at least 5.9 times as fast as one after another', async () => {
  const efficiencies: number[] = [];
  const speedUps: number[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const errands = errandsOf(seed, 'true');
    const { efficiency, makespanMs, peak } = await makespanOf(errands, 'three tiers', 10);
    expect(peak).toBe(10);
    efficiencies.push(efficiency);
    speedUps.push(errands.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / makespanMs);
  }
  expect(median(efficiencies)).toBeGreaterThanOrEqual(0.97);
  expect(quantile(efficiencies, 0.05)).toBeGreaterThanOrEqual(0.94);
  expect(median(speedUps)).toBeGreaterThanOrEqual(5.9);
});
