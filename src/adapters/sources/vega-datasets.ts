/**
 * Real series without a key, a server or a network: the npm package `vega-datasets`, an optional peer.
 *
 * 1. Each file is read once per adapter; a read that failed is tried again by the next load.
 * 2. Every observation says when it became known. Values are those of the file's vintage: dates guard against
 *    look-ahead, they do not undo later revisions.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EspalierError } from '../../errors.ts';
import type { SourceAdapter } from '../../ports/sources.ts';
import type { Observation, SeriesRecord } from '../../protocol/series.ts';
import { monthsLater } from './months-later.ts';
import { vegaCatalog, type VegaEntry } from './vega-catalog.ts';
import type { Table } from './vega-tables.ts';

const PACKAGE = 'vega-datasets';

/** The ids that `vegaDatasets` can load: `stocks/MSFT`, `sp500/close`, `us-employment/nonfarm`, `unemployment/all` … */
export const vegaDatasetIds: readonly string[] = [...vegaCatalog.keys()];

export type VegaDatasetsOptions = {
  /** The package's folder. Default: where Node finds it. */
  directory?: string;
};

const Manifest = z.object({ version: z.string() });
type Loaded = { readonly table: Table; readonly sha256: string; readonly version: string };

/**
 * Series from the npm package `vega-datasets`: US stocks, the S&P 500, employment, unemployment by industry and federal
 * receipts, mostly 2000 to 2010.
 *
 * `load` rejects with an `EspalierError`: `missing-peer` when the package is not installed, `unknown-source` with the
 * nearest ids, `invalid-data` with file and line.
 */
export function vegaDatasets(options: VegaDatasetsOptions = {}): SourceAdapter {
  const files = new Map<string, Promise<Loaded>>();

  function fileOf({ file }: VegaEntry): Promise<Loaded> {
    let loaded = files.get(file.name);
    if (!loaded) {
      loaded = readTable(options.directory ?? packageDirectory(), file);
      files.set(file.name, loaded);
      loaded.catch(() => files.delete(file.name));
    }
    return loaded;
  }

  return {
    async load(id, { abortSignal }) {
      const entry = vegaCatalog.get(id);
      if (!entry) throw unknownSource(id);
      abortSignal.throwIfAborted();
      const loaded = await fileOf(entry);
      abortSignal.throwIfAborted();
      return recordOf(entry, loaded);
    },
  };
}

function recordOf({ id, title, file, key }: VegaEntry, { table, sha256, version }: Loaded): SeriesRecord {
  const cells = table.get(key);
  const ref = `${PACKAGE}@${version}/data/${file.name}#${key}`;
  if (!cells) throw new EspalierError('invalid-data', `${ref} holds nothing. Install ${PACKAGE}@3.2.1.`);
  const { unit, frequency, seasonallyAdjusted, lagMonths } = file;
  const observations = cells.map(({ date, value }): Observation => ({
    date,
    value,
    availableAt: monthsLater(date, lagMonths),
  }));
  return {
    id,
    title,
    unit,
    frequency,
    seasonallyAdjusted,
    lagMonths,
    observations,
    source: { kind: 'npm', ref, sha256 },
  };
}

async function readTable(directory: string, file: VegaEntry['file']): Promise<Loaded> {
  const path = join(directory, 'data', file.name);
  const [bytes, manifest] = await Promise.all([readBytes(path), readBytes(join(directory, 'package.json'))]);
  const { version } = Manifest.parse(JSON.parse(manifest.toString('utf8')));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { table: file.read(bytes.toString('utf8'), `data/${file.name}`), sha256, version };
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new EspalierError('invalid-data', `${PACKAGE}: cannot read ${path}. Install ${PACKAGE}@3.2.1.`, { cause });
  }
}

/** The package exports one module, `build/index.js`, and no data: its folder is two above that. */
function packageDirectory(): string {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))));
  } catch (cause) {
    const what = `The package "${PACKAGE}" is not installed. Run: npm install ${PACKAGE}@3.2.1`;
    throw new EspalierError('missing-peer', what, { cause });
  }
}

function unknownSource(id: string): EspalierError {
  const wanted = bigrams(id);
  const near = vegaDatasetIds
    .map((known) => ({ known, likeness: likeness(wanted, bigrams(known)) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, 3)
    .map(({ known }) => `"${known}"`);
  const what = `${PACKAGE} has no series "${id}". Nearest: ${near.join(', ')}. All of them: vegaDatasetIds.`;
  return new EspalierError('unknown-source', what);
}

function bigrams(text: string): Set<string> {
  const lower = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, lower.length - 1) }, (_, i) => lower.slice(i, i + 2)));
}
/** Dice's coefficient of two sets: 0 nothing in common, 1 the same. */
const likeness = (a: Set<string>, b: Set<string>): number =>
  (2 * [...a].filter((pair) => b.has(pair)).length) / (a.size + b.size || 1);
