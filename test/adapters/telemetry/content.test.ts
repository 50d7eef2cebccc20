/** What was asked and found stays out of telemetry, wherever it stands. */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { defineDomain, defineLeaf, defineScenario } from '../../../src/index.ts';
import { draft, world } from '../../support/world.ts';
import { recorder } from './recorder.ts';

const SECRET = 'sk-secret-4f1c';

const telling = defineScenario({
  name: 'telling',
  thesis: `Hold ${SECRET}`,
  domains: [
    defineDomain({
      name: 'd0',
      charter: `charter ${SECRET}`,
      question: `question ${SECRET}`,
      description: `description ${SECRET}`,
      children: [
        defineLeaf({
          name: 'says',
          question: `question ${SECRET}`,
          run: ({ task }) =>
            draft(task.path, {
              key: SECRET,
              statement: `statement ${SECRET}`,
              unit: SECRET,
              measure: SECRET,
              flags: [SECRET],
              source: { kind: SECRET, ref: SECRET },
              critical: { rule: SECRET, reason: SECRET },
              data: { [SECRET]: SECRET },
            }),
        }),
        defineLeaf({ name: 'throws', attempts: 2, run: () => Promise.reject(new Error(SECRET)) }),
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
  for (const text of told) expect(text).not.toContain(SECRET);
});
