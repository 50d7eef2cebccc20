/** The dashboard that is shipped, and runs of which every one of its queries has something to say. */
import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { z } from 'zod';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { openOtel } from '../../src/cli/otel.ts';
import { defineDomain, defineLeaf, defineScenario, inMemorySources, run } from '../../src/index.ts';
import { scriptedModel } from '../../src/testing/index.ts';
import { CRITICAL, draft } from './world.ts';

const Dashboard = z.object({
  panels: z.array(
    z.object({
      id: z.int(),
      type: z.string(),
      title: z.string().min(1),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int().max(24), h: z.int() }),
      datasource: z.object({ uid: z.literal('${datasource}') }).optional(),
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
    }),
  ),
  templating: z.object({
    list: z.array(z.object({ name: z.string(), query: z.union([z.string(), z.object({ query: z.string() })]) })),
  }),
});
export const { panels, templating } = Dashboard.parse(JSON.parse(readFileSync('deploy/grafana/espalier.json', 'utf8')));
export const queries = panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })));

/** With values in the place of Grafana's variables. */
export const filled = (expr: string): string =>
  expr.replaceAll('$__range', '1h').replaceAll('$__interval', '1m').replaceAll('$job', '.*');

/** Whatever a run can come to, so that no metric is missing only because nothing happened. */
const eventful = defineScenario({
  name: 'eventful',
  thesis: 'It holds',
  dependencies: 'observe',
  sources: inMemorySources([{ id: 'jobs', title: 'Jobs', unit: '', values: [['2008-01-01', 1]] }]),
  domains: [
    defineDomain({
      name: 'asks',
      charter: '',
      children: [
        defineLeaf({
          name: 'model',
          asks: true,
          run: async ({ task, model }) => draft(task.path, { statement: (await model.ask({ prompt: 'Why?' })).text }),
        }),
        defineLeaf({ name: 'alarm', run: ({ task }) => draft(task.path, CRITICAL) }),
        defineLeaf({ name: 'dropped', run: ({ task }) => draft(task.path) }),
      ],
      synthesize: ({ children }) => {
        const findings = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
        const [first, ...rest] = findings;
        return {
          narrative: '',
          dispositions: [
            { id: first?.id ?? '', as: 'kept' },
            ...rest.map(({ id }) => ({ id, as: 'dropped' as const, why: 'no room' })),
          ],
        };
      },
    }),
    defineDomain({
      name: 'breaks',
      charter: '',
      children: [
        defineLeaf({ name: 'throws', attempts: 2, run: () => Promise.reject(new Error('no')) }),
        defineLeaf({
          name: 'reads',
          run: async ({ task, sources }) => draft(task.path, { value: (await sources.series('jobs')).last.value }),
        }),
      ],
      synthesize: () => Promise.reject(new Error('no')),
    }),
    defineDomain({
      name: 'deep',
      charter: '',
      execute: ({ task }) => draft(task.path),
      children: [
        defineDomain({
          name: 'deeper',
          charter: '',
          children: [defineLeaf({ name: 'l', run: ({ task }) => draft(task.path) })],
        }),
      ],
    }),
  ],
  limits: { maxDepth: 2 },
});

/** What a host does not let happen: a node below the limit, a number that came from nowhere. They are said to have. */
function broken(events: readonly RunEvent[], telemetry: Telemetry): void {
  for (const event of structuredClone(events)) {
    if (event.type === 'node.reported' && event.report.retention) event.report.retention.numbersFabricated = 1;
    telemetry.onEvent({ ...event, runId: 'broken' });
    const { at, seq } = event;
    if (event.type !== 'node.started' || event.path !== 'root') continue;
    telemetry.onEvent({
      v: 1,
      runId: 'broken',
      seq,
      at,
      path: 'root',
      type: 'integrity.alert',
      kind: 'depth',
      message: '',
    });
  }
}

/** Has the command's SDK tell of such runs; `env` says whom. Resolves with what it complained of. */
export async function tellOfEventfulRuns(env: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const said: string[] = [];
  const otel = await openOtel({ otel: true }, (line) => void said.push(line));
  if (!otel) throw new Error('no SDK');
  const { telemetry } = otel;
  const events: RunEvent[] = [];
  const models = { adapter: scriptedModel(() => 'Because.') };
  await run(eventful, { telemetry, models, onEvent: (event) => void events.push(event) });
  broken(events, telemetry);
  await otel.close();
  vi.unstubAllEnvs();
  return said;
}
