import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

// The lint rules that hold the layers apart are configuration: a slip there would pass in silence.
let folder = '';
let found: { filename: string; code: string }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-lint-'));
  cpSync('test/fixtures/import-direction', folder, { recursive: true });
  const config = JSON.parse(readFileSync('.oxlintrc.json', 'utf8')) as Record<string, unknown>;
  delete config['options'];
  delete config['$schema'];
  writeFileSync(join(folder, '.oxlintrc.json'), JSON.stringify({ ...config, ignorePatterns: [] }));
  const oxlint = resolve('node_modules/oxlint/bin/oxlint');
  const run = spawnSync(process.execPath, [oxlint, '--format=json'], { cwd: folder, encoding: 'utf8' });
  found = (JSON.parse(run.stdout) as { diagnostics: { filename: string; code: string }[] }).diagnostics;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['the protocol may not import a host', 'src/protocol/looks-up.ts', 'no-restricted-imports'],
  ['a tier may not import a command', 'src/tier/looks-up.ts', 'no-restricted-imports'],
  ['a check may not import what runs things', 'src/check/looks-up.ts', 'no-restricted-imports'],
  ['files may not import each other in a circle', 'src/runtime/host.ts', 'no-cycle'],
])('%s', (_, file, rule) => {
  const codes = found.filter(({ filename }) => filename.endsWith(file)).map(({ code }) => code);
  expect(codes).toContainEqual(expect.stringContaining(rule));
});

test('a file that imports downward is left alone', () => {
  expect(found.filter(({ filename }) => filename.endsWith('cli/command.ts'))).toEqual([]);
});
