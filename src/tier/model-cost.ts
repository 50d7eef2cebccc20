/** What calls of models cost, by a price. Pure. */
import type { Cost } from '../ports/budget.ts';
import type { ModelUsage, Price } from '../ports/model.ts';

export const NO_USAGE: ModelUsage = Object.freeze({
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  webSearches: 0,
});

export const addModelUsage = (a: ModelUsage, b: ModelUsage): ModelUsage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  webSearches: a.webSearches + b.webSearches,
});

/** All that went in, cached or not. */
export const promptTokens = ({ inputTokens, cacheReadTokens, cacheWriteTokens }: ModelUsage): number =>
  inputTokens + cacheReadTokens + cacheWriteTokens;

const MILLION = 1e6;
const THOUSAND = 1e3;

/** US dollars. */
export function costOf(usage: ModelUsage, price: Price): number {
  const { input, output, cacheRead = input, cacheWrite = input } = rateFor(promptTokens(usage), price);
  const tokens =
    usage.inputTokens * input +
    usage.cacheReadTokens * cacheRead +
    usage.cacheWriteTokens * cacheWrite +
    usage.outputTokens * output;
  return tokens / MILLION + (usage.webSearches * (price.webSearch ?? 0)) / THOUSAND;
}

/** The most that a call can cost whose prompt has at most so many tokens: no cache serves any, and all may be kept. */
export function mostCost(most: Pick<ModelUsage, 'inputTokens' | 'outputTokens' | 'webSearches'>, price: Price): Cost {
  const { inputTokens, outputTokens, webSearches } = most;
  const { input, cacheWrite = input } = rateFor(inputTokens, price);
  const isDearer = cacheWrite > input;
  const usage: ModelUsage = {
    inputTokens: isDearer ? 0 : inputTokens,
    cacheWriteTokens: isDearer ? inputTokens : 0,
    cacheReadTokens: 0,
    outputTokens,
    webSearches,
  };
  return { usd: costOf(usage, price), tokens: inputTokens + outputTokens };
}

const rateFor = (prompt: number, { long, ...base }: Price): Omit<Price, 'long' | 'webSearch'> =>
  long && prompt > long.above ? long : base;
