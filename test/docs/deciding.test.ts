import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

// Inside the package, so that it imports it by its public name as a reader would.
const script = `test/docs/deciding-example-${process.pid}.ts`;
afterEach(() => rmSync(script, { force: true }));

test('the example of the guide on deciding divides, skips, and looks again', () => {
  const guide = readFileSync('docs/guides/deciding.md', 'utf8');
  const example = /<!-- example -->\s*```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  writeFileSync(script, example);
  const run = spawnSync(process.execPath, ['--conditions=espalier-source', script], { encoding: 'utf8' });
  expect({ stderr: run.stderr, lines: run.stdout.trim().split('\n'), status: run.status }).toEqual({
    stderr: '',
    lines: [
      'root/markets/a-c root/markets/d-g root/markets/i-m',
      'sea 0.2',
      'markets,doubt then second-look',
      expect.stringMatching(/^round 2: dissent 0\.\d\d$/),
    ],
    status: 0,
  });
});
