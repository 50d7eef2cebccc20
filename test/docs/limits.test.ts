import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

const guide = readFileSync('docs/guides/limits.md', 'utf8');
const block = (name: string, language: string): string =>
  new RegExp(`<!-- ${name} -->\\s*\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? '';
// Inside the package, so that it imports it by its public name as a reader would.
const script = `test/docs/limits-example-${process.pid}.ts`;
afterEach(() => rmSync(script, { force: true }));

test('the example in the guide to limits goes down, and ends well, as it says', () => {
  writeFileSync(script, block('example', 'ts'));
  const run = spawnSync(process.execPath, ['--conditions=espalier-source', script], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  const printed = run.stdout.trimEnd().split('\n');
  const [first, last] = block('output', 'text').trimEnd().split('\n');
  expect(first).toBe('model:deep 3');
  // How often it is refused after the first time depends on the machine.
  expect([printed[0], printed.at(-1)]).toEqual([first, last]);
});
