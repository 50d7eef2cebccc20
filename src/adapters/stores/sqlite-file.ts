/**
 * Opens the file of a store.
 *  1. A file that is not ours is refused before anything could change it.
 *  2. A new file is made whole, tables and all, in one transaction; only then it is switched to write-ahead logging. So
 *     the header of a file says truly whose it is.
 *  3. What can only be read is opened for reading: that it is read-only is said when something is to be written.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { EspalierError } from '../../errors.ts';
import { faultOf, isBusy, isUnopenable, storeFault } from './sqlite-faults.ts';
import { APPLICATION_ID, migrate, pragma, VERSION } from './sqlite-schema.ts';

const MAGIC = 'SQLite format 3\0';
/** Reports are big: so a batch is few pages, and one node alone not many bytes. A file that is there stays as it was made. */
const PAGE_BYTES = 8_192;
const WAL_BYTES = 40 * 2 ** 20;
const RETRY_MS = 10;

/** @throws EspalierError `store-fault` */
export function openFile(file: string, busyMs: number): DatabaseSync {
  const path = resolve(file);
  try {
    makeFolder(dirname(path), file);
    const isThere = isDatabase(path, file);
    if (isThere) refuseForeign(path, file, busyMs);
    try {
      return prepared(new DatabaseSync(path, { timeout: busyMs }), busyMs);
    } catch (error) {
      // SQLite wants to write beside a file that it only reads, unless it is told that nobody changes it.
      if (!isThere || !isUnopenable(error) || existsSync(`${path}-wal`)) throw error;
      return prepared(new DatabaseSync(unchanging(path), { readOnly: true }), busyMs);
    }
  } catch (error) {
    throw faultOf(error, file, busyMs);
  }
}

function makeFolder(folder: string, file: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw storeFault(
      `The folder ${folder} for store ${file} cannot be made (${codeOf(error)}). Make it, or choose another file.`,
      error,
    );
  }
}

/** Whether there is one; an empty file is a store still to be made. */
function isDatabase(path: string, file: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  if (!stat.isFile()) throw storeFault(`${file} is not a file. Choose another one for the store.`);
  if (stat.size === 0) return false;
  if (headOf(path, file) === MAGIC) return true;
  throw storeFault(`${file} is not a database. Choose another file for the store.`);
}

function headOf(path: string, file: string): string {
  try {
    const bytes = Buffer.alloc(MAGIC.length);
    const descriptor = openSync(path, 'r');
    const read = readSync(descriptor, bytes);
    closeSync(descriptor);
    return bytes.toString('latin1', 0, read);
  } catch (error) {
    throw storeFault(`Store ${file} cannot be read (${codeOf(error)}). Check that you may read it.`, error);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** Nothing is locked or written, so this leaves no trace. */
const unchanging = (path: string): URL => new URL(`${pathToFileURL(path).href}?immutable=1`);

function refuseForeign(path: string, file: string, busyMs: number): void {
  const isBeingChanged = existsSync(`${path}-wal`) || existsSync(`${path}-journal`);
  const database = new DatabaseSync(isBeingChanged ? path : unchanging(path), { readOnly: true, timeout: busyMs });
  try {
    const isOurs = pragma(database, 'application_id') === APPLICATION_ID;
    if (!isOurs && pragma(database, 'application_id') === 0 && isEmpty(database)) return;
    if (!isOurs) {
      throw storeFault(`${file} is an SQLite database of another program. Choose another file for the store.`);
    }
    const version = Number(pragma(database, 'user_version'));
    if (version <= VERSION) return;
    throw storeFault(
      `Store ${file} was written by a newer espalier (its format is ${version}, this one knows ${VERSION}). Update espalier, or choose another file.`,
    );
  } catch (error) {
    // Another process is at it: what it is, is seen once it can be locked.
    if (EspalierError.isInstance(error) || !isBeingChanged) throw error;
    if (!isUnopenable(error)) throw error;
  } finally {
    database.close();
  }
}

const isEmpty = (database: DatabaseSync): boolean =>
  database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;

function prepared(database: DatabaseSync, busyMs: number): DatabaseSync {
  try {
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    migrate(database);
    switchToWal(database, busyMs);
    const walPages = Math.ceil(WAL_BYTES / Number(pragma(database, 'page_size')));
    database.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${walPages}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** While another process has the file locked to make its tables SQLite refuses this at once, without waiting. */
function switchToWal(database: DatabaseSync, busyMs: number): void {
  const until = performance.now() + busyMs;
  for (;;) {
    try {
      if (pragma(database, 'journal_mode') !== 'wal') database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
