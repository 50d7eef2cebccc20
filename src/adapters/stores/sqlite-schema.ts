/**
 * The tables, and how a file of an older version gets them.
 *  1. A migration is never changed once it was released: another is appended.
 *  2. All that are missing are applied in one transaction. `user_version` counts those that were.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Duration } from '../../ports/store.ts';
import { packed } from './measurements.ts';
import { REMEMBERED } from './store-rules.ts';

/** "Espa": what tells our files from those of other programs. */
export const APPLICATION_ID = 0x45737061;

const FIRST = `
CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  scenario TEXT NOT NULL,
  started_at REAL NOT NULL,
  body TEXT NOT NULL, -- what it was begun with, as JSON
  state TEXT NOT NULL,
  events INTEGER NOT NULL,
  head TEXT NOT NULL,
  ended_at REAL,
  receipt TEXT, -- JSON
  owner TEXT, -- and the rest of the claim, if there is one
  pid INTEGER,
  hostname TEXT,
  renewed_at REAL
) STRICT;
CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE events (
  id INTEGER PRIMARY KEY, -- run number * 2^32 + seq
  type TEXT NOT NULL,
  path TEXT NOT NULL,
  checksum TEXT NOT NULL,
  body ANY NOT NULL -- last, so that what comes before is found without reading it
) STRICT;

CREATE TABLE nodes (
  id INTEGER PRIMARY KEY, -- run number * 2^32 + the seq at which it started
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  path TEXT NOT NULL,
  parent TEXT NOT NULL,
  body TEXT NOT NULL -- JSON
) STRICT;
CREATE UNIQUE INDEX nodes_by_path ON nodes (run, path);

CREATE TABLE durations (
  scenario TEXT NOT NULL,
  path TEXT NOT NULL,
  at REAL NOT NULL,
  ms REAL NOT NULL,
  PRIMARY KEY (scenario, path, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrichments (
  id INTEGER PRIMARY KEY,
  scenario TEXT NOT NULL,
  path TEXT NOT NULL,
  at REAL NOT NULL,
  body TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX enrichments_by_path ON enrichments (scenario, path, at);

CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  bytes BLOB NOT NULL
) STRICT;
CREATE TABLE artifact_uses (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  artifact INTEGER NOT NULL REFERENCES artifacts,
  PRIMARY KEY (run, artifact)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_uses_by_artifact ON artifact_uses (artifact);
`;

/** One row for each path: a row for each measurement made every run read all that earlier ones had left. */
function measurementsByPath(database: DatabaseSync): void {
  database.exec(`CREATE TABLE measurements (
    scenario TEXT NOT NULL,
    path TEXT NOT NULL,
    latest BLOB NOT NULL, -- see measurements.ts
    PRIMARY KEY (scenario, path)
  ) STRICT, WITHOUT ROWID`);
  const add = database.prepare('INSERT INTO measurements (scenario, path, latest) VALUES (?, ?, ?)');
  const earlier = database.prepare('SELECT scenario, path, at, ms FROM durations ORDER BY at DESC').all() as Duration[];
  for (const latest of Map.groupBy(earlier, ({ scenario, path }) => JSON.stringify([scenario, path])).values()) {
    const [{ scenario, path } = { scenario: '', path: '' }] = latest;
    add.run(scenario, path, packed(latest.slice(0, REMEMBERED)));
  }
  database.exec('DROP TABLE durations');
}

const CLAIMS_BY_PLACE = 'ALTER TABLE runs ADD COLUMN place TEXT; ALTER TABLE runs ADD COLUMN born TEXT';

type Migration = (database: DatabaseSync) => void;
const MIGRATIONS: readonly Migration[] = [
  (database) => database.exec(FIRST),
  measurementsByPath,
  (database) => database.exec(CLAIMS_BY_PLACE),
];
/** The version of the files that this program writes, and the latest that it reads. */
export const VERSION = MIGRATIONS.length;

export const pragma = (database: DatabaseSync, name: string): unknown =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];

/** Brings a database that is ours, or still empty, up to date. */
export function migrate(database: DatabaseSync): void {
  if (pragma(database, 'user_version') === VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been quicker.
    const from = Number(pragma(database, 'user_version'));
    for (const migration of MIGRATIONS.slice(from)) migration(database);
    if (from < VERSION) database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
