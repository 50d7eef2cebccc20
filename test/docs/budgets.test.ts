import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

// Inside the package, so that it imports it by its public name as a reader would.
const script = `test/docs/budgets-example-${process.pid}.ts`;
afterEach(() => rmSync(script, { force: true }));

test('the example of the guide on budgets prints what the guide says', () => {
  const guide = readFileSync('docs/guides/budgets.md', 'utf8');
  const example = /<!-- example -->\s*```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  const printed = /It prints `(.*?)`/.exec(guide)?.[1];
  writeFileSync(script, example);
  const run = spawnSync(process.execPath, ['--conditions=espalier-source', script], { encoding: 'utf8' });
  expect({ stderr: run.stderr, stdout: run.stdout, status: run.status }).toEqual({
    stderr: '',
    stdout: `${printed}\n`,
    status: 0,
  });
});
