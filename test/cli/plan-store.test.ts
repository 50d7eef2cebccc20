/** `espalier plan` with what earlier runs took: from a store that is there, absent or broken. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sqliteStore } from '../../src/adapters/stores/sqlite-store.ts';
import { loadScenario } from '../../src/cli/load-scenario.ts';
import type { Output } from '../../src/cli/output.ts';
import { espalier } from '../../src/cli/program.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import type { Plan } from '../../src/runtime/run.ts';
import { TINY, workspace } from './command.ts';

async function planned(store: string, ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const output: Output = {
    result: (text) => void (written.stdout += text),
    note: (text) => void (written.stderr += `${text}\n`),
    exit: () => Promise.resolve(),
  };
  const code = await espalier(['plan', TINY, '--store', store, ...more], output);
  return { code, ...written };
}

describe('espalier plan --store', () => {
  it('knows what earlier runs took', async () => {
    using at = workspace();
    const file = join(at.path, 'runs.db');
    const store = sqliteStore(file);
    await run(await loadScenario(TINY, {}), { store });
    store.close();
    const { code, stdout, stderr } = await planned(file);
    expect(stdout).toMatch(/Expected: about \d+ ms \(from earlier runs for 4 of 4 leaves\)\./);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { measured } = JSON.parse((await planned(file, '--json')).stdout) as Plan;
    expect(measured).toEqual({ leaves: 4, of: 4 });
  });

  it('goes without when there is none, and makes none', async () => {
    using at = workspace({ 'empty.db': '' });
    for (const file of [join(at.path, 'no', 'runs.db'), join(at.path, 'empty.db')]) {
      const { code, stdout, stderr } = await planned(file);
      expect(stdout).toContain('Expected: about 1.2 s (no earlier runs).');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect(readdirSync(at.path)).toEqual(['empty.db']);
    expect(statSync(join(at.path, 'empty.db')).size).toBe(0);
    expect(existsSync(join(at.path, 'no'))).toBe(false);
  });

  it('says in one line that a store is broken, and plans without', async () => {
    using at = workspace({ 'runs.db': 'not a database, and long enough to be told from one' });
    const file = join(at.path, 'runs.db');
    const { code, stdout, stderr } = await planned(file);
    expect(stdout).toContain('(no earlier runs).');
    expect(stderr).toBe(
      `espalier: ${file} is not a database. Choose another file for the store. This plan does without earlier runs.\n`,
    );
    expect(code).toBe(0);
  });
});
