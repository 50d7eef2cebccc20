/** Scenarios with one fault planted, and what keeps it from being one. */
import { z } from 'zod';
import { defineAgent } from '../../src/agents/define-agent.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import type { ModelsSpec } from '../../src/define/models.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, Domain, DomainSpec, Leaf, LeafSpec, Scenario, ScenarioSpec } from '../../src/define/spec.ts';
import type { Work } from '../../src/ports/model.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';

export const leaf = (name: string, over: Partial<LeafSpec> = {}): Leaf =>
  defineLeaf({ name, run: () => ({ statement: 'said' }), ...over });
export const agent = (name: string, body: string): Leaf =>
  defineAgent({ text: `---\nname: ${name}\ndescription: An agent.\nwork: rules\n---\n${body}\n` });
export const domain = (name: string, children: readonly Child[], over: Partial<DomainSpec> = {}): Domain =>
  defineDomain({ name, charter: 'a part of it', children, ...over });
export const scenario = (domains: readonly Child[], over: Partial<ScenarioSpec> = {}): Scenario =>
  defineScenario({ name: 'planted', thesis: 'It holds', domains, ...over });

export const many = (count: number, over: (index: number) => Partial<LeafSpec> = () => ({})): Leaf[] =>
  Array.from({ length: count }, (_, index) => leaf(`l${index}`, over(index)));
/** A leaf that asks a model for this kind of work, beside one that does not. */
export const asking = (work: Work): Scenario => scenario([leaf('a', { work, asks: true, data: z.json() }), leaf('b')]);
export const models: ModelsSpec = { adapter: scriptedModel(() => '') };
export const keepAll: NonNullable<DomainSpec['synthesize']> = () => ({ narrative: 'All.', dispositions: [] });
