/** What SQLite fails with, in plain words: what, in which file, and what to do. */
import { EspalierError } from '../../errors.ts';

export const storeFault = (message: string, cause?: unknown): EspalierError =>
  new EspalierError('store-fault', message, cause === undefined ? {} : { cause });

type Explain = (file: string, busyMs: number) => string;

const BUSY = 5;
const READ_ONLY = 8;
const UNOPENABLE = 14;
/** By primary result code, see https://sqlite.org/rescode.html. */
const EXPLAINED: Readonly<Record<number, Explain>> = {
  [BUSY]: (file, busyMs) =>
    `Store ${file} has been locked by another process for ${busyMs / 1000} s. Wait until that is done, or stop it.`,
  [READ_ONLY]: (file) => `Store ${file} cannot be written: the file or its folder is read-only. Make both writable.`,
  10: (file) => `Store ${file} cannot be read or written: the disk reports an error. Check it, and copy the file away.`,
  11: (file) => `Store ${file} is damaged. Keep the file, and restore a copy of it or start another store.`,
  13: (file) => `Store ${file} cannot be written: the disk is full. Make room, then try again.`,
  [UNOPENABLE]: (file) => `Store ${file} cannot be opened. Check that you may read and write the file and its folder.`,
  19: (file) => `Store ${file} refused what contradicts the rest of it. Report this: the program is at fault.`,
  26: (file) => `${file} is not a database. Choose another file for the store.`,
};

/** Its primary result code; undefined when SQLite did not say this. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
export const isBusy = (error: unknown): boolean => codeOf(error) === BUSY;
export const isUnopenable = (error: unknown): boolean => [READ_ONLY, UNOPENABLE].includes(codeOf(error) ?? 0);

/** Makes a `store-fault` of what SQLite threw; whatever else was thrown is left as it is. */
export function faultOf(error: unknown, file: string, busyMs: number): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const explained = EXPLAINED[code]?.(file, busyMs);
  return storeFault(explained ?? `Store ${file} failed: ${(error as Error).message} (SQLite ${code}).`, error);
}
