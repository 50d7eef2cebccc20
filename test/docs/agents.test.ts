import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { parseAgent } from '../../src/agents/agent-definition.ts';

// Inside the package, so that it imports it by its public name as a reader would.
const script = `test/docs/agents-example-${process.pid}.ts`;
afterEach(() => rmSync(script, { force: true }));
const guide = readFileSync('docs/guides/claude.md', 'utf8');

test.each([
  ['first example', 'first', ['There were 412 orders in 2025 412', '$0.0006']],
  [
    'example of an agent, who escalates what code found and nothing that was claimed',
    'example',
    ['root/payrolls#now shrinking', '1 root/payrolls#panic dropped'],
  ],
])('the guide on Claude: its %s says what it should', (_, mark, lines) => {
  const example = new RegExp(`<!-- ${mark} -->\\s*\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? '';
  writeFileSync(script, example);
  const run = spawnSync(process.execPath, ['--conditions=espalier-source', script], { encoding: 'utf8' });
  expect({ stderr: run.stderr, lines: run.stdout.trim().split('\n'), status: run.status }).toEqual({
    stderr: '',
    lines,
    status: 0,
  });
});

test('the definition in it is one', () => {
  const [, definition = ''] = /```markdown\n([\s\S]*?)```/.exec(guide) ?? [];
  expect(parseAgent(definition, 'guide').name).toBe('payrolls');
});
