import { expect, test } from 'vitest';
import { errandsOf, firstAndSecond, makespanOf } from '../../bench/schedule.ts';
import { median, quantile } from '../../bench/statistics.ts';

// On virtual time: nothing here depends on the machine.
const SEEDS = 15;

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

test('without any estimate, the second run knows from the first what to begin with', async () => {
  const efficiencies: [number[], number[]] = [[], []];
  for (let seed = 0; seed < SEEDS; seed++) {
    const runs = await firstAndSecond(seed);
    for (const [i, { efficiency }] of runs.entries()) efficiencies[i]?.push(efficiency);
  }
  const [first, second] = efficiencies;
  expect(median(second)).toBeGreaterThanOrEqual(0.97);
  expect(quantile(second, 0.05)).toBeGreaterThanOrEqual(0.95);
  expect(median(first)).toBeLessThanOrEqual(median(second) - 0.05);
});
