/** Agents on scripted models, for tests of what code makes of their answers. */
import { defineAgent, type AgentOptions } from '../../src/agents/define-agent.ts';
import { inMemorySources } from '../../src/adapters/sources/in-memory.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Leaf, ScenarioSpec } from '../../src/define/spec.ts';
import {
  scriptedModel,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedModel,
} from '../../src/testing/scripted-model.ts';
import { testScenario, type TestedRun, type TestOptions } from '../../src/testing/test-scenario.ts';

/** `head`: lines of the definition besides its name, description and work. */
export const agent = <Data>(name: string, head = '', options: AgentOptions<Data> = {}): Leaf<Data> =>
  defineAgent<Data>(
    {
      text: `---\nname: ${name}\ndescription: What ${name} looks at.\nwork: structured\n${head}\n---\nYou are the body of ${name}.\n`,
      where: `${name}.md`,
    },
    options,
  );

/** What an agent's model answers when nothing is said of it. */
export const finding = (over: object = {}) => ({
  key: 'one',
  statement: 'Employment grows',
  stance: 0.5,
  confidence: 0.8,
  sources: [],
  ...over,
});
export const answer = (...findings: object[]): ScriptedAnswer => ({ value: { findings, lacking: [] } });
export const call = (name: string, input: object = {}): ScriptedAnswer => ({ calls: [{ name, input }] });

export const MONTHS = Array.from({ length: 30 }, (_, i) => {
  const month = String((i % 12) + 1).padStart(2, '0');
  return [`${2006 + Math.floor(i / 12)}-${month}-01`, 100 + i] as const;
});
const sources = inMemorySources([
  { id: 'jobs', title: 'Employment', unit: 'thousand', values: MONTHS },
  {
    id: 'rates',
    title: 'Rates',
    unit: '%',
    values: [
      ['2008-01-01', 3.5],
      ['2008-02-01', 3.1],
    ],
  },
]);

export type Asked = { run: TestedRun; model: ScriptedModel };
/** Runs leaves under a root, on a model that answers from `script`. */
export async function ask(
  leaves: readonly Leaf<never>[] | readonly Leaf[],
  script: (call: ScriptedCall) => ScriptedAnswer,
  { scenario, ...options }: TestOptions & { scenario?: Partial<ScenarioSpec> } = {},
): Promise<Asked> {
  const model = scriptedModel(script);
  const defined = defineScenario({
    name: 'asked',
    thesis: 'Hold it',
    asOf: '2008-03-15',
    domains: leaves as readonly Leaf[],
    sources,
    ...scenario,
  });
  return { run: await testScenario(defined, { models: { adapter: model }, ...options }), model };
}
