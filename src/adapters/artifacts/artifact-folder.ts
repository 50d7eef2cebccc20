/**
 * Big outputs in a folder that several processes share, such as one on a network disk: a file for each, by its SHA-256.
 *  1. A file is there whole or not at all: it is written beside, and then renamed.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { EspalierError } from '../../errors.ts';
import type { Artifacts } from '../../ports/artifacts.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Give the same folder to every worker, and to the caller who stores their runs.
 * @throws EspalierError `store-fault` when the folder cannot be made; a leaf that keeps something where it cannot be
 * written fails with the same
 */
export function artifactFolder(folder: string): Artifacts {
  const fault = (cause: unknown): EspalierError =>
    new EspalierError('store-fault', `The artifact folder "${folder}" cannot be written: ${String(cause)}.`, { cause });
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw fault(cause);
  }
  return {
    keep(sha256, bytes) {
      const beside = join(folder, `${sha256}.${randomUUID()}.part`);
      try {
        writeFileSync(beside, bytes);
        renameSync(beside, join(folder, sha256));
      } catch (cause) {
        rmSync(beside, { force: true });
        throw fault(cause);
      }
    },
    bytes(sha256) {
      if (!SHA256.test(sha256)) return undefined;
      try {
        return readFileSync(join(folder, sha256));
      } catch {
        return undefined; // nobody kept it here, or it is gone
      }
    },
  };
}
