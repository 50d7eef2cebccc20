import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Check } from '../../src/cli/doctor.ts';
import { said } from './said.ts';
import { storeAt } from './stored-runs.ts';

afterEach(() => void vi.unstubAllEnvs());

async function checked(file: string): Promise<{ code: number; isWell: boolean; of: (what: string) => Check[] }> {
  const { code, stdout } = await said('doctor', '--json', '--store', file);
  const { isWell, checks } = JSON.parse(stdout) as { isWell: boolean; checks: Check[] };
  return { code, isWell, of: (what) => checks.filter((check) => check.what.startsWith(what)) };
}

describe('espalier doctor', () => {
  it('finds that all is well', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const { code, stdout } = await said('doctor', '--store', at.file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {7}Node: \d+\.\d+\.\d+, and >=22\.18 is needed$/m);
    expect(stdout).toMatch(/^ok {7}Folder runs\/: it /m);
    expect(stdout).toContain('@opentelemetry/sdk-trace 3.');
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/ok Store \S+: can be opened, format \d+; 1 run, \d+ kB/);
    expect(stdout).toMatch(/^(ok|note) +Disk: \S+ \w+ free in /m);
  });

  it('names interrupted runs with the command to resume them', async () => {
    using at = storeAt();
    for (const runId of ['a', 'b', 'busy']) await at.keep({ runId }, 3_000);
    at.store.claim('busy');
    const { of, code } = await checked(at.file);
    expect(code).toBe(0);
    expect(of('Interrupted')).toEqual([
      { what: 'Interrupted', verdict: 'note', says: '2 runs. To go on: espalier resume b, espalier resume a' },
    ]);
    expect(of('Store')[0]?.says).toContain('3 runs, 1 being worked on');
  });

  it('says when there is no store yet, and makes none', async () => {
    using at = storeAt();
    const file = `${at.file}.none`;
    expect((await checked(file)).of('Store')).toEqual([
      { what: `Store ${file}`, verdict: 'note', says: 'there is none yet; the first run makes it' },
    ]);
    expect(existsSync(file)).toBe(false);
  });

  it('exits with 1 when something is wrong', async () => {
    using at = storeAt();
    const file = `${at.file}.txt`;
    writeFileSync(file, 'not a database at all');
    const { code, isWell, of } = await checked(file);
    expect({ code, isWell }).toEqual({ code: 1, isWell: false });
    expect(of('Store')[0]).toMatchObject({
      verdict: 'problem',
      says: `${file} is not a database. Choose another file for the store.`,
    });
  });

  it('names the variables of telemetry, and not what they hold', async () => {
    using at = storeAt();
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=secret');
    const { stdout } = await said('doctor', '--store', at.file);
    expect(stdout).toContain('OTEL_EXPORTER_OTLP_HEADERS says');
    expect(stdout).not.toContain('secret');
  });
});
