import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Where a store could be, in a folder of its own that is gone when the test is. */
export function storeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'runs.db');
}
