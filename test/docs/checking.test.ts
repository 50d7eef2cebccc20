import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RULES } from '../../src/check/rules/index.ts';

const cells = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

test('the guide lists every rule as the code has it', () => {
  const guide = readFileSync('docs/guides/checking.md', 'utf8');
  const [, table = ''] = /<!-- rules -->\s*([\s\S]*?)\s*<!-- \/rules -->/.exec(guide) ?? [];
  const [head, , ...rows] = table.split('\n');
  expect(cells(head ?? '')).toEqual(['rule', 'severity', 'when', 'what to do']);
  expect(rows.map(cells)).toEqual(RULES.map(({ id, severity, when, remedy }) => [`\`${id}\``, severity, when, remedy]));
});
