/** The files of somebody who knows the package by its README: what they write has to compile, run and say these things. */

const scenario = `import { defineDomain, defineLeaf, defineScenario, inMemorySources, renderBrief, renderTerminalBrief, run } from 'espalier';
import { growth } from 'espalier/analytics';

export const payrolls = defineLeaf({
  name: 'payrolls',
  sources: ['jobs'],
  run: async ({ sources }) => growth(await sources.series('jobs'), { polarity: 1 }),
});
const survey = defineLeaf({
  name: 'survey',
  run: () => ({ key: 'mood', statement: 'Nobody hires', stance: -1, critical: { rule: 'mood', reason: 'it is bad' } }),
});
const values = Array.from({ length: 48 }, (_, i) => {
  const date = \`\${2005 + Math.floor(i / 12)}-\${String((i % 12) + 1).padStart(2, '0')}-01\`;
  return [date, 1000 - i - (i % 5)] as const;
});
const scenario = defineScenario({
  name: 'stranger',
  thesis: 'There is work for everybody',
  domains: [defineDomain({ name: 'macro', charter: 'Work', children: [payrolls, survey] })],
  sources: inMemorySources([{ id: 'jobs', values }]),
});
export default scenario;

if (process.argv[1]?.endsWith('scenario.ts')) {
  const { status, brief, escalations } = await run(scenario);
  console.log(status, brief.assessment?.verdict, escalations.map(({ id }) => id).join(), renderBrief(brief).split('\\n')[0]);
  console.log(renderTerminalBrief(brief, { width: 60 }).split('\\n')[1]);
}
`;

const embedded = `import { assign, createActor, setup, waitFor } from 'xstate';
import type { Report, RunEvent } from 'espalier';
import { orchestrator } from 'espalier/xstate';
import scenario from './scenario.ts';

const machine = setup({
  types: {} as { context: { heard: string[]; report?: Report }; events: RunEvent },
  actors: { research: orchestrator(scenario) },
}).createMachine({
  context: { heard: [] },
  initial: 'researching',
  states: {
    researching: {
      invoke: {
        src: 'research',
        input: { deadline: '20s' },
        onDone: { target: 'known', actions: assign({ report: ({ event }) => event.output }) },
      },
      on: {
        'finding.escalated': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.finding.id] }) },
      },
    },
    known: { type: 'final' },
  },
});
const actor = createActor(machine).start();
const { context } = await waitFor(actor, ({ status }) => status === 'done');
console.log(context.report?.status, context.heard.join());
`;

const tested = `import { NOTHING_LEFT, testScenario } from 'espalier/testing';
import { deepStrictEqual } from 'node:assert';
import scenario from './scenario.ts';

const { status, elapsedMs, leftovers } = await testScenario(scenario, { faults: ['root/macro/payrolls=hang'] });
deepStrictEqual(leftovers, NOTHING_LEFT);
console.log(status, elapsedMs > 60_000);
`;

const traced = `import { run } from 'espalier';
import { opentelemetry } from 'espalier/opentelemetry';
import scenario from './scenario.ts';

console.log((await run(scenario, { telemetry: opentelemetry() })).status);
`;

const ownData = `import { csvFolder } from 'espalier/csv-folder';

const { manifest, adapter } = await csvFolder('data');
const [first] = manifest.series;
const series = await adapter.load(first?.id ?? '', { abortSignal: new AbortController().signal });
console.log(series.title, series.observations.length);
`;

const vega = `import { EspalierError } from 'espalier';
import { vegaDatasetIds, vegaDatasets } from 'espalier/vega-datasets';

try {
  await vegaDatasets().load(vegaDatasetIds[0] ?? '', { abortSignal: new AbortController().signal });
} catch (error) {
  console.log(EspalierError.isInstance(error) && error.code, String(error));
}
`;

/** Compiled, not run: each of these must be refused. */
const mistakes = `import { defineLeaf, defineScenario, run, type Report } from 'espalier';
import { orchestrator } from 'espalier/xstate';
import { createActor } from 'xstate';
import scenario from './scenario.ts';

// @ts-expect-error a stance is a number
defineLeaf({ name: 'a', run: () => ({ statement: 'x', stance: 'high' }) });
// @ts-expect-error a scenario has domains
defineScenario({ name: 'a', thesis: 'b' });
// @ts-expect-error a leaf alone is no scenario
void run(defineLeaf({ name: 'a', run: () => [] }));
// @ts-expect-error a depth is a number
createActor(orchestrator(scenario), { input: { maxDepth: 'two' } });
export const conviction = (brief: Report): number | undefined => brief.assessment?.conviction;
// @ts-expect-error an assessment may be missing
export const certain = (brief: Report): number => brief.assessment.conviction;
`;

/** For the command line, which runs JavaScript as well. */
const plain = `import { defineLeaf, defineScenario } from 'espalier';

const leaf = defineLeaf({ name: 'survey', run: () => ({ statement: 'All is well', stance: 1 }) });
export default defineScenario({ name: 'plain', thesis: 'All is well', domains: [leaf] });
`;

const everyEntry = (entries: readonly string[]): string => `${entries
  .map((entry, i) => `import * as entry${i} from '${entry}';`)
  .join('\n')}

const all = [${entries.map((_, i) => `entry${i}`).join(', ')}];
console.log(all.map((entry) => Object.keys(entry).length > 0).join());
`;

/** As strict as can be, dependencies' declarations included: so ours are checked as they are delivered. */
const tsconfig = (typeRoots: string): string =>
  JSON.stringify({
    compilerOptions: {
      target: 'es2024',
      lib: ['es2024'],
      module: 'nodenext',
      types: ['node'],
      typeRoots: [typeRoots],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
      skipLibCheck: false,
      noEmit: true,
    },
    include: ['*.ts'],
  });

const series = { id: 'jobs', domain: 'macro', title: 'Jobs', file: 'jobs.csv' };

/** By name. */
export const strangersFiles = (entries: readonly string[], typeRoots: string): Readonly<Record<string, string>> => ({
  'scenario.ts': scenario,
  'embedded.ts': embedded,
  'tested.ts': tested,
  'traced.ts': traced,
  'own-data.ts': ownData,
  'vega.ts': vega,
  'mistakes.ts': mistakes,
  'every-entry.ts': everyEntry(entries),
  'plain.mjs': plain,
  'tsconfig.json': tsconfig(typeRoots),
  'data/manifest.json': JSON.stringify({ series: [series] }),
  'data/jobs.csv': 'date,value\n2020-01-01,1\n2020-02-01,2\n',
});
