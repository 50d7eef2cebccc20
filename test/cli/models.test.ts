import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messagesServer } from '../support/messages-server.ts';
import { runEspalier, workspace } from './command.ts';

const source = (file: string): string => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
const KEY = 'sk-nobody-may-see-this';
const asking = (options: string): string => `
import { defineLeaf, defineScenario } from ${source('index.ts')};
import { anthropic } from ${source('adapters/models/anthropic.ts')};
const leaf = (work) => defineLeaf({
  name: work,
  work,
  asks: { inputTokens: 10_000, outputTokens: 2_000 },
  run: async ({ model }) => ({ statement: (await model.ask({ prompt: 'how is it?' })).text }),
});
export default defineScenario({
  name: 'asking',
  thesis: 'It holds',
  domains: [leaf('rules'), leaf('authoring')],
  models: { adapter: anthropic(${options}) },
});`;
const WITHOUT_KEY = asking('{ apiKey: process.env.ANTHROPIC_API_KEY }');

describe.concurrent('a scenario that asks a model', () => {
  it('is planned without a key, with what it is expected to cost under the policy', async () => {
    using at = workspace({ 'asking.ts': WITHOUT_KEY });
    const [mixed, deep] = await Promise.all([
      runEspalier(['plan', 'asking.ts'], at.path),
      runEspalier(['plan', 'asking.ts', '--policy', 'deep', '--budget-usd', '0.1'], at.path),
    ]);
    expect(mixed.stdout.replaceAll('\n', ' ')).toContain(
      'Expected cost: about $0.082 for 2 calls (deep claude-opus-5-5: $0.080 for 1 call; fast claude-haiku-5-5: $0.0020 for 1 call), by estimates of tokens.',
    );
    expect(mixed.stdout).toContain('rules: asks claude-haiku-5-5, about 1.0 s');
    expect(deep.stdout.replaceAll('\n', ' ')).toContain(
      'about $0.16 for 2 calls (deep claude-opus-5-5: $0.16 for 2 calls)',
    );
    expect(deep.stdout.replaceAll(/\s+/g, ' ')).toContain('expected to cost $0.16, the budget has $0.1');
    expect([mixed.code, deep.code]).toEqual([0, 0]);
  });

  it('is checked for the strongest model on mechanical work, under the policy', async () => {
    using at = workspace({ 'asking.ts': WITHOUT_KEY });
    const [mixed, deep] = await Promise.all([
      runEspalier(['check', 'asking.ts', '--json'], at.path),
      runEspalier(['check', 'asking.ts', '--policy', 'deep', '--json'], at.path),
    ]);
    const paths = (stdout: string): string[] =>
      (JSON.parse(stdout) as { remarks: { rule: string; path: string }[] }).remarks.flatMap(({ rule, path }) =>
        rule === 'strongest-model' ? path : [],
      );
    expect([mixed, deep].map(({ stdout }) => paths(stdout))).toEqual([[], ['root/rules']]);
  });

  it('does not run without a key: one line, exit code 2, and nothing begun', async () => {
    using at = workspace({ 'asking.ts': WITHOUT_KEY });
    const { code, stdout, stderr } = await runEspalier(['run', 'asking.ts'], at.path);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'espalier: anthropic() was given apiKey: undefined. Set ANTHROPIC_API_KEY, and give apiKey: process.env.ANTHROPIC_API_KEY.\n',
    );
    expect(readdirSync(at.path)).toEqual(['asking.ts']);
  });

  it('leaves no trace of the key, whatever goes wrong', async () => {
    const server = await messagesServer(({ count }) =>
      count === 1
        ? { status: 401, error: { type: 'authentication_error', message: `no such key: ${KEY}` } }
        : { content: 'fine', usage: { input_tokens: 1_000, output_tokens: 100 } },
    );
    try {
      using at = workspace({
        'asking.ts': asking(`{ apiKey: ${JSON.stringify(KEY)}, baseURL: '${server.url}' }`),
      });
      const { code, stdout, stderr } = await runEspalier(['run', 'asking.ts', '--out', 'out'], at.path);
      expect(code).toBe(3);
      expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
      const kept = readdirSync(at.path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'asking.ts')
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
      expect(kept.length).toBeGreaterThanOrEqual(5); // the store among them
      for (const text of [stdout, stderr, ...kept]) expect(text).not.toContain(KEY);
      expect(kept.some((text) => text.includes('no such key: [key]'))).toBe(true);
    } finally {
      await server.close();
    }
  });
});
