import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { artifactFolder } from '../../src/adapters/artifacts/artifact-folder.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'artifacts-'));
const BYTES = new TextEncoder().encode('a big output');
const SHA256 = hash('sha256', BYTES);

it('gives back, in another process too, what was kept', () => {
  const shared = folder();
  artifactFolder(shared).keep(SHA256, BYTES);
  artifactFolder(shared).keep(SHA256, BYTES);
  expect(new Uint8Array(artifactFolder(shared).bytes(SHA256) ?? [])).toEqual(BYTES);
  expect(readdirSync(shared)).toEqual([SHA256]);
});

it('has nothing of what nobody kept, and reads no other file', () => {
  const shared = folder();
  writeFileSync(join(shared, 'secret'), 'not an artifact');
  expect(artifactFolder(shared).bytes(SHA256)).toBeUndefined();
  expect(artifactFolder(shared).bytes('secret')).toBeUndefined();
  expect(artifactFolder(shared).bytes('../secret')).toBeUndefined();
});

it('says in one line where it cannot write', () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  expect(() => artifactFolder(join(file, 'below'))).toThrow('The artifact folder');
});
