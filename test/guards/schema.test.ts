import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the JSON Schemas in docs/schema are those of the protocol', () => {
  const args = ['--conditions=espalier-source', 'docs/schema/generate.ts', '--check'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
