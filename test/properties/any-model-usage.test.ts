/** Whatever a model says that it used: within the reservation nothing exceeds the budget; beyond it, no call follows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../src/adapters/models/anthropic.ts';
import { anthropicPrice } from '../../src/adapters/models/anthropic-prices.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { defineTool } from '../../src/define/define-tool.ts';
import type { Budget } from '../../src/protocol/grant.ts';
import type { Usage } from '../../src/protocol/report.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import { costOf } from '../../src/tier/model-cost.ts';
import { messagesServer, type Asked, type MessagesServer } from '../support/messages-server.ts';
import { z } from 'zod';

const MAX_TOKENS = 300;
const ROUNDS = 15;
const look = defineTool({ name: 'look', description: 'Looks.', input: z.object({}), run: () => 'seen' });

type Given = { seed: number; widths: number[]; budget: Budget; concurrency: number; excess: number };
const given = fc.record({
  seed: fc.nat(),
  widths: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
  budget: fc.oneof<fc.Arbitrary<Budget>[]>(
    fc.record({ usd: fc.integer({ min: 1, max: 60 }).map((n) => n / 1_000) }),
    fc.record({ tokens: fc.integer({ min: 200, max: 20_000 }) }),
  ),
  concurrency: fc.integer({ min: 1, max: 4 }),
});

const spentAt = ({ used }: MessagesServer): { usd: number; tokens: number } => {
  const usage = {
    inputTokens: used.input,
    cacheReadTokens: used.cacheRead,
    cacheWriteTokens: used.cacheWrite,
    outputTokens: used.output,
    webSearches: 0,
  };
  const price = anthropicPrice('claude-sonnet-5-5');
  return {
    usd: price ? costOf(usage, price) : Number.NaN,
    tokens: used.input + used.cacheRead + used.cacheWrite + used.output,
  };
};

/** `excess`: how many times as much as could be reserved an answer may use. */
async function spend({ seed, widths, budget, concurrency, excess }: Given) {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const before: { usd: number; tokens: number }[] = [];
  const server = await messagesServer(({ body }: Asked) => {
    before.push(spentAt(server));
    const most = Math.floor(JSON.stringify(body.messages).length / 3) * excess;
    const [read, written, plain] = [random(), random(), random()].map((share) => Math.floor((share * most) / 3));
    const isCall = random() < 0.3;
    return {
      content: isCall ? [{ type: 'tool_use', id: `toolu_${before.length}`, name: 'look', input: {} }] : 'so it is',
      usage: {
        input_tokens: plain ?? 0,
        cache_read_input_tokens: read ?? 0,
        cache_creation_input_tokens: written ?? 0,
        output_tokens: 1 + Math.floor(random() * (MAX_TOKENS * excess - 1)),
      },
    };
  });
  const events: RunEvent[] = [];
  try {
    const leaf = (name: string) =>
      defineLeaf({
        name,
        asks: true,
        attempts: 2,
        async run({ model, task }) {
          const { text } = await model.ask({
            prompt: `${task.path}: ${'what of it? '.repeat(30)}`,
            maxTokens: MAX_TOKENS,
            tools: [look],
          });
          return { statement: text };
        },
      });
    const domains = widths.map((width, i) =>
      defineDomain({
        name: `d${i}`,
        charter: 'c',
        children: Array.from({ length: width }, (_, j) => leaf(`l${j}`)),
      }),
    );
    const { brief } = await run(
      defineScenario({
        name: 's',
        thesis: 't',
        domains,
        models: { adapter: anthropic({ apiKey: 'k', baseURL: server.url }) },
        limits: { budget, concurrency },
      }),
      { random: () => 0, onEvent: (event) => void events.push(event) },
    );
    return { brief, events, spent: spentAt(server), before, calls: server.asked.length, tool: server.used };
  } finally {
    await server.close();
  }
}

const selves = (events: readonly RunEvent[]): Usage[] =>
  events.flatMap((event) => {
    if (event.type === 'node.reported') return [event.report.usage.self];
    return event.type === 'node.failed' && event.token.partial ? [event.token.partial.usage.self] : [];
  });
const total = (all: readonly Usage[]): { usd: number; tokens: number } => ({
  usd: Math.round(all.reduce((sum, { usd }) => sum + usd, 0) * 1e9) / 1e9,
  tokens: all.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
});
const alerts = (events: readonly RunEvent[]): number =>
  events.filter((event) => event.type === 'integrity.alert' && event.kind === 'budget').length;
const nanos = (usd: number): number => Math.round(usd * 1e9);

describe('whatever a model says that it used', () => {
  it('within what was reserved: the budget holds, and all sums are the server’s own, to the token', async () => {
    let calls = 0;
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(given, async (one) => {
        const ended = await spend({ ...one, excess: 1 });
        const { brief, spent, events } = ended;
        calls += ended.calls;
        refusals += events.filter(({ type }) => type === 'budget.refused').length;
        expect(nanos(spent.usd)).toBeLessThanOrEqual(nanos(one.budget.usd ?? Infinity));
        expect(spent.tokens).toBeLessThanOrEqual(one.budget.tokens ?? Infinity);
        expect(alerts(events)).toBe(0);
        expect(brief.run?.budget?.overdrawn).toBeUndefined();
        const subtree = total([brief.usage.subtree]);
        expect(subtree.tokens).toBe(spent.tokens);
        expect(nanos(subtree.usd)).toBe(nanos(spent.usd));
        expect(total(selves(events))).toEqual(subtree);
      }),
      { numRuns: ROUNDS },
    );
    expect(calls).toBeGreaterThan(0);
    expect(refusals).toBeGreaterThan(0); // it was tight
  });

  it('beyond what was reserved: it is recorded, and no call is made once the whole budget is spent', async () => {
    let recorded = 0;
    await fc.assert(
      fc.asyncProperty(given, async (one) => {
        const ended = await spend({ ...one, excess: 20, concurrency: 1 }); // a call that is on its way comes all the same
        const { brief, spent, events, before } = ended;
        recorded += alerts(events);
        for (const { usd, tokens } of before) {
          expect(nanos(usd)).toBeLessThan(nanos(one.budget.usd ?? Infinity));
          expect(tokens).toBeLessThan(one.budget.tokens ?? Infinity);
        }
        const { usd: beyondUsd = 0, tokens: beyondTokens = 0 } = brief.run?.budget?.overdrawn ?? {};
        const subtree = total([brief.usage.subtree]);
        if (one.budget.usd !== undefined) expect(nanos(subtree.usd + beyondUsd)).toBe(nanos(spent.usd));
        else expect(subtree.tokens + beyondTokens).toBe(spent.tokens);
        expect(total(selves(events))).toEqual(subtree);
      }),
      { numRuns: ROUNDS },
    );
    expect(recorded).toBeGreaterThan(0);
  });
});
