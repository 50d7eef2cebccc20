import { describe, expect, it } from 'vitest';
import { anthropicPrice } from '../../src/adapters/models/anthropic-prices.ts';
import type { ModelUsage, Price } from '../../src/ports/model.ts';
import { costOf, mostCost, NO_USAGE } from '../../src/tier/model-cost.ts';

const usage = (more: Partial<ModelUsage>): ModelUsage => ({ ...NO_USAGE, ...more });
const price: Price = { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5, webSearch: 10 };
const long: Price = { ...price, long: { above: 1_000, input: 20, output: 100 } };

describe('what a call costs', () => {
  it('is each kind of token at its rate, and searches by the thousand', () => {
    const used = usage({
      inputTokens: 1e6,
      cacheReadTokens: 1e6,
      cacheWriteTokens: 1e6,
      outputTokens: 1e6,
      webSearches: 100,
    });
    expect(costOf(used, price)).toBeCloseTo(2 + 0.1 + 2.5 + 10 + 1, 9);
  });

  it('takes what a cache holds for fresh where its rate is not known', () => {
    const used = usage({ cacheReadTokens: 1e6, cacheWriteTokens: 1e6 });
    expect(costOf(used, { input: 3, output: 0 })).toBeCloseTo(6, 9);
  });

  it('is another rate for all of it when the prompt is long, cached tokens included', () => {
    expect(costOf(usage({ inputTokens: 1_000, outputTokens: 100 }), long)).toBeCloseTo(0.003, 9);
    expect(costOf(usage({ inputTokens: 501, cacheReadTokens: 500, outputTokens: 100 }), long)).toBeCloseTo(0.03002, 9);
  });

  it('of Claude Haiku rises fivefold above 100,000 tokens', () => {
    const haiku = anthropicPrice('claude-haiku-5-5');
    if (!haiku) throw new Error('no price');
    expect(costOf(usage({ inputTokens: 100_000 }), haiku)).toBeCloseTo(0.01, 9);
    expect(costOf(usage({ inputTokens: 100_001 }), haiku)).toBeCloseTo(0.0500005, 9);
  });
});

it.each([
  [{ inputTokens: 900, outputTokens: 50, webSearches: 2 }],
  [{ inputTokens: 5_000, outputTokens: 50, webSearches: 0 }],
])('the most that a call can cost is never less than it does, whatever of %j a cache serves or takes', (most) => {
  for (const one of [price, long, { input: 1, output: 2 }]) {
    const { usd = 0, tokens } = mostCost(most, one);
    expect(tokens).toBe(most.inputTokens + most.outputTokens);
    for (const [read, written] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [0.4, 0.4],
    ] as const) {
      const cacheReadTokens = Math.floor(most.inputTokens * read);
      const cacheWriteTokens = Math.floor(most.inputTokens * written);
      const inputTokens = most.inputTokens - cacheReadTokens - cacheWriteTokens;
      expect(costOf({ ...most, inputTokens, cacheReadTokens, cacheWriteTokens }, one)).toBeLessThanOrEqual(usd + 1e-12);
    }
  }
});
