/** A thesis examined by Claude, planner to brief, against a server that speaks the Messages API. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Report } from '../../src/protocol/report.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import thesisScenario from '../../scenarios/thesis.ts';
import { runEspalier, workspace } from '../cli/command.ts';
import { otlpReceiver } from '../support/otlp-receiver.ts';
import { messagesServer, type MessagesServer } from '../support/messages-server.ts';
import { obligingReply, roleOf } from '../support/research-answers.ts';

const THESIS = fileURLToPath(new URL('../../scenarios/thesis.ts', import.meta.url));
const KEY = 'sk-ant-test-0123456789';

async function claude(skip: readonly string[] = []): Promise<MessagesServer> {
  const server = await messagesServer(({ body }) => obligingReply(body, skip));
  onTestFinished(() => server.close());
  return server;
}
const count = (server: MessagesServer) => {
  const roles = { planner: 0, synthesizer: 0, agent: 0, other: 0 };
  for (const { body } of server.asked) roles[roleOf(body)]++;
  return roles;
};
afterEach(() => vi.unstubAllEnvs());

describe('a thesis', () => {
  it('is planned, examined and synthesized by models, from the command line', async () => {
    const server = await claude(['sector']);
    using folder = workspace();
    await using collector = await otlpReceiver();
    const args = ['run', THESIS, '--thesis', 'Hold European railways', '--json', '--otel', '--otel-content'];
    const { code, stdout, stderr } = await runEspalier(args, folder.path, {
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: server.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
    expect(stderr).not.toContain('Internal error');
    expect(code).toBe(0);
    const brief = JSON.parse(stdout) as Report;
    expect(brief).toMatchObject({
      status: 'complete',
      madeBy: 'synthesis',
      decision: { by: 'planner', skipped: [{ name: 'sector' }], expects: ['Growth and price may disagree.'] },
      retention: { incoming: 6, kept: 6, recall: 1, numbersFabricated: 0 },
    });
    expect(brief.findings.map(({ source }) => source)).toEqual(
      Array.from({ length: 6 }, () => ({ kind: 'web', ref: 'https://statistics.example/latest' })),
    );
    // two domains of three agents that search and then answer, their syntheses, the planner and the root
    expect(count(server)).toEqual({ planner: 1, agent: 12, synthesizer: 3, other: 0 });
    const { inputTokens, outputTokens } = brief.usage.subtree;
    expect({ inputTokens, outputTokens }).toEqual({ inputTokens: server.used.input, outputTokens: server.used.output });
    expect(brief.usage.subtree.usd).toBeGreaterThan(6 * 0.01);
    // what it learned is there for the next one
    expect(readFileSync(join(folder.path, 'runs/memory/root/MEMORY.md'), 'utf8')).toContain(
      'planner: activated macro, company; skipped sector for "Hold European railways"; complete',
    );
    // the key is in nothing that was written
    const out = join(folder.path, 'runs', brief.runId);
    for (const file of ['brief.md', 'brief.json', 'events.ndjson'])
      expect(readFileSync(join(out, file), 'utf8')).not.toContain(KEY);
    expect(readFileSync(join(folder.path, 'runs/espalier.db')).includes(KEY)).toBe(false);
    expect(`${stdout}${stderr}`).not.toContain(KEY);
    expect(collector.text()).toContain('Hold European railways');
    expect(collector.text()).not.toContain(KEY);
  }, 60_000);

  it('runs from a program, too', async () => {
    const server = await claude();
    vi.stubEnv('ANTHROPIC_API_KEY', KEY);
    vi.stubEnv('ANTHROPIC_BASE_URL', server.url);
    const { memory: _, ...scenario } = thesisScenario({ thesis: 'Hold European railways', willRun: true });
    const { brief, status } = await run(scenario);
    expect({ status, gaps: brief.gaps }).toEqual({ status: 'complete', gaps: [] });
    expect(brief.findings).toHaveLength(9);
    expect(count(server)).toEqual({ planner: 1, agent: 18, synthesizer: 4, other: 0 });
  });
});

describe('without a key', () => {
  it.each([
    [
      ['run', THESIS, '--thesis', 'Hold it'],
      'espalier: This scenario asks Claude, and there is no key. Set ANTHROPIC_API_KEY; or run one that needs none: scenarios/us-tech-2008.ts, or scenarios/csv-folder.ts --data DIR over data of your own.\n',
    ],
    [
      ['run', THESIS],
      'espalier: This scenario has no thesis of its own. Give one: --thesis "Hold European railways".\n',
    ],
    [
      ['run', THESIS, '--thesis', 'Hold it', '--as-of', '2008-06-01'],
      'espalier: Its agents search the web, which cannot be read as of an earlier day. Leave out --as-of.\n',
    ],
  ])('%j ends with 2 and one line', async (args, line) => {
    using folder = workspace();
    expect(await runEspalier(args, folder.path)).toEqual({ code: 2, stdout: '', stderr: line });
    expect(existsSync(join(folder.path, 'runs'))).toBe(false);
  });

  it.each([['plan'], ['check']])('it can be looked at: %s', async (command) => {
    using folder = workspace();
    const { code, stdout, stderr } = await runEspalier([command, THESIS, '--thesis', 'Hold it'], folder.path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toBe('');
  });
});
