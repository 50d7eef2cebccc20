/**
 * One connection to a store's file.
 *  1. No statement is open between two calls: so readers hold nothing up, and writers break no reader.
 *  2. Each statement is prepared once.
 *  3. What SQLite throws comes out as `store-fault`; a transaction that fails is undone.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { openFile } from './sqlite-file.ts';
import { faultOf, storeFault } from './sqlite-faults.ts';

type Row = Record<string, SQLOutputValue>;
/** `isLast` when nothing follows on these. */
export type Page<R> = { readonly rows: readonly R[]; readonly isLast: boolean };

export type Connection = {
  /** How many rows were changed. */
  readonly run: (sql: string, ...values: SQLInputValue[]) => number;
  readonly get: (sql: string, ...values: SQLInputValue[]) => Row | undefined;
  /** The first of the rows: as many as are read at once. */
  readonly page: <R = Row>(sql: string, ...values: SQLInputValue[]) => Page<R>;
  /** Waits for other processes no longer than `mostMs`, if that is less than usual. */
  readonly transact: <T>(work: () => T, mostMs?: number) => T;
  readonly close: () => void;
};

const PAGE_ROWS = 64;
/** Rows may be as big as reports: of such, fewer. In characters or bytes. */
const PAGE_WEIGHT = 2 ** 20;

export function connect(file: string, busyMs: number): Connection {
  const database = openFile(file, busyMs);
  let waitMs = busyMs;
  const waitFor = (ms: number): void => {
    if (ms === waitMs || !database.isOpen) return;
    database.exec(`PRAGMA busy_timeout = ${ms}`);
    waitMs = ms;
  };
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement) return statement;
    if (!database.isOpen) throw storeFault(`Store ${file} is closed. Open it again.`);
    statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const attempt = <T>(sql: string, work: (statement: StatementSync) => T): T => {
    try {
      return work(prepare(sql));
    } catch (error) {
      statements.delete(sql); // one that failed while it was iterated would say so again when it is used next
      throw faultOf(error, file, waitMs);
    }
  };
  const run = (sql: string, ...values: SQLInputValue[]): number =>
    attempt(sql, (statement) => Number(statement.run(...values).changes));

  return {
    run,
    get: (sql, ...values) => attempt(sql, (statement) => statement.get(...values)),
    page: <R>(sql: string, ...values: SQLInputValue[]) =>
      attempt(sql, (statement) => pageOf(statement.iterate(...values)) as Page<R>),
    transact(work, mostMs = busyMs) {
      waitFor(Math.min(mostMs, busyMs));
      run('BEGIN IMMEDIATE');
      try {
        const result = work();
        run('COMMIT');
        return result;
      } catch (error) {
        rollBack(database);
        throw error;
      }
    },
    close() {
      statements.clear();
      if (database.isOpen) database.close();
    },
  };
}

function pageOf(all: Iterable<Row>): Page<Row> {
  const rows: Row[] = [];
  let weight = 0;
  for (const row of all) {
    rows.push(row);
    const { body } = row;
    if (typeof body === 'string' || body instanceof Uint8Array) weight += body.length;
    if (rows.length >= PAGE_ROWS || weight >= PAGE_WEIGHT) return { rows, isLast: false };
  }
  return { rows, isLast: true };
}

/** SQLite has undone it already where it saw no other way. */
function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // What made the transaction fail is thrown; this could only hide it.
  }
}

/** All rows, a page at a time; each page is asked for by the last row of the one before. */
export function* paged<R>(read: (after?: R) => Page<R>): Generator<R, void> {
  for (let page = read(); ;) {
    yield* page.rows;
    const last = page.rows.at(-1);
    if (page.isLast || last === undefined) return;
    page = read(last);
  }
}
