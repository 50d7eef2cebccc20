import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqliteStore } from '../../../src/adapters/stores/sqlite-store.ts';
import { CLAIM_MS, type Store } from '../../../src/ports/store.ts';
import { batch, eventsFrom, newRun } from '../../contracts/store-samples.ts';
import { storeFile } from './store-file.ts';

const PROCESS = fileURLToPath(new URL('store-process.ts', import.meta.url));

/** Resolves when the process has said something, or ended. */
async function started(mode: string, file: string, at = 0): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [PROCESS, mode, file, String(at)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = await new Promise<string>((resolve) => {
    child.stdout.on('data', (data) => resolve(String(data).trim()));
    child.on('exit', (code) => resolve(`ended with ${code}`));
  });
  return { child, said };
}
const killed = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => {
    child.on('exit', resolve);
    child.kill('SIGKILL');
  });
const opened = (file: string): Store => {
  const store = sqliteStore(file);
  onTestFinished(() => store.close());
  return store;
};

describe('two containers with one host name', () => {
  test('do not take the process ids of the other for their own', () => {
    const file = storeFile();
    const nobody = { bornAt: () => undefined };
    let now = 50_000;
    const options = { now: () => now };
    const here = sqliteStore(file, { ...options, processes: { place: 'here', bornAt: () => 'then' } });
    const there = sqliteStore(file, { ...options, processes: { place: 'there', ...nobody } });
    here.begin(newRun('a'));
    expect(() => there.claim('a')).toThrow(expect.objectContaining({ code: 'run-busy' }));
    now += CLAIM_MS + 1;
    there.claim('a').write(batch({ events: eventsFrom(0, 1) }));
    here.close();
    there.close();
  });
});

describe('two processes', () => {
  test('cannot both work on one run; when the first is killed, the second takes it over at once', async () => {
    const file = storeFile();
    const { child, said } = await started('hold', file);
    expect(said).toBe('holding');
    const store = opened(file);
    expect(() => store.claim('a')).toThrow(new RegExp(`^Run a is being worked on by process ${child.pid} on `));
    expect(() => store.remove('a')).toThrow(expect.objectContaining({ code: 'run-busy' }));
    store.begin(newRun('b')).write(batch({ events: eventsFrom(0, 1) }));
    await killed(child);
    expect(store.run('a')?.claim?.isLive).toBe(false);
    store.claim('a').write(batch({ events: eventsFrom(0, 1) }));
    expect(store.run('a')).toMatchObject({ events: 1 });
  });

  test('one that is killed while it writes leaves whole batches', async () => {
    const file = storeFile();
    const { child, said } = await started('write', file);
    expect(said).toBe('writing');
    const store = opened(file);
    const before = store.run('a')?.events ?? 0;
    await killed(child);
    const events = [...store.events('a')];
    expect(events.length).toBeGreaterThanOrEqual(Math.max(before, 7));
    expect(events.length % 7).toBe(0);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
    expect(store.run('a')).toMatchObject({ events: events.length, head: `sum-${events.length - 1}` });
    expect([...store.nodes('a')]).toHaveLength(events.length / 7);
    expect(store.problems()).toEqual([]);
    store.claim('a').write(batch({ events: eventsFrom(events.length, 1) }));
  });

  test('many that make the file at the same time all get the same one', async () => {
    const file = storeFile();
    const at = Date.now() + 1_000;
    const all = await Promise.all(Array.from({ length: 6 }, () => started('begin', file, at)));
    expect(all.map(({ said }) => said)).toEqual(all.map(() => 'begun'));
    const store = opened(file);
    expect([...store.runs()].map(({ events }) => events)).toEqual(all.map(() => 1));
    expect(store.problems()).toEqual([]);
  });

  test('one that finds the file locked before it is all made waits for the other', async () => {
    const file = storeFile();
    sqliteStore(file).close();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA journal_mode = DELETE');
    database.close();
    expect((await started('lock', file)).said).toBe('locked');
    opened(file).begin(newRun('a'));
  });
});

test.each([
  { count: 20_000, size: 4_000, heapMb: 40 },
  { count: 40, size: 3_000_000, heapMb: 48 },
])('$count events of $size bytes are read with a heap of $heapMb MB', ({ count, size, heapMb }) => {
  const file = storeFile();
  const writer = opened(file).begin(newRun('a'));
  const body = 'x'.repeat(size);
  for (let seq = 0; seq < count; seq += 20) writer.write(batch({ events: eventsFrom(seq, 20, { body }) }));
  const { stdout } = spawnSync(process.execPath, [`--max-old-space-size=${heapMb}`, PROCESS, 'read', file]);
  expect(String(stdout).trim()).toBe(`${count} ${count * size}`);
});

/** Root may write anywhere, so it becomes nobody. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const asNobody = (mode: string, file: string): string[] =>
  String(spawnSync(process.execPath, [PROCESS, mode, file], nobody).stdout)
    .trim()
    .split('\n');
const canBeNobody = process.platform !== 'win32' && asNobody('nothing', '').join() === '';

describe.skipIf(!canBeNobody)('without the right to write', () => {
  const given = (): { file: string; folder: string } => {
    const file = storeFile();
    const store = sqliteStore(file);
    const writer = store.begin(newRun('a'));
    writer.write(batch({ events: eventsFrom(0, 3) }));
    writer.release();
    store.close();
    return { file, folder: dirname(file) };
  };

  test('a store is read; that it is read-only is said when something is to be written', () => {
    const { file, folder } = given();
    const before = readFileSync(file);
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    expect(asNobody('try', file)).toEqual([
      'done 3',
      `store-fault: Store ${file} cannot be written: the file or its folder is read-only. Make both writable.`,
      'done 3',
      'done with it',
    ]);
    chmodSync(folder, 0o755);
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['runs.db']);
  });

  test('a new store is refused where none can be made', () => {
    const { file, folder } = given();
    chmodSync(folder, 0o555);
    expect(asNobody('try', `${folder}/new.db`)).toEqual([
      `store-fault: Store ${folder}/new.db cannot be opened. Check that you may read and write the file and its folder.`,
    ]);
    expect(asNobody('try', `${folder}/deep/er/new.db`)[0]).toMatch(
      /^store-fault: The folder .+\/deep\/er for store .+new\.db cannot be made \(EACCES\)\. Make it, or choose/,
    );
    chmodSync(folder, 0o755);
    chmodSync(file, 0o000);
    expect(asNobody('try', file)[0]).toMatch(/^store-fault: Store .+ cannot be read \(EACCES\)\. Check that you may/);
  });
});
