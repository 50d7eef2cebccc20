import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SCHEMA_VERSION } from '../../src/protocol/version.ts';
import { HOST_VERSION } from '../../src/version.ts';

test("the host's version is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(HOST_VERSION).toBe(version);
});
test('raising the schema version is a decision: old runs will not be read', () => {
  expect(SCHEMA_VERSION).toBe(1);
});
