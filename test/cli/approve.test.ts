/** Plans on the command line: asked for, edited, approved, rejected. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { Report } from '../../src/protocol/report.ts';
import { messagesServer } from '../support/messages-server.ts';
import { obligingReply, roleOf } from '../support/research-answers.ts';
import { runEspalier, workspace } from './command.ts';

const THESIS = fileURLToPath(new URL('../../scenarios/thesis.ts', import.meta.url));

async function withClaude() {
  const server = await messagesServer(({ body }) => obligingReply(body, ['sector']));
  onTestFinished(() => server.close());
  return { server, env: { ANTHROPIC_API_KEY: 'sk-ant-test', ANTHROPIC_BASE_URL: server.url } };
}

it('plan --ask asks the planner, and nobody else', async () => {
  const { server, env } = await withClaude();
  using folder = workspace();
  const { code, stdout } = await runEspalier(['plan', THESIS, '--thesis', 'Hold railways', '--ask'], folder.path, env);
  expect(code).toBe(0);
  expect(stdout).toContain('decided: macro: macro bears on it');
  expect(stdout).toContain('expected: Growth and price may disagree.');
  expect(stdout).toContain('skipped sector: sector says little of it');
  expect(server.asked.map(({ body }) => roleOf(body))).toEqual(['planner']);
});

it('run --approve runs what was approved, after an edit', async () => {
  const { server, env } = await withClaude();
  using folder = workspace();
  const input =
    'perhaps\nyes, but not sector\nskip crypto\nskip macro\nask company: Do railways pay their debts?\nyes\n';
  const args = ['run', THESIS, '--thesis', 'Hold railways', '--approve', '--json', '--no-store'];
  const { code, stdout, stderr } = await runEspalier(args, folder.path, env, input);
  expect(stderr).toContain('espalier: "perhaps" is none of these. Write one of: yes · no [why]');
  expect(stderr).toContain('espalier: "yes" takes nothing after it. Edit the plan first.');
  expect(stderr).toContain('espalier: There is no child "crypto" of the root. Choose from macro, sector, company.');
  expect(stderr).toContain('asked: Do railways pay their debts?');
  expect(code).toBe(0);
  const brief = JSON.parse(stdout) as Report;
  expect(brief.decision).toMatchObject({ approved: 'edited', skipped: [{ name: 'macro' }, { name: 'sector' }] });
  expect(brief.findings).toHaveLength(3);
  expect(server.asked.filter(({ body }) => roleOf(body) === 'planner')).toHaveLength(1);
  expect(brief.usage.subtree.inputTokens).toBe(server.used.input);
});

it.each([
  ['no, it is too dear\n', 'The plan was rejected: it is too dear. Nothing ran.'],
  ['', 'The plan was rejected: nobody answered. Nothing ran.'],
])('run --approve that is answered %j runs nothing', async (input, line) => {
  const { env } = await withClaude();
  using folder = workspace();
  const { code, stdout, stderr } = await runEspalier(
    ['run', THESIS, '--thesis', 'Hold railways', '--approve', '--no-store'],
    folder.path,
    env,
    input,
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`espalier: ${line}`);
  expect(existsSync(join(folder.path, 'runs'))).toBe(false);
});
