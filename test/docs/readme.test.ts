import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

const readme = readFileSync('README.md', 'utf8');
const between = (name: string, language: string): string => {
  const found = new RegExp(`<!-- ${name} -->\\s*\`\`\`${language}\\n([\\s\\S]*?)\`\`\`\\s*<!-- /${name} -->`).exec(
    readme,
  );
  return found?.[1] ?? '';
};
// Inside the package, so that it imports it by its public name as a reader would.
const script = `test/docs/readme-example-${process.pid}.ts`;
afterEach(() => rmSync(script, { force: true }));

test('the example in the README runs, and finds that employment shrinks', () => {
  writeFileSync(script, between('example', 'ts'));
  const run = spawnSync(process.execPath, ['--conditions=espalier-source', script], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  expect(Number(run.stdout.split(' ')[0])).toBeLessThan(0);
});

test('the brief in the README is what the run prints', () => {
  const args = ['--conditions=espalier-source', 'src/cli/main.ts', 'run', 'scenarios/us-tech-2008.ts', '--out'];
  const out = `test/docs/readme-run-${process.pid}`;
  const run = spawnSync(process.execPath, [...args, out, '--no-store'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  rmSync(out, { recursive: true, force: true });
  const shown = between('brief', 'text').trimEnd();
  expect(shown).not.toBe('');
  expect(run.stdout.startsWith(shown)).toBe(true);
});
