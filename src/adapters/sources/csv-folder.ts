/**
 * Series from a folder of CSV files with a manifest.
 *
 * 1. Nothing outside the folder is read, whatever a path or a symbolic link says, and whenever it came to say it.
 * 2. The manifest, and that every file is there, is checked at once; a file's content when it is loaded, so that one
 *    broken file costs one series.
 * 3. A file is read and checked whole, its future too. What comes later can make a file be refused; of what is given of
 *    a day it changes nothing but `source.sha256`, which identifies the file as it was read, not what was visible.
 */
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { EspalierError } from '../../errors.ts';
import type { SourceAdapter } from '../../ports/sources.ts';
import type { Frequency, Observation } from '../../protocol/series.ts';
import { pathWithin, withFile, type FolderFile } from './csv-boundary.ts';
import { frequencyOf } from './csv-frequency.ts';
import { MANIFEST, parseManifest, type CsvManifest, type CsvSeries } from './csv-manifest.ts';
import { readCsv, type CsvRow } from './csv-series.ts';
import { monthsLater } from './months-later.ts';

export type { CsvManifest, CsvSeries } from './csv-manifest.ts';
export type CsvFolder = { readonly manifest: CsvManifest; readonly adapter: SourceAdapter };

/**
 * Months from the start of a period to its publication, where a manifest does not say: a day's value is known that
 * day, a month's two months after it began, a quarter's four, a year's fourteen.
 */
const LAG_MONTHS: Readonly<Record<Frequency, number>> = { daily: 0, monthly: 2, quarterly: 4, yearly: 14 };

/**
 * Opens a folder: reads and checks its `manifest.json`, and finds every file that it names.
 * @returns the manifest with its defaults filled in, and an adapter that loads its series by id. `load` rejects with
 * `unknown-source`, or with `invalid-data` that names file and line.
 * @throws EspalierError `invalid-data` when the folder or manifest is missing or broken, or a file is missing or
 * outside of the folder
 * @example
 * const { manifest, adapter } = await csvFolder('data');
 */
export async function csvFolder(dir: string): Promise<CsvFolder> {
  const home = await homeOf(dir);
  const at = join(dir, MANIFEST);
  const text = await withFile({ home, file: MANIFEST, named: at }, (handle) => handle.readFile('utf8'));
  const manifest = parseManifest(text, at);
  const entries = new Map<string, { series: CsvSeries; from: FolderFile }>();
  for (const series of manifest.series) {
    const { id, file } = series;
    const named = `${at}: series ${JSON.stringify(id)} names the file ${JSON.stringify(file)}, which`;
    const from = { home, file, named };
    await pathWithin(from);
    entries.set(id, { series, from });
  }
  return {
    manifest,
    adapter: {
      async load(id, { abortSignal }) {
        const entry = entries.get(id);
        if (!entry)
          throw new EspalierError('unknown-source', `${at} has no series ${JSON.stringify(id)}. Add it there.`);
        abortSignal.throwIfAborted();
        const { series, from } = entry;
        const { rows, sha256 } = await withFile(from, (handle) => readCsv(handle, series.file, abortSignal));
        const frequency = series.frequency ?? frequencyOf(rows, series.file);
        const lagMonths = series.availableAfterMonths ?? LAG_MONTHS[frequency];
        return {
          id,
          title: series.title,
          unit: series.unit,
          frequency,
          seasonallyAdjusted: series.seasonallyAdjusted,
          lagMonths,
          observations: rows.map((row) => observationOf(row, lagMonths)),
          source: { kind: 'csv', ref: series.file, sha256 },
        };
      },
    },
  };
}

const observationOf = ({ date, value, available }: CsvRow, lagMonths: number): Observation => ({
  date,
  value,
  availableAt: available ?? (lagMonths === 0 ? date : monthsLater(date, lagMonths)),
});

async function homeOf(dir: string): Promise<string> {
  const names = await readdir(dir).catch((cause: unknown) => {
    throw invalid(`${dir} is no folder that can be read. Give one that holds a ${MANIFEST}`, cause);
  });
  if (names.length === 0) throw invalid(`The folder ${dir} is empty. Put a ${MANIFEST} and the files it names there`);
  if (!names.includes(MANIFEST)) throw invalid(`The folder ${dir} has no ${MANIFEST}. Write one that lists its series`);
  return realpath(dir);
}

const invalid = (what: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-data', `${what}.`, { cause });
