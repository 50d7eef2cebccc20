/** What must compile, and what must not: checked by `npm run types`, never run. */
import { createActor, setup } from 'xstate';
import { z } from 'zod';
import { defineDomain, defineLeaf, defineScenario, defineTool, run, type Report, type RunEvent } from 'espalier';
import { defineAgent, planByModel, synthesizeByModel } from 'espalier/agents';
import { orchestrator } from 'espalier/xstate';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(): T | undefined => undefined;

const census = defineLeaf({
  name: 'census',
  data: z.object({ people: z.int() }),
  run: () => ({ statement: 'Counted', data: { people: 3 } }),
});
const scenario = defineScenario({
  name: 's',
  thesis: 't',
  domains: [defineDomain({ name: 'd', charter: '', children: [census, defineLeaf({ name: 'l', run: () => [] })] })],
});

// a leaf's data comes back typed through the leaf's own accessor
const counted = census.dataOf((await run(scenario)).brief.findings);
isTrue<Same<typeof counted, { people: number }[]>>();

// so does an agent's, whatever its model answers
const agent = defineAgent('agents/census.md', { data: z.object({ people: z.int(), town: z.string() }) });
const answered = agent.dataOf((await run(scenario)).brief.findings);
isTrue<Same<typeof answered, { people: number; town: string }[]>>();
// @ts-expect-error: a definition's name is the definition's own
defineAgent('agents/census.md', { name: 'other' });
defineDomain({ name: 'd', charter: '', children: [agent], decide: planByModel(), synthesize: synthesizeByModel() });

// what a model answers has the type of the schema that it was asked for, and, as a leaf's data, comes back with it
const Answer = z.object({ people: z.int(), by: z.enum(['count', 'guess']) });
const asked = defineLeaf({
  name: 'asked',
  data: Answer,
  asks: true,
  async run({ model, task }) {
    const { value, text, usage } = await model.ask({ prompt: task.question, output: Answer });
    isTrue<Same<typeof value, { people: number; by: 'count' | 'guess' }>>();
    isTrue<Same<typeof text, string>>();
    isTrue<Same<typeof usage.outputTokens, number>>();
    const plain = await model.ask({ prompt: 'in words' });
    isTrue<Same<typeof plain.value, string>>();
    return { statement: text, data: value };
  },
});
const answers = asked.dataOf((await run(scenario)).brief.findings);
isTrue<Same<typeof answers, { people: number; by: 'count' | 'guess' }[]>>();

defineLeaf({
  name: 'x',
  data: Answer,
  // @ts-expect-error: what was asked for is not what the leaf declares
  run: async ({ model }) => ({
    statement: 's',
    data: (await model.ask({ prompt: 'p', output: z.object({ folk: z.int() }) })).value,
  }),
});
// @ts-expect-error: a leaf names no model
defineLeaf({ name: 'x', model: 'claude-opus-5-5', run: () => [] });
defineLeaf({
  name: 'x',
  // @ts-expect-error: nor does a question
  run: async ({ model }) => ({ statement: (await model.ask({ prompt: 'p', model: 'x' })).text }),
});
// @ts-expect-error: there is no such policy
void run(scenario, { policy: 'cheap' });
// what a tool runs with has the type of its input
defineTool({ name: 'look', description: 'd', input: z.object({ of: z.int() }), run: ({ of }) => of.toFixed() });
// @ts-expect-error: a number has no such method
defineTool({ name: 'look', description: 'd', input: z.object({ of: z.int() }), run: ({ of }) => of.trim() });

// @ts-expect-error: not the declared shape
defineLeaf({ name: 'x', data: z.object({ people: z.int() }), run: () => ({ statement: 's', data: { folk: 3 } }) });
// @ts-expect-error: a finding says something
defineLeaf({ name: 'x', run: () => ({ stance: 1 }) });
// @ts-expect-error: there is no such kind of gap
defineLeaf({ name: 'x', run: ({ gap }) => gap('lazy', 'no reason') });
// @ts-expect-error: a leaf has no children
defineLeaf({ name: 'x', run: () => [], children: [] });
// @ts-expect-error: a domain needs a charter
defineDomain({ name: 'x', children: [census] });
// @ts-expect-error: nor is a string a child
defineScenario({ name: 's', thesis: 't', domains: ['census'] });
// @ts-expect-error: no such option
void run(scenario, { maxdepth: 2 });

// embedded: typed input, output and emitted events
const logic = orchestrator(scenario);
const actor = createActor(logic, { input: { asOf: '2008-06-01' } });
const output = actor.getSnapshot().output;
isTrue<Same<typeof output, Report | undefined>>();
actor.on('finding.escalated', (event) => event.finding.statement);
actor.on('*', (event) => {
  isTrue<Same<typeof event, RunEvent>>();
});
// @ts-expect-error: no such event
actor.on('finding.lost', () => {});
// @ts-expect-error: an as-of date is a string
createActor(logic, { input: { asOf: 2008 } });
// @ts-expect-error: no such input
createActor(logic, { input: { scenario } });

setup({
  types: {} as { context: { report: Report | undefined }; events: RunEvent },
  actors: { research: logic },
}).createMachine({
  context: { report: undefined },
  invoke: {
    src: 'research',
    input: { thesis: 'Hold' },
    onDone: { actions: ({ context, event }) => void (context.report = event.output) },
  },
  on: { 'finding.escalated': { actions: ({ event }) => event.finding.id } },
});
setup({ actors: { research: logic } }).createMachine({
  // @ts-expect-error: wrong input
  invoke: { src: 'research', input: { thesis: 3 } },
});
