import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { defineTool } from '../../src/define/define-tool.ts';
import { modelsOf, type ModelsSpec } from '../../src/define/models.ts';
import type { ModelWork, Policy } from '../../src/ports/model.ts';
import { plan } from '../../src/runtime/plan.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';

const adapter = scriptedModel(() => '');
const scenarioWith = (models: unknown) =>
  defineScenario({
    name: 's',
    thesis: 't',
    domains: [defineLeaf({ name: 'l', run: () => [] })],
    models: models as ModelsSpec,
  });
const KINDS: readonly ModelWork[] = [
  'extraction',
  'rules',
  'recovery',
  'structured',
  'synthesis',
  'authoring',
  'planning',
];
const classes = (...policies: (Policy | 'fast' | 'mixed' | 'deep' | undefined)[]): string => {
  const [own, runs] = policies;
  const models = modelsOf({ adapter, ...(own !== undefined && { policy: own }) }, runs);
  return KINDS.map((kind) => models.choiceFor(kind).class[0]).join('');
};

describe('a policy', () => {
  it('has a class for every kind of work', () => {
    expect(classes()).toBe('fffbbdd');
    expect(classes('fast')).toBe('fffffff');
    expect(classes('deep')).toBe('ddddddd');
    expect(classes({ work: { rules: 'balanced' } })).toBe('fbfbbdd');
  });

  it('of the run stands over the scenario’s: by name in its place, written out laid over it', () => {
    expect(classes({ work: { rules: 'balanced' } }, 'fast')).toBe('fffffff');
    expect(classes({ work: { rules: 'balanced' } }, 'mixed')).toBe('fffbbdd');
    expect(classes({ work: { rules: 'balanced' } }, { work: { planning: 'fast' } })).toBe('fbfbbdf');
    expect(classes('deep', { work: { planning: 'fast' } })).toBe('ddddddf');
  });

  it('by name leaves the scenario’s models for the classes', () => {
    const own: Policy = { classes: { deep: { model: 'mine', effort: 'low' } } };
    expect(modelsOf({ adapter, policy: own }, 'deep').choiceFor('rules')).toEqual({
      class: 'deep',
      model: 'mine',
      effort: 'low',
      maxTokens: 16_384,
      pool: 'model:deep',
    });
  });
});

describe('what is misspelt is said where it is written', () => {
  it.each([
    ['claude', 'Scenario "s" has models: the text "claude". Give { adapter: anthropic({ apiKey }) }.'],
    [
      { adapter: {} },
      'Scenario "s" has models.adapter: an object. Give a model adapter, such as anthropic({ apiKey }).',
    ],
    [{ adapter, policy: 'cheap' }, 'The policy is the text "cheap". Give fast, mixed or deep, or { work, classes }.'],
    [{ adapter, policy: { kinds: {} } }, 'The policy has "kinds". Give any of work and classes.'],
    [
      { adapter, policy: { work: { coding: 'deep' } } },
      `The policy's work has "coding". Give any of extraction, rules,`,
    ],
    [
      { adapter, policy: { work: { rules: 'opus' } } },
      `The policy's work.rules is the text "opus". Give fast, balanced or deep.`,
    ],
    [{ adapter, policy: { classes: { huge: { model: 'x' } } } }, `The policy's classes has "huge".`],
    [
      { adapter, policy: { classes: { deep: 'x' } } },
      `The policy's classes.deep is the text "x". Give { model: "…", effort }.`,
    ],
    [
      { adapter, policy: { classes: { deep: { model: 'x', effort: 'some' } } } },
      `classes.deep.effort is the text "some". Give one of low,`,
    ],
    [
      { adapter, policy: { classes: { deep: { model: 'x', maxTokens: 0.5 } } } },
      `classes.deep.maxTokens is 0.5. Give a whole`,
    ],
    [{ adapter, prices: 7 }, 'Scenario "s" has models.prices: 7.'],
    [
      { adapter, prices: { x: { input: 1 } } },
      'The price of "x" has output: undefined. Give US dollars for a million tokens.',
    ],
    [
      { adapter, prices: { x: { input: 1, output: 2, webSearch: -1 } } },
      'has webSearch: -1. Give US dollars for a thousand searches.',
    ],
    [
      { adapter, prices: { x: { input: 1, output: 2, cash: 3 } } },
      'The price of "x" has "cash". Give any of input, output,',
    ],
    [
      { adapter, prices: { x: { input: 1, output: 2, long: {} } } },
      'has long: an object. Give { above, input, output }',
    ],
    [
      { adapter, prices: { x: { input: 1, output: 2, long: { above: 9, input: 1 } } } },
      'The price of "x" for long prompts has output',
    ],
  ])('%j', (models, message) => {
    expect(() => scenarioWith(models)).toThrow(message);
  });

  it('in the options of a run, too', () => {
    expect(() => plan(scenarioWith({ adapter }), { policy: 'cheap' as 'fast' })).toThrow(
      'The policy is the text "cheap"',
    );
    expect(() => plan(scenarioWith(undefined), { models: {} as ModelsSpec })).toThrow(
      'The run has models.adapter: undefined',
    );
  });

  it.each([
    ['yes', 'Leaf "l" has asks: the text "yes". Give true, or { calls, inputTokens, outputTokens }.'],
    [{ tokens: 1 }, 'Leaf "l" has asks with "tokens". Give any of calls, inputTokens, outputTokens, webSearches.'],
    [{ calls: -1 }, 'Leaf "l" has asks.calls: -1. Give a number of at least 0.'],
  ])('that it asks: %j', (asks, message) => {
    expect(() => defineLeaf({ name: 'l', asks: asks as never, run: () => [] })).toThrow(message);
  });
});

describe('a tool', () => {
  const input = z.object({ of: z.string().describe('whose') });
  const tool = { name: 'look', description: 'Looks.', input, run: () => 1 };

  it('has the schema of its input, for the model to go by', () => {
    expect(defineTool(tool).inputSchema).toEqual({
      type: 'object',
      properties: { of: { type: 'string', description: 'whose' } },
      required: ['of'],
    });
  });

  it.each([
    [{ ...tool, name: 'look up' }, 'A tool has name: the text "look up". Use 1 to 64 letters'],
    [{ ...tool, description: ' ' }, 'The tool "look" has no description.'],
    [{ ...tool, run: 1 }, 'The tool "look" has no run function.'],
    [{ ...tool, input: z.string() }, 'The input of the tool "look" is no object.'],
    [{ ...tool, input: z.object({ at: z.date() }) }, 'The input of the tool "look" has no JSON schema'],
  ])('that cannot work is refused', (spec, message) => {
    expect(() => defineTool(spec as typeof tool)).toThrow(message);
  });
});
