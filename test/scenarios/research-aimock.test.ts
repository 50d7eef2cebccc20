/**
 * Research with a model at every tier, against an independent server of the Messages API: a planner, agents that read
 * series as of a day, syntheses of which one lies.
 */
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anthropic } from '../../src/adapters/models/anthropic.ts';
import { vegaDatasets } from '../../src/adapters/sources/vega-datasets.ts';
import { defineAgent } from '../../src/agents/define-agent.ts';
import { planByModel } from '../../src/agents/planner.ts';
import { synthesizeByModel } from '../../src/agents/synthesizer.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Report } from '../../src/protocol/report.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { run } from '../../src/runtime/in-process/start.ts';

let mock: LLMock;
beforeAll(async () => (mock = await LLMock.create({ port: 0, host: '127.0.0.1', strict: true })));
afterAll(() => mock.stop());

const agent = (name: string, series: string, critical = '') =>
  defineAgent({
    text: `---\nname: ${name}\ndescription: Reads ${series}.\nwork: extraction\nsources: [${series}]\n${critical}\n---\nYou read ${series} for ${name}.\n`,
  });
const macro = defineDomain({
  name: 'macro',
  charter: 'The economy',
  children: [
    agent('payrolls', 'us-employment/nonfarm'),
    agent(
      'jobless',
      'unemployment/all',
      'critical:\n  - { rule: rising, when: unemployment is above 4, series: unemployment/all, above: 4 }',
    ),
  ],
  synthesize: synthesizeByModel(),
});
const shares = defineDomain({
  name: 'shares',
  charter: 'Prices',
  children: [agent('apple', 'stocks/AAPL'), agent('ibm', 'stocks/IBM')],
  synthesize: synthesizeByModel(),
});
const sea = defineDomain({
  name: 'sea',
  charter: 'Freight',
  children: [agent('ships', 'stocks/MSFT')],
  synthesize: synthesizeByModel(),
});

const json = (value: unknown) => ({ content: JSON.stringify(value) });
const answers = (name: string, series: string, over: object) => {
  const system = `You read ${series} for ${name}.`;
  mock.on(
    { systemMessage: system, userMessage: /.*/, hasToolResult: false },
    { toolCalls: [{ name: 'read_series', arguments: JSON.stringify({ id: series }), id: `toolu_${name}` }] },
  );
  const finding = { key: 'main', statement: `${name} moved`, stance: 0.5, confidence: 0.8, sources: [series], ...over };
  mock.on({ systemMessage: system, hasToolResult: true }, json({ findings: [finding], lacking: [] }));
};
const books = (narrative: string, ids: readonly string[], as = 'kept') =>
  json({
    narrative,
    dispositions: ids.map((id) => ({ id, as, ...(as === 'dropped' && { why: 'not needed' }) })),
    merges: [],
    derived: [],
    conflicts: [],
    relations: [],
    lacking: [],
  });

it('plans, reads, and synthesizes; a synthesis that invents and drops is told so, then replaced', async () => {
  mock.on(
    { systemMessage: 'You plan an inquiry', userMessage: /.*/ },
    json({
      activate: [
        { name: 'macro', question: 'Does the economy carry shares?', why: 'it does' },
        { name: 'shares', why: 'they are the thesis' },
      ],
      skip: [{ name: 'sea', why: 'freight is far' }],
      contradictions: [],
    }),
  );
  answers('payrolls', 'us-employment/nonfarm', { stance: 0.2 });
  answers('jobless', 'unemployment/all', { stance: -0.9, critical: { rule: 'rising', reason: 'it is above 4' } });
  answers('apple', 'stocks/AAPL', {});
  answers('ibm', 'stocks/IBM', {});
  const synthesis = 'You write the synthesis';
  // keeps books
  mock.on(
    { systemMessage: synthesis, userMessage: /domain: Prices/ },
    books('Both rise [root/shares/apple#main].', ['root/shares/apple#main', 'root/shares/ibm#main']),
  );
  // invents a number each time it is asked, and drops what is critical
  mock.on(
    { systemMessage: synthesis, userMessage: /domain: The economy/ },
    books('All is well, by 42 %.', ['root/macro/payrolls#main', 'root/macro/jobless#main'], 'dropped'),
  );
  // cites a stranger, is told so, and mends it
  const ids = ['root/macro/payrolls#main', 'root/macro/jobless#main', 'root/shares/apple#main', 'root/shares/ibm#main'];
  mock.on(
    { systemMessage: synthesis, userMessage: /question: Hold technology\nas of/, sequenceIndex: 0 },
    books('See [root/sea/ships#main].', ids),
  );
  mock.on(
    { systemMessage: synthesis, userMessage: /question: Hold technology\nas of/, sequenceIndex: 1 },
    books('Work is lost [root/macro/jobless#main] while shares rise.', ids),
  );

  const scenario = defineScenario({
    name: 'research',
    thesis: 'Hold technology',
    asOf: '2008-06-01',
    domains: [macro, shares, sea],
    sources: vegaDatasets(),
    decide: planByModel(),
    synthesize: synthesizeByModel(),
    models: { adapter: anthropic({ apiKey: 'test', baseURL: mock.url }) },
  });
  const events: RunEvent[] = [];
  const { brief, escalations, status } = await run(scenario, { onEvent: (event) => void events.push(event) });
  const reports = new Map(
    events.flatMap((event) => (event.type === 'node.reported' ? [[event.path, event.report] as const] : [])),
  );
  const retention = (path: string) => (reports.get(path) as Report).retention;

  expect(brief.decision).toMatchObject({ by: 'planner', skipped: [{ name: 'sea' }] });
  expect(brief.findings.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect(brief.findings.map(({ flags }) => flags)).toEqual([[], [], [], []]);
  // read as of the day, so dated by it
  expect(brief.findings.find(({ path }) => path.endsWith('apple'))?.source).toMatchObject({
    ref: expect.stringContaining('stocks'),
    asOf: '2008-05-01',
  });
  // what is critical is so by the series that code read, and overtakes a synthesis that dropped it
  expect(escalations).toMatchObject([{ path: 'root/macro/jobless', critical: { rule: 'rising' } }]);
  expect(reports.get('root/macro')).toMatchObject({ madeBy: 'deterministic' });
  expect(reports.get('root/shares')).toMatchObject({
    madeBy: 'synthesis',
    narrative: 'Both rise [root/shares/apple#main].',
  });
  expect(reports.get('root')).toMatchObject({
    madeBy: 'synthesis',
    narrative: 'Work is lost [root/macro/jobless#main] while shares rise.',
  });
  expect(status).toBe('partial');
  expect(brief.gaps.filter(({ kind }) => kind !== 'skipped')).toMatchObject([
    { kind: 'synthesis', path: 'root/macro', why: expect.stringContaining('says 42 %') },
  ]);
  // each is measured like any other
  for (const path of ['root', 'root/macro', 'root/shares'])
    expect(retention(path)).toMatchObject({ recall: 1, verbatim: 1, numbersFabricated: 0 });
  expect(
    events
      .filter(({ type }) => type === 'synthesis.rejected')
      .map((event) => [event.path, 'willRetry' in event && event.willRetry]),
  ).toEqual([
    ['root/macro', true],
    ['root/macro', false],
    ['root', true],
  ]);
});
