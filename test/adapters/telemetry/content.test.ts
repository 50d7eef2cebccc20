/** What was asked and found stays out of telemetry, wherever it stands, until it is asked for. */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { defineDomain, defineLeaf, defineScenario, inMemorySources } from '../../../src/index.ts';
import { draft, world } from '../../support/world.ts';
import { recorder } from './recorder.ts';

const SECRET = 'sk-secret-4f1c';
const VALUE = 90_817_263.5;

/** Says it wherever anything can be said. */
const telling = defineScenario({
  name: 'telling',
  thesis: `Hold ${SECRET}`,
  asOf: '2008-06-01',
  sources: inMemorySources([{ id: 'jobs', title: SECRET, unit: SECRET, values: [['2008-01-01', VALUE]] }]),
  dependencies: 'observe',
  synthesize: ({ children }) => ({
    narrative: `narrative ${SECRET}`,
    dispositions: children.flatMap(({ outcome }) =>
      outcome.kind === 'report' ? outcome.findings.map(({ id }) => ({ id, as: 'dropped' as const, why: SECRET })) : [],
    ),
  }),
  domains: [
    defineDomain({
      name: 'd0',
      charter: `charter ${SECRET}`,
      question: `question ${SECRET}`,
      description: `description ${SECRET}`,
      synthesize: () => Promise.reject(new Error(`synthesis ${SECRET}`)),
      children: [
        defineLeaf({
          name: 'says',
          question: `question ${SECRET}`,
          sources: ['jobs'],
          async run({ task, sources }) {
            await sources.series('jobs');
            await sources.series(`undeclared/${SECRET}`).catch(() => {});
            return draft(task.path, {
              key: SECRET,
              statement: `statement ${SECRET}`,
              value: VALUE,
              unit: SECRET,
              measure: SECRET,
              flags: [SECRET],
              source: { kind: SECRET, ref: SECRET },
              critical: { rule: SECRET, reason: SECRET },
              data: { [SECRET]: SECRET },
            });
          },
        }),
        defineLeaf({
          name: 'throws',
          attempts: 2,
          recover: () => `enrichment ${SECRET}`,
          run: () => Promise.reject(new Error(`fault ${SECRET}`)),
        }),
        defineLeaf({ name: 'lacks', run: ({ gap }) => gap('stale', SECRET) }),
        defineLeaf({
          name: 'claims',
          run: ({ task }) => Object.assign(draft(task.path, { key: SECRET }), { path: `root/${SECRET}` }),
        }),
        defineLeaf({
          name: 'spawns',
          run({ task, spawn }) {
            try {
              spawn(SECRET);
            } catch {
              // refused
            }
            return draft(task.path);
          },
        }),
      ],
    }),
  ],
});

it('says nothing of statements, questions, values, reasons and messages', async () => {
  const logged: string[] = [];
  const log = (...words: unknown[]): void => void logged.push(words.map(String).join(' '));
  diag.setLogger({ verbose: log, debug: log, info: log, warn: log, error: log }, DiagLogLevel.ALL);
  const { telemetry, spans, nodes, metrics } = recorder();
  const run = world(telling, {}, { telemetry });
  const { brief } = await run.run();
  diag.disable();

  expect(JSON.stringify(brief)).toContain(SECRET); // it was there to be told
  expect(run.eventsOf('integrity.alert')).not.toEqual([]);
  expect(nodes()).toHaveLength(8);
  const told = [
    ...spans().map(({ name, attributes, events, links, status, resource }) =>
      JSON.stringify([name, attributes, events, links, status, resource.attributes]),
    ),
    JSON.stringify(await metrics()),
    ...logged,
  ];
  for (const text of told) {
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(String(VALUE));
  }
});

it('says it on spans where it is asked to, as the conventions have it, and never in metrics', async () => {
  const { telemetry, span, spans, steps, metrics } = recorder({ captureContent: true });
  await world(telling, {}, { telemetry }).run();
  const text = (content: string) => ({ type: 'text', content });
  const read = (value: unknown): unknown => JSON.parse(String(value));

  const whole = span('invoke_workflow telling').attributes;
  expect(read(whole['gen_ai.input.messages'])).toEqual([{ role: 'user', parts: [text(`Hold ${SECRET}`)] }]);
  const says = span('root/d0/says').attributes;
  expect(read(says['gen_ai.input.messages'])).toEqual([{ role: 'user', parts: [text(`question ${SECRET}`)] }]);
  expect(read(says['gen_ai.system_instructions'])).toEqual([text(`charter ${SECRET}`)]);
  expect(read(says['gen_ai.output.messages'])).toEqual([
    { role: 'assistant', parts: [text(`statement ${SECRET} (${VALUE} ${SECRET})`)], finish_reason: 'stop' },
  ]);
  expect(String(span('root').attributes['gen_ai.output.messages'])).toContain(`narrative ${SECRET}`);
  expect(span('escalation').attributes).toMatchObject({
    'espalier.finding.statement': `statement ${SECRET}`,
    'espalier.finding.value': VALUE,
    'espalier.finding.unit': SECRET,
    'espalier.finding.rule': SECRET,
    'espalier.finding.reason': SECRET,
  });
  expect(steps('root/d0/throws').map(({ attributes }) => attributes['espalier.message'])).toEqual([
    `fault ${SECRET}`,
    `fault ${SECRET}`,
  ]);
  expect(steps('root/d0/throws')[1]?.attributes['espalier.enrichment']).toBe(`enrichment ${SECRET}`);
  expect(span('root/d0/throws').attributes['espalier.message']).toContain(SECRET);
  const sources = steps('root/d0/says').flatMap(({ attributes }) => attributes['espalier.source'] ?? []);
  expect(sources).toEqual(['jobs', `undeclared/${SECRET}`]);
  for (const { name, status } of spans()) expect(`${name} ${status.message}`).not.toContain(SECRET);
  expect(JSON.stringify(await metrics())).not.toContain(SECRET);
});
