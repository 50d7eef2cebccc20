import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

it('starts where nothing that was compiled can be kept', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=espalier-source', MAIN, '--version'], {
    encoding: 'utf8',
    env: { TMPDIR: '/dev/null/nowhere', TEMP: '', TMP: '' },
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' });
});
