import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { sqliteStore } from '../../../src/adapters/stores/sqlite-store.ts';
import { batch, eventsFrom, newRun, node } from '../../contracts/store-samples.ts';
import { storeFile } from './store-file.ts';

/** Takes a file back to the first format, with these durations in it. */
function asFirstFormat(file: string, durations: readonly { path: string; at: number; ms: number }[]): void {
  const database = new DatabaseSync(file);
  database.exec(`DROP TABLE measurements;
    ALTER TABLE runs DROP COLUMN place;
    ALTER TABLE runs DROP COLUMN born;
    CREATE TABLE durations (
      scenario TEXT NOT NULL, path TEXT NOT NULL, at REAL NOT NULL, ms REAL NOT NULL, PRIMARY KEY (scenario, path, at)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1`);
  const add = database.prepare("INSERT INTO durations VALUES ('s', ?, ?, ?)");
  for (const { path, at, ms } of durations) add.run(path, at, ms);
  database.close();
}

test('a file of the first format keeps its runs, and the latest durations of each path', () => {
  const file = storeFile();
  const before = sqliteStore(file);
  const writer = before.begin(newRun('a'));
  writer.write(batch({ events: eventsFrom(0, 3), nodes: [node('root', 0)] }));
  writer.release();
  const run = before.run('a');
  before.close();
  const all = Array.from({ length: 60 }, (_, at) => ({ path: 'root/a', at, ms: at / 3 }));
  asFirstFormat(file, [...all, { path: 'root/b', at: 7.5, ms: 0.1 }]);

  const store = sqliteStore(file);
  expect(store.run('a')).toEqual(run);
  expect([...store.events('a')]).toEqual(eventsFrom(0, 3));
  expect([...store.durations('s', 2)]).toEqual([
    { scenario: 's', path: 'root/a', at: 59, ms: 59 / 3 },
    { scenario: 's', path: 'root/a', at: 58, ms: 58 / 3 },
    { scenario: 's', path: 'root/b', at: 7.5, ms: 0.1 },
  ]);
  const again = store.claim('a');
  again.write(batch({ durations: [{ scenario: 's', path: 'root/b', at: 8, ms: 2 }] }));
  expect([...store.durations('s', 9)].filter(({ path }) => path === 'root/b').map(({ at }) => at)).toEqual([8, 7.5]);
  expect(store.problems()).toEqual([]);
  store.close();
});
