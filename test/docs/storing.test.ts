import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

// Inside the package, so that it imports it by its public name as a reader would.
const script = `test/docs/storing-example-${process.pid}.ts`;
const file = `runs/kept-${process.pid}.db`;
afterEach(() => {
  for (const left of [script, file]) rmSync(left, { force: true });
});

test('the example of the guide on storing runs, resumes, and loses nothing', () => {
  const guide = readFileSync('docs/guides/storing.md', 'utf8');
  const example = /<!-- example -->\s*```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  expect(example).toContain("sqliteStore('runs/kept.db')");
  writeFileSync(script, example.replace('runs/kept.db', file));
  const run = spawnSync(process.execPath, ['--conditions=espalier-source', script], { encoding: 'utf8' });
  expect({ stderr: run.stderr, stdout: run.stdout, status: run.status }).toEqual({
    stderr: '',
    stdout: 'true complete memory\n',
    status: 0,
  });
});
