import { hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sqliteStore, type SqliteStoreOptions } from '../../../src/adapters/stores/sqlite-store.ts';
import type { Store } from '../../../src/ports/store.ts';
import { batch, eventsFrom, newRun, node } from '../../contracts/store-samples.ts';
import { storeFile } from './store-file.ts';

/** The connections that were made, to set limits on them that a store does not offer. */
const made = vi.hoisted(() => ({ connections: [] as DatabaseSync[] }));
vi.mock('node:sqlite', async (original) => {
  const real = await original<typeof import('node:sqlite')>();
  class Recorded extends real.DatabaseSync {
    constructor(...args: ConstructorParameters<typeof DatabaseSync>) {
      super(...args);
      made.connections.push(this);
    }
  }
  return { ...real, DatabaseSync: Recorded };
});
beforeEach(() => void made.connections.splice(0));

const opened = (file: string, options?: SqliteStoreOptions): Store => {
  const store = sqliteStore(file, options);
  onTestFinished(() => store.close());
  return store;
};
const fault = (message: RegExp | string) =>
  expect.objectContaining({ code: 'store-fault', message: expect.stringMatching(message) });
/** Past the store, as another program could. */
function changed(file: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA foreign_keys = OFF');
  for (const statement of statements) database.exec(statement);
  database.close();
}
/** A closed store with a run of three events and two nodes. */
function filled(count = 3): string {
  const file = storeFile();
  const store = sqliteStore(file);
  const writer = store.begin(newRun('a'));
  const events = eventsFrom(0, count, { body: JSON.stringify({ text: 'x'.repeat(2_000) }) });
  writer.write(batch({ events, nodes: [node('root', 0), node('root/b', 1)] }));
  writer.release();
  store.close();
  return file;
}

describe('a file that is not a store', () => {
  test.each([
    ['of text', 'This is no database.\n'.repeat(400), /is not a database\. Choose another file for the store\.$/],
    ['of one letter', 'x', /is not a database/],
    ['that only begins like one', 'SQLite format 3\0', /is not a database|is damaged/],
  ])('%s is refused and left as it is', (_, content, message) => {
    const file = storeFile();
    writeFileSync(file, content);
    expect(() => sqliteStore(file)).toThrow(fault(message));
    expect(readFileSync(file, 'latin1')).toBe(content);
    expect(readdirSync(dirname(file))).toEqual(['runs.db']);
  });

  test.each([
    ['journal_mode = DELETE', 'PRAGMA application_id = 77'],
    ['journal_mode = DELETE', 'CREATE TABLE t (a)'],
    ['journal_mode = WAL', 'CREATE TABLE t (a)'],
  ])('but of another program, with %s and %s, is refused and left as it is', (mode, statement) => {
    const file = storeFile();
    changed(file, `PRAGMA ${mode}`, statement);
    const before = readFileSync(file);
    expect(() => sqliteStore(file)).toThrow(fault(/is an SQLite database of another program\. Choose another file/));
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(dirname(file))).toEqual(['runs.db']);
  });

  test('but of a newer version is refused and left as it is', () => {
    const file = filled();
    changed(file, 'PRAGMA user_version = 99');
    const before = readFileSync(file);
    const message = /was written by a newer espalier \(its format is 99, this one knows 3\)\. Update espalier, or/;
    expect(() => sqliteStore(file)).toThrow(fault(message));
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(dirname(file))).toEqual(['runs.db']);
  });

  test('but a folder is refused', () => {
    const file = storeFile();
    mkdirSync(file);
    expect(() => sqliteStore(file)).toThrow(fault(/is not a file\. Choose another one for the store\.$/));
  });

  test('but lies under a file is refused', () => {
    const file = storeFile();
    writeFileSync(file, '');
    expect(() => sqliteStore(join(file, 'deep', 'runs.db'))).toThrow(
      fault(/^The folder .+ for store .+ cannot be made \((ENOTDIR|EEXIST)\)\. Make it, or choose another file\.$/),
    );
  });

  test('but empty becomes one; so does one that is not there, with its folder', () => {
    const file = storeFile();
    writeFileSync(file, '');
    for (const path of [file, join(dirname(file), 'a', 'b', 'runs.db')]) {
      opened(path).begin(newRun('a'));
      expect(opened(path).run('a')).toMatchObject({ runId: 'a' });
      const database = new DatabaseSync(path);
      const header = ['application_id', 'user_version', 'journal_mode'].map((name) =>
        Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {}).join(),
      );
      database.close();
      expect(header).toEqual([String(0x45737061), '3', 'wal']);
    }
  });
});

describe('a store that cannot be written', () => {
  test('because the disk is full says so, keeps what it had, and goes on when there is room', () => {
    const file = storeFile();
    const store = opened(file);
    const writer = store.begin(newRun('a'));
    writer.write(batch({ events: eventsFrom(0, 2) }));
    const limit = (pages: number): void => void made.connections.at(-1)?.exec(`PRAGMA max_page_count = ${pages}`);
    limit(1); // as many as there are
    const big = batch({ events: eventsFrom(2, 50, { body: 'x'.repeat(10_000) }), nodes: [node('root', 0)] });
    expect(() => writer.write(big)).toThrow(
      fault(/^Store .+ cannot be written: the disk is full\. Make room, then try again\.$/),
    );
    expect([...store.events('a')]).toEqual(eventsFrom(0, 2));
    expect(store.run('a')).toMatchObject({ events: 2 });
    expect(store.problems()).toEqual([]);
    limit(1_000_000);
    writer.write(big);
    expect(store.run('a')).toMatchObject({ events: 52 });
  });

  test('because another process has it locked says so, can be read meanwhile, and goes on after', () => {
    const file = filled();
    const store = opened(file, { busyMs: 20 });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    expect(() => store.claim('a')).toThrow(
      fault(/^Store .+ has been locked by another process for 0\.02 s\. Wait until that is done, or stop it\.$/),
    );
    expect([...store.events('a')]).toHaveLength(3);
    other.exec('ROLLBACK');
    other.close();
    store.claim('a').write(batch({ events: eventsFrom(3, 1) }));
  });

  test('because it is closed says so', () => {
    const store = sqliteStore(storeFile());
    const writer = store.begin(newRun('a'));
    const events = store.events('a');
    store.close();
    store.close();
    writer.release();
    for (const use of [() => writer.renew(), () => store.run('a'), () => [...events], () => store.begin(newRun('b'))]) {
      expect(use).toThrow(fault(/^Store .+ is closed\. Open it again\.$/));
    }
  });
});

