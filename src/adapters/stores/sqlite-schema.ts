/**
 * The tables, and how a file of an older version gets them.
 *  1. A migration is never changed once it was released: another is appended.
 *  2. All that are missing are applied in one transaction. `user_version` counts those that were.
 */
import type { DatabaseSync } from 'node:sqlite';

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
CREATE INDEX nodes_by_parent ON nodes (run, parent);

CREATE TABLE durations (
  id INTEGER PRIMARY KEY,
  scenario TEXT NOT NULL,
  path TEXT NOT NULL,
  at REAL NOT NULL,
  ms REAL NOT NULL
) STRICT;
CREATE INDEX durations_by_path ON durations (scenario, path, at);

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

const MIGRATIONS: readonly string[] = [FIRST];
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
    for (const migration of MIGRATIONS.slice(from)) database.exec(migration);
    if (from < VERSION) database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
