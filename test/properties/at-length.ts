/**
 * Looks further than the suite does, and prints how far: `npm run properties` (1,000 of each), `npm run properties 5000`.
 * FC_SEED chooses other cases.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const runs = process.argv[2] ?? '1000';
const folder = mkdtempSync(join(tmpdir(), 'properties-'));
const file = join(folder, 'figures.txt');
const properties = ['run', 'interim', 'budget', 'hedge', 'division'].map((one) => `test/properties/any-${one}.test.ts`);
const tests = [...properties, 'test/tier/budget.test.ts', 'test/runtime/rate-limits.test.ts'];
const args = ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout', '3600000', ...tests];
const env = { ...process.env, FC_RUNS: runs, FIGURES: file };
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
try {
  console.log(`\n${readFileSync(file, 'utf8').trimEnd().split('\n').sort().join('\n')}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = status ?? 1;
