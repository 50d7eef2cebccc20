/** What models cost, against what a run may spend. */
import { describe, expect, it } from 'vitest';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafRun } from '../../src/define/spec.ts';
import type { ModelUsage } from '../../src/ports/model.ts';
import type { Budget } from '../../src/protocol/grant.ts';
import { scriptedModel, testScenario } from '../../src/testing/index.ts';

const NO_USE: ModelUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, webSearches: 0 };
const asks: LeafRun = async ({ model, task }) => ({
  statement: (await model.ask({ prompt: task.path, maxTokens: 1_000 })).text,
});
const scenarioOf = (names: readonly string[], budget: Budget, run = asks) =>
  defineScenario({
    name: 's',
    thesis: 't',
    domains: names.map((name) => defineLeaf({ name, asks: true, attempts: 2, run })),
    limits: { budget, concurrency: 1 },
  });

describe('a budget', () => {
  it('that a call does not fit lets none be made, and says what it lacks', async () => {
    const adapter = scriptedModel(() => 'yes');
    const { eventsOf } = await testScenario(scenarioOf(['a'], { usd: 0.01 }), { models: { adapter } });
    expect(adapter.calls).toHaveLength(0);
    expect(eventsOf('budget.refused')).toMatchObject([{ path: 'root/a', dimension: 'usd', left: 0.01 }]);
    expect(eventsOf('budget.refused')[0]?.asked).toBeGreaterThan(0.01); // 1,000 tokens of an answer alone are a cent
    expect(eventsOf('node.failed')[0]?.token.status).toBe('budget');
  });

  it('that more was billed than it holds lets no sibling ask either, though its share is untouched', async () => {
    const adapter = scriptedModel(() => 'yes', { usage: () => ({ outputTokens: 200_000 }) }); // $2
    const { brief, eventsOf } = await testScenario(scenarioOf(['a', 'b'], { usd: 1 }), { models: { adapter } });
    expect(adapter.calls).toHaveLength(1);
    expect(eventsOf('integrity.alert')).toMatchObject([{ kind: 'budget', path: 'root/a' }]);
    expect(eventsOf('budget.refused')).toMatchObject([{ path: 'root/b', left: 0 }]);
    expect(brief.run?.budget?.overdrawn?.usd).toBeGreaterThan(1);
  });

  it('in money needs a price; one in tokens does not', async () => {
    const adapter = scriptedModel(() => 'yes', { prices: {} });
    const refused = await testScenario(scenarioOf(['a'], { usd: 1 }), { models: { adapter } });
    expect(adapter.calls).toHaveLength(0);
    expect(refused.eventsOf('attempt.failed')).toMatchObject([
      {
        willRetry: false,
        fault: { message: expect.stringContaining('"scripted-balanced" has no price. Add it to models.prices') },
      },
    ]);
    const asked = await testScenario(scenarioOf(['a'], { tokens: 10_000 }), { models: { adapter } });
    expect(asked).toMatchObject({ status: 'complete', brief: { usage: { subtree: { usd: 0 } } } });
    const prices = { 'scripted-balanced': { input: 1_000, output: 0 } };
    const priced = await testScenario(scenarioOf(['a'], { usd: 1 }), { models: { adapter, prices } });
    expect(priced.brief.usage.subtree.usd).toBeCloseTo(priced.brief.usage.subtree.inputTokens / 1_000, 9);
  });

  it('counts big prompts before they are sent, and takes small ones by their bytes', async () => {
    const counted: string[] = [];
    const adapter = {
      ...scriptedModel(() => 'yes', { usage: () => NO_USE }),
      countTokens: ({ model }: { model: string }) => {
        counted.push(model);
        return Promise.resolve(3_000);
      },
    };
    const big: LeafRun = async ({ model }) => ({
      statement: (await model.ask({ prompt: 'x'.repeat(40_000), maxTokens: 1_000 })).text,
    });
    const fits = { tokens: 4_100 }; // by its bytes it would take 21,000
    expect(await testScenario(scenarioOf(['a'], fits, big), { models: { adapter } })).toMatchObject({
      status: 'complete',
    });
    expect(counted).toEqual(['scripted-balanced']);
    await testScenario(scenarioOf(['a'], { tokens: 4_000 }), { models: { adapter } });
    await testScenario(scenarioOf(['a'], {}, big), { models: { adapter } }); // without a limit there is nothing to know
    expect(counted).toHaveLength(1);
  });

  it('counts what the vendor may search and fetch', async () => {
    const prices = { 'scripted-balanced': { input: 0, output: 0, webSearch: 1_000 } }; // $1 a search
    const askedWith = async (maxUses: number): Promise<number> => {
      const adapter = scriptedModel(() => 'yes');
      const searching: LeafRun = async ({ model }) => ({
        statement: (await model.ask({ prompt: 'p', serverTools: [{ kind: 'web-search', maxUses }] })).text,
      });
      await testScenario(scenarioOf(['a'], { usd: 3 }, searching), { models: { adapter, prices } });
      return adapter.calls.length;
    };
    expect(await askedWith(3)).toBe(1);
    expect(await askedWith(4)).toBe(0);
    const adapter = scriptedModel(() => 'yes');
    const fetching: LeafRun = async ({ model }) => ({
      statement: (
        await model.ask({
          prompt: 'p',
          maxTokens: 100,
          serverTools: [{ kind: 'web-fetch', maxUses: 2, maxContentTokens: 700 }],
        })
      ).text,
    });
    const { eventsOf } = await testScenario(scenarioOf(['a'], { tokens: 1_000 }, fetching), { models: { adapter } });
    expect(eventsOf('budget.refused')[0]?.asked).toBeGreaterThanOrEqual(1_500);
  });

  it('that a count cannot be had for is reserved by the bytes', async () => {
    const adapter = { ...scriptedModel(() => 'yes'), countTokens: () => Promise.reject(new Error('no such route')) };
    const big: LeafRun = async ({ model }) => ({
      statement: (await model.ask({ prompt: 'x'.repeat(40_000), maxTokens: 1_000 })).text,
    });
    const { eventsOf } = await testScenario(scenarioOf(['a'], { tokens: 4_100 }, big), { models: { adapter } });
    expect(eventsOf('budget.refused')[0]?.asked).toBeGreaterThan(20_000);
  });
});
