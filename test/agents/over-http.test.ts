/** Agents that ask Claude over HTTP: it calls a tool of a real MCP server, and looks at what failed. */
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { anthropic } from '../../src/adapters/models/anthropic.ts';
import { mcpServer } from '../../src/adapters/tools/mcp-server.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import { messagesServer } from '../support/messages-server.ts';
import { agent, finding } from './agents.ts';

const SERVER = fileURLToPath(new URL('../fixtures/mcp/stdio-server.ts', import.meta.url));

it('reads what the tool says, cites it, and cannot reach the tools beside it', async () => {
  const calls = ['example__echo', 'example__die'].map((name, i) => ({
    type: 'tool_use',
    id: `toolu_${i}`,
    name,
    input: { say: 'rates fell' },
  }));
  const answer = { findings: [finding({ statement: 'Rates fell', sources: ['example/echo#1'] })], lacking: [] };
  const server = await messagesServer(({ count }) =>
    count === 1 ? { content: calls } : { content: JSON.stringify(answer) },
  );
  onTestFinished(() => server.close());
  const scenario = defineScenario({
    name: 'tools',
    thesis: 'Hold it',
    domains: [agent('reader', 'tools: [example/echo]')],
    tools: { example: mcpServer({ command: process.execPath, args: [SERVER] }) },
    models: { adapter: anthropic({ apiKey: 'k', baseURL: server.url }) },
  });
  const events: RunEvent[] = [];
  const { brief, status } = await run(scenario, { onEvent: (event) => void events.push(event) });
  expect(status).toBe('complete');
  expect(brief.findings).toMatchObject([
    { statement: 'Rates fell', flags: [], source: { kind: 'tool', ref: 'example/echo' } },
  ]);
  expect(server.asked[0]?.body.tools?.map(({ name }) => name)).toEqual(['example__echo']);
  expect(server.asked[1]?.body.messages.at(-1)?.content).toMatchObject([
    { type: 'tool_result', content: '<data origin="example/echo#1">\nrates fell\n</data>' },
    { type: 'tool_result', is_error: true, content: 'There is no tool "example__die".' },
  ]);
  expect(events.flatMap((event) => (event.type === 'integrity.alert' ? event.message : []))).toEqual([
    'the model of root/reader called the tool "example__die", which it was not given: refused',
  ]);
});

it('is told by a model what went wrong with its attempt', async () => {
  const answers = [
    'no JSON',
    'Answer in JSON, and name the month.',
    JSON.stringify({ findings: [finding()], lacking: [] }),
  ];
  const server = await messagesServer(({ count }) => ({ content: answers[count - 1] ?? '' }));
  onTestFinished(() => server.close());
  const scenario = defineScenario({
    name: 'recovery',
    thesis: 'Hold it',
    domains: [agent('reader')],
    models: { adapter: anthropic({ apiKey: 'k', baseURL: server.url }) },
  });
  const events: RunEvent[] = [];
  const { brief, status } = await run(scenario, { onEvent: (event) => void events.push(event) });
  expect(status).toBe('complete');
  expect(events.flatMap((event) => (event.type === 'attempt.started' ? (event.enrichment ?? '') : []))).toEqual([
    '',
    expect.stringMatching(/it is no JSON[\s\S]*Answer in JSON, and name the month\.$/),
  ]);
  expect(server.asked.map(({ body }) => body.model)).toEqual([
    'claude-sonnet-5-5',
    'claude-haiku-5-5',
    'claude-sonnet-5-5',
  ]);
  // what the diagnosis cost is the leaf's too
  expect(brief.usage.subtree.inputTokens).toBe(server.used.input);
});
