/**
 * Big outputs as files in a folder, each named by its SHA-256: a place that several processes, or several machines over
 * a shared file system, can read.
 *  1. A file is there whole or not at all: it is written beside, and then takes its name.
 *  2. Nothing is ever overwritten: the same bytes have the same name.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EspalierError } from '../../errors.ts';
import type { Artifacts } from '../../ports/artifacts.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Keeps artifacts in `folder`, which is made when the first is kept. Nothing is ever removed from it.
 * @throws EspalierError `store-fault` from `keep`, when the folder cannot be written
 * @example services(scenario, { artifacts: artifactFolder('/mnt/shared/artifacts') })
 */
export function artifactFolder(folder: string): Artifacts {
  // No folder holds more files than a directory listing can bear.
  const fileOf = (sha256: string): string => join(folder, sha256.slice(0, 2), sha256);
  return {
    keep(sha256, bytes) {
      if (!SHA256.test(sha256)) throw new EspalierError('invalid-input', `"${sha256}" is no SHA-256 in hex.`);
      const file = fileOf(sha256);
      if (isWhole(file, bytes.length)) return;
      const beside = `${file}.${randomUUID()}`;
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(beside, bytes, { flush: true });
        renameSync(beside, file);
      } catch (cause) {
        rmSync(beside, { force: true });
        const why = cause instanceof Error ? cause.message : String(cause);
        const message = `The folder of artifacts ${folder} cannot be written: ${why}. Free space in it, or name another.`;
        throw new EspalierError('store-fault', message, { cause });
      }
    },
    bytes(sha256) {
      if (!SHA256.test(sha256)) return undefined;
      try {
        return readFileSync(fileOf(sha256));
      } catch {
        return undefined;
      }
    },
  };
}

function isWhole(file: string, length: number): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === length;
}
