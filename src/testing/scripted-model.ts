/** A model that answers from a script: for tests of whatever asks one, without a key and without a network. */
import { z } from 'zod';
import { sleepOn } from '../activities/sleep.ts';
import type { Clock } from '../ports/clock.ts';
import type { Citation, ModelAdapter, ModelAnswer, ModelRequest, ModelUsage, Price, ToolCall } from '../ports/model.ts';
import { errorOf } from '../tier/fault.ts';
import type { Fault } from '../protocol/fault.ts';

/** What the script says to one call: a text; anything else is said as JSON, unless it is one of `say`. */
export type ScriptedAnswer =
  | string
  | { readonly calls: readonly (Omit<ToolCall, 'id'> & { readonly id?: string })[] }
  | { readonly refusal: string }
  | { readonly truncated: string }
  | { readonly paused: string }
  /** The call fails: an error as it is, or as a fault says. */
  | { readonly fails: Error | Fault }
  | { readonly value: unknown; readonly citations?: readonly Citation[] };
export type ScriptedCall = {
  readonly request: ModelRequest;
  /** All that was said to the model, system and tools' results included, as one text. */
  readonly said: string;
  /** How many calls there have been, this one included. */
  readonly count: number;
};
export type ScriptedModelOptions = {
  /** How long an answer takes, in ms, on the clock that is given. Default: no time. */
  readonly latency?: { readonly clock: Clock; readonly ms: (call: ScriptedCall) => number };
  /** What a call is said to have used. Default: a token for every four characters. */
  readonly usage?: (call: ScriptedCall, answer: string) => Partial<ModelUsage>;
  /** Of all its models. Default: 1 and 5 US dollars for a million tokens of `scripted-fast`, 2 and 10, 4 and 20. */
  readonly prices?: Readonly<Record<string, Price>>;
  readonly limits?: () => ModelAnswer['limits'];
};
export type ScriptedModel = ModelAdapter & {
  /** Every call, in order. */
  readonly calls: readonly ScriptedCall[];
  /** What it said that all calls used, by its own count. */
  readonly used: Required<ModelUsage>;
};

const PRICES: Readonly<Record<string, Price>> = {
  'scripted-fast': { input: 1, output: 5 },
  'scripted-balanced': { input: 2, output: 10 },
  'scripted-deep': { input: 4, output: 20 },
};
const CHARACTERS_PER_TOKEN = 4;

/**
 * @example
 * const model = scriptedModel(({ said }) => (said.includes('census') ? { value: { people: 3 } } : 'I do not know'));
 * await testScenario(scenario, { models: { adapter: model } });
 * expect(model.calls).toHaveLength(1);
 */
export function scriptedModel(
  script: (call: ScriptedCall) => ScriptedAnswer | Promise<ScriptedAnswer>,
  { latency, usage, prices = PRICES, limits }: ScriptedModelOptions = {},
): ScriptedModel {
  const calls: ScriptedCall[] = [];
  const used = { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, webSearches: 0 };
  return {
    name: 'scripted',
    models: {
      fast: { model: 'scripted-fast' },
      balanced: { model: 'scripted-balanced' },
      deep: { model: 'scripted-deep' },
    },
    price: (model) => prices[model],
    calls,
    used,
    async ask(request, { abortSignal }) {
      // Of the messages as they are now: the list grows with the conversation.
      const call = {
        request: { ...request, messages: [...request.messages] },
        said: saidIn(request),
        count: calls.length + 1,
      };
      calls.push(call);
      if (latency) await sleepOn(latency.clock, latency.ms(call), abortSignal);
      const answer = await script(call);
      if (typeof answer === 'object' && 'fails' in answer) {
        throw answer.fails instanceof Error ? answer.fails : errorOf(answer.fails);
      }
      const text = textOf(answer);
      const counted: ModelUsage = {
        inputTokens: Math.ceil(call.said.length / CHARACTERS_PER_TOKEN),
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        outputTokens: Math.max(1, Math.ceil(text.length / CHARACTERS_PER_TOKEN)),
        webSearches: 0,
        ...usage?.(call, text),
      };
      for (const name of Object.keys(used) as (keyof ModelUsage)[]) used[name] += counted[name];
      const told = limits?.();
      return {
        usage: counted,
        text,
        content: text,
        citations: typeof answer === 'object' && 'value' in answer ? (answer.citations ?? []) : [],
        ...(told && { limits: told }),
        ...outcomeOf(answer, call.count),
      };
    },
  };
}

function outcomeOf(answer: Exclude<ScriptedAnswer, { fails: unknown }>, count: number) {
  if (typeof answer === 'string' || 'value' in answer) return { outcome: 'ended' as const };
  if ('calls' in answer) {
    const calls = answer.calls.map((call, i) => ({ id: `call-${count}-${i}`, ...call }));
    return { outcome: 'tool-calls' as const, calls };
  }
  if ('paused' in answer) return { outcome: 'paused' as const };
  if ('refusal' in answer) return { outcome: 'refusal' as const, why: answer.refusal };
  return { outcome: 'truncated' as const, why: answer.truncated };
}

function textOf(answer: Exclude<ScriptedAnswer, { fails: unknown }>): string {
  if (typeof answer === 'string') return answer;
  if ('value' in answer) return typeof answer.value === 'string' ? answer.value : JSON.stringify(answer.value);
  if ('paused' in answer) return answer.paused;
  return 'calls' in answer ? JSON.stringify(answer.calls) : '';
}

function saidIn({ system, messages, output }: ModelRequest): string {
  const shape = output ? [JSON.stringify(z.toJSONSchema(output, { unrepresentable: 'any' }))] : [];
  const parts = messages.map((message) => {
    if (message.role === 'user') return message.text;
    if (message.role === 'tools') return message.results.map(({ text }) => text).join('\n');
    return typeof message.content === 'string' ? message.content : JSON.stringify(message.content);
  });
  return [...system.map(({ text }) => text), ...parts, ...shape].join('\n');
}
