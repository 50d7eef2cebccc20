/**
 * Files of a folder, and of nowhere else, whatever a path or a symbolic link says.
 *
 * 1. A file is checked when it is opened, not before alone: what has been put in its place since is not read.
 * 2. What is read is the handle that was checked, never its path once more.
 */
import { constants } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { EspalierError } from '../../errors.ts';

/** `named` begins messages about the file; `home` is the folder's real path. */
export type FolderFile = { readonly home: string; readonly file: string; readonly named: string };

/** Follows no link, as links are resolved by then; waits for no pipe. A system without these flags has none to set. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Where a file really lies, once it is known to be one and inside the folder.
 * @throws EspalierError `invalid-data` when it is not
 */
export async function pathWithin({ home, file, named }: FolderFile): Promise<string> {
  const path = await realpath(join(home, file)).catch((cause: unknown) => {
    throw invalid(`${named} is not there. Add the file or correct its name`, cause);
  });
  const inside = relative(home, path);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw invalid(`${named} lies outside of the folder. Copy it into the folder`);
  }
  // A pipe or a device could be waited for without end.
  if (!(await statOf(path, named)).isFile()) throw invalid(`${named} is not a file. Name one that is`);
  return path;
}

/**
 * Opens a file for as long as `use` takes.
 * @throws EspalierError `invalid-data` when it is no file inside the folder, or becomes another one meanwhile
 */
export async function withFile<T>(from: FolderFile, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const { named } = from;
  const handle = await open(await pathWithin(from), FLAGS).catch((cause: unknown) => {
    throw EspalierError.isInstance(cause) ? cause : invalid(`${named} cannot be opened${codeOf(cause)}`, cause);
  });
  try {
    const opened = await handle.stat({ bigint: true });
    if (!opened.isFile()) throw invalid(`${named} is not a file. Name one that is`);
    // A folder on the way to the file may have become a link after its path was resolved.
    const within = await statOf(await pathWithin(from), named);
    if (opened.dev !== within.dev || opened.ino !== within.ino) {
      throw invalid(`${named} was replaced while it was opened. Leave the folder alone during a run`);
    }
    return await use(handle);
  } finally {
    await handle.close();
  }
}

const statOf = (path: string, named: string) =>
  stat(path, { bigint: true }).catch((cause: unknown) => {
    throw invalid(`${named} cannot be looked at${codeOf(cause)}`, cause);
  });

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';

const invalid = (what: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-data', `${what}.`, { cause });
