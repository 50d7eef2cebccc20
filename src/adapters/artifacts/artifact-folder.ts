/**
 * Big outputs in a folder that several processes share, such as one on a network disk: a file for each, by its SHA-256.
 *  1. A file is there whole or not at all: it is written beside, and then takes its name.
 *  2. What is there whole is not written again: the same bytes have the same name.
 *  3. No other file can be read through it.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EspalierError } from '../../errors.ts';
import type { Artifacts } from '../../ports/artifacts.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Give the same folder to every worker, and to the caller who stores their runs. Nothing is ever removed from it.
 * @throws EspalierError `store-fault` when the folder cannot be made; from `keep` when it cannot be written, from
 * `bytes` when what is there cannot be read
 * @example services(scenario, { artifacts: artifactFolder('/mnt/shared/artifacts') })
 */
export function artifactFolder(folder: string): Artifacts {
  const fault = (what: string, advice: string, cause: unknown): EspalierError => {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new EspalierError('store-fault', `The artifact folder ${folder} cannot be ${what}: ${why}. ${advice}`, {
      cause,
    });
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw fault('made', 'Name another.', cause);
  }
  return {
    keep(sha256, bytes) {
      if (!SHA256.test(sha256)) throw new EspalierError('invalid-input', `"${sha256}" is no SHA-256 in hex.`);
      const file = join(folder, sha256);
      const beside = `${file}.${randomUUID()}.part`;
      try {
        if (statSync(file, { throwIfNoEntry: false })?.size === bytes.length) return;
        writeFileSync(beside, bytes, { flush: true });
        renameSync(beside, file);
      } catch (cause) {
        attempt(() => rmSync(beside));
        throw fault('written', 'Make room or name another.', cause);
      }
    },
    bytes(sha256) {
      if (!SHA256.test(sha256)) return undefined;
      try {
        return readFileSync(join(folder, sha256));
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined; // nobody kept it here
        throw fault('read', 'Let its owner see to it.', cause);
      }
    },
  };
}

function attempt(cleanUp: () => void): void {
  try {
    cleanUp();
  } catch {
    // what had been in the way before is in the way still, and is what is told
  }
}