describe('a store that is damaged', () => {
  /** Overwrites what is in the middle of the file. */
  const scratch = (file: string): void => {
    const { size } = statSync(file);
    const descriptor = openSync(file, 'r+');
    const page = Math.floor(size / 4096 / 2) * 4096;
    writeSync(descriptor, Buffer.alloc(4096, 0xaa), 0, 4096, page);
    closeSync(descriptor);
  };

  test('says so where it is, and gives what it still has', () => {
    const file = filled(400);
    scratch(file);
    const store = opened(file);
    expect(() => [...store.events('a')]).toThrow(
      fault(/^Store .+ is damaged\. Keep the file, and restore a copy of it or start another store\.$/),
    );
    expect(store.event('a', 0)?.seq).toBe(0);
    expect(store.run('a')).toMatchObject({ events: 400 });
    const problems = store.problems();
    expect(problems[0]).toMatch(/^The file does not fit together: \S/);
    expect(new Set(problems).size).toBe(problems.length);
    store.begin(newRun('b')).write(batch({ events: eventsFrom(0, 1) }));
    expect([...store.events('b')]).toEqual(eventsFrom(0, 1));
  });

  test('in the rows of a run or node names these, and gives the others', () => {
    const file = filled();
    changed(
      file,
      "UPDATE nodes SET body = '{' WHERE path = 'root/b'",
      `INSERT INTO runs (id, scenario, started_at, body, state, events, head)
         VALUES ('broken', 's', 1, 'null', 'running', 0, ''), ('torn', 's', 1, '{', 'running', 0, '')`,
    );
    const store = opened(file);
    expect(() => [...store.nodes('a')]).toThrow(
      fault(/ is damaged: the row of node root\/b of run a cannot be read\. /),
    );
    expect(store.node('a', 'root')).toEqual(node('root', 0));
    for (const id of ['broken', 'torn']) {
      expect(() => store.run(id)).toThrow(fault(new RegExp(` is damaged: the row of run ${id} cannot be read\\. `)));
    }
    expect(store.run('a')).toMatchObject({ events: 3 });
    expect(store.problems()).toEqual([
      'The row of run torn cannot be read.',
      'The row of node root/b of run a cannot be read.',
    ]);
  });

  test.each([
    ['of another shape', JSON.stringify({ ...newRun('odd'), options: null })],
    ['without an origin', JSON.stringify({ ...newRun('odd'), origin: null })],
    ['of no time that there is', JSON.stringify({ ...newRun('odd'), startedAt: 1e99 })],
    ['of another run', JSON.stringify(newRun('other'))],
  ])('in a row %s, which somebody else wrote, says so', (_, body) => {
    const file = filled();
    changed(
      file,
      `INSERT INTO runs (id, scenario, started_at, body, state, events, head)
         VALUES ('odd', 's', 1, '${body}', 'running', 0, '')`,
    );
    expect(() => opened(file).run('odd')).toThrow(fault(/ is damaged: the row of run odd cannot be read\. /));
  });

  test('in what belongs together is said by its problems', () => {
    const file = filled();
    const sum = 'a'.repeat(64);
    changed(
      file,
      'DELETE FROM events WHERE id & 4294967295 = 1',
      "INSERT INTO events VALUES (99 << 32, 'node.started', 'root', '', '{}')",
      "INSERT INTO nodes VALUES (99 << 32, 99, 'root', '', '{}')",
      `INSERT INTO artifacts VALUES (1, '${sum}', x'00')`,
    );
    expect(opened(file).problems()).toEqual([
      'In nodes, rows that refer to runs which are not there: 1.',
      'Events of runs that are not there: 1.',
      'Run a had 3 events, and has 2.',
      `The bytes kept under ${sum} are not those.`,
    ]);
  });
});

test('a file does not grow by what is removed or forgotten', () => {
  const file = storeFile();
  const once = (round: number): number => {
    const store = sqliteStore(file);
    const writer = store.begin(newRun('a'));
    writer.write(batch({ events: eventsFrom(0, 500, { body: 'x'.repeat(3_000) }), nodes: [node('root', 0)] }));
    const bytes = new Uint8Array(2 ** 18).fill(round);
    writer.keep(hash('sha256', bytes, 'hex'), bytes);
    const ats = Array.from({ length: 3_000 }, (_, at) => ({ scenario: 's', path: 'root/a', at }));
    const durations = ats.map((place) => ({ ...place, ms: 1.5 }));
    const enrichments = ats.map((place) => ({ ...place, status: 'invalid' as const, enrichment: 'Say numbers' }));
    writer.write(batch({ durations, enrichments }));
    writer.release();
    store.remove('a');
    store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    return statSync(file).size;
  };
  const first = once(1);
  expect([once(2), once(3)]).toEqual([first, first]);
});
