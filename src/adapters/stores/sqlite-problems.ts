/** Reads all of a store and says what does not fit together. */
import { hash } from 'node:crypto';
import { EspalierError } from '../../errors.ts';
import { paged, type Connection } from './sqlite-connection.ts';

const PAGES = 'PRAGMA integrity_check(20)';
const REFERENCES = `SELECT "table" AS name, parent, count(*) AS rows FROM pragma_foreign_key_check GROUP BY 1, 2`;
const STRAY_EVENTS = 'SELECT count(*) AS rows FROM events WHERE id >> 32 NOT IN (SELECT number FROM runs)';
const COUNTS = `SELECT number, id, events, (SELECT count(*) FROM events
    WHERE events.id >= number << 32 AND events.id < (number + 1) << 32) AS actual
  FROM runs WHERE number > ? AND events <> actual ORDER BY number`;
const RUNS = `SELECT number, id FROM runs
  WHERE number > ? AND NOT (json_valid(body) AND (receipt IS NULL OR json_valid(receipt))) ORDER BY number`;
const NODES = `SELECT nodes.id AS number, runs.id AS run, path FROM nodes JOIN runs ON run = number
  WHERE nodes.id > ? AND NOT json_valid(nodes.body) ORDER BY nodes.id`;
const ARTIFACT = 'SELECT id, sha256, bytes FROM artifacts WHERE id > ? ORDER BY id LIMIT 1';

type Check = (connection: Connection) => Iterable<string>;

const checks: readonly Check[] = [
  function* pages({ get }) {
    // Where the damage is great SQLite gives up after its first answer, which may have many lines.
    const [said = ''] = Object.values(get(PAGES) ?? {});
    for (const line of String(said).split('\n')) {
      if (line !== 'ok' && !line.startsWith('***')) yield `The file does not fit together: ${line}.`;
    }
  },
  function* references({ page }) {
    for (const row of page<{ name: string; parent: string; rows: number }>(REFERENCES).rows) {
      yield `In ${row.name}, rows that refer to ${row.parent} which are not there: ${row.rows}.`;
    }
  },
  function* strayEvents({ get }) {
    const rows = Number(get(STRAY_EVENTS)?.['rows']);
    if (rows > 0) yield `Events of runs that are not there: ${rows}.`;
  },
  function* counts({ page }) {
    type Counted = { number: number; id: string; events: number; actual: number };
    for (const { id, events, actual } of paged((after?: Counted) => page<Counted>(COUNTS, after?.number ?? 0))) {
      yield `Run ${id} had ${events} events, and has ${actual}.`;
    }
  },
  function* runs({ page }) {
    type Bad = { number: number; id: string };
    for (const { id } of paged((after?: Bad) => page<Bad>(RUNS, after?.number ?? 0))) {
      yield `The row of run ${id} cannot be read.`;
    }
  },
  function* nodes({ page }) {
    type Bad = { number: number; run: string; path: string };
    for (const { run, path } of paged((after?: Bad) => page<Bad>(NODES, after?.number ?? 0))) {
      yield `The row of node ${path} of run ${run} cannot be read.`;
    }
  },
  function* artifacts({ get }) {
    for (let id = 0; ;) {
      const row = get(ARTIFACT, id) as { id: number; sha256: string; bytes: Uint8Array } | undefined;
      if (!row) return;
      ({ id } = row);
      if (hash('sha256', row.bytes, 'hex') !== row.sha256) yield `The bytes kept under ${row.sha256} are not those.`;
    }
  },
];

/** One sentence each. */
export const problemsOf = (connection: Connection): string[] => [
  ...new Set(checks.flatMap((check) => found(check, connection))),
];

/** A check that cannot go on has found something too. */
function found(check: Check, connection: Connection): string[] {
  try {
    return [...check(connection)];
  } catch (error) {
    if (EspalierError.isInstance(error)) return [error.message];
    throw error;
  }
}
