import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { artifactFolder } from '../../src/adapters/artifacts/artifact-folder.ts';
import { workspace } from '../cli/command.ts';

const MODULE = fileURLToPath(new URL('../../src/adapters/artifacts/artifact-folder.ts', import.meta.url));
const BYTES = new TextEncoder().encode('a big output');
const SHA256 = hash('sha256', BYTES);

it('gives back, in another process too, what was kept, and keeps it once', () => {
  using at = workspace();
  const folder = join(at.path, 'made/when/needed');
  artifactFolder(folder).keep(SHA256, BYTES);
  artifactFolder(folder).keep(SHA256, BYTES);
  expect(new Uint8Array(artifactFolder(folder).bytes(SHA256) ?? [])).toEqual(BYTES);
  expect(readdirSync(folder)).toEqual([SHA256]);
});

it('writes anew what somebody left half written', () => {
  using at = workspace({ [SHA256]: 'a big' });
  artifactFolder(at.path).keep(SHA256, BYTES);
  expect(new Uint8Array(artifactFolder(at.path).bytes(SHA256) ?? [])).toEqual(BYTES);
});

it('has nothing of what nobody kept, and reads no other file', () => {
  using at = workspace({ secret: 'not an artifact' });
  const folder = artifactFolder(join(at.path, 'artifacts'));
  expect(folder.bytes(SHA256)).toBeUndefined();
  expect(folder.bytes('../secret')).toBeUndefined();
  expect(() => folder.keep('../secret', BYTES)).toThrow('is no SHA-256');
});

it('says in one line where it can neither make nor read one', () => {
  using at = workspace({ file: '' });
  expect(() => artifactFolder(join(at.path, 'file', 'below'))).toThrow(
    /^The artifact folder .*file\/below cannot be made: ENOTDIR.*\. Name another\.$/,
  );
  mkdirSync(join(at.path, SHA256));
  expect(() => artifactFolder(at.path).bytes(SHA256)).toThrow(/cannot be read: EISDIR/);
});

/** A limit on the size of files stands for a disk that is full: writing fails in the same place. */
const canLimit = spawnSync('bash', ['-c', "trap '' XFSZ; ulimit -f 400"]).status === 0;

it.skipIf(!canLimit)('leaves nothing behind on a disk that is full', () => {
  using at = workspace();
  const script = join(at.path, 'keep.mjs');
  writeFileSync(
    script,
    `import { artifactFolder } from ${JSON.stringify(MODULE)};
     try { artifactFolder('kept').keep('${SHA256}', new Uint8Array(1 << 20)); }
     catch ({ code, message }) { console.log(code, message); }`,
  );
  const command = `trap '' XFSZ; ulimit -f 300; exec "$0" "$@"`;
  const { stdout } = spawnSync('bash', ['-c', command, process.execPath, script], { cwd: at.path, encoding: 'utf8' });
  expect(stdout).toMatch(/^store-fault The artifact folder kept cannot be written: EFBIG/);
  expect(existsSync(join(at.path, 'kept', SHA256))).toBe(false);
  expect(readdirSync(join(at.path, 'kept'))).toEqual([]);
});
