/**
 * Series from a folder of CSV files with a manifest.
 *
 * 1. Nothing outside the folder is read, whatever a path or a symbolic link says.
 * 2. The manifest, and that every file is there, is checked at once; a file's content when it is loaded, so that one
 *    broken file costs one series.
 */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { median } from 'simple-statistics';
import { EspalierError } from '../../errors.ts';
import type { SourceAdapter } from '../../ports/sources.ts';
import type { Frequency, Observation } from '../../protocol/series.ts';
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
  const manifest = parseManifest(await readFile(await pathWithin(home, MANIFEST, at), 'utf8'), at);
  const entries = new Map<string, { series: CsvSeries; path: string }>();
  for (const series of manifest.series) {
    const path = await pathWithin(home, series.file, `${at}: series ${JSON.stringify(series.id)}`);
    entries.set(series.id, { series, path });
  }
  return {
    manifest,
    adapter: {
      async load(id, { abortSignal }) {
        const entry = entries.get(id);
        if (!entry)
          throw new EspalierError('unknown-source', `${at} has no series ${JSON.stringify(id)}. Add it there.`);
        abortSignal.throwIfAborted();
        const { series, path } = entry;
        const { rows, sha256 } = await readCsv(path, series.file, abortSignal);
        const frequency = series.frequency ?? frequencyOf(rows);
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

/** Where a file really lies, once it is known to be one and inside the folder. `who` names it in messages. */
async function pathWithin(home: string, file: string, who: string): Promise<string> {
  const named = file === MANIFEST ? who : `${who} names the file ${JSON.stringify(file)}, which`;
  const path = await realpath(join(home, file)).catch((cause: unknown) => {
    throw invalid(`${named} is not there. Add the file or correct its name`, cause);
  });
  const inside = relative(home, path);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw invalid(`${named} lies outside of the folder. Copy it into the folder`);
  }
  // A pipe or a device could be waited for without end.
  if (!(await stat(path)).isFile()) throw invalid(`${named} is not a file. Name one that is`);
  return path;
}

const MS_PER_DAY = 86_400_000;
const RECENT_ROWS = 1_000;

/** From the typical distance of the latest observations. Weekly counts as daily; a single observation as monthly. */
function frequencyOf(rows: readonly CsvRow[]): Frequency {
  const days = rows.slice(-RECENT_ROWS).map(({ date }) => Date.parse(date) / MS_PER_DAY);
  const distances = days.slice(1).map((day, index) => day - (days[index] ?? day));
  if (distances.length === 0) return 'monthly';
  const typical = median(distances);
  if (typical <= 15) return 'daily';
  if (typical <= 60) return 'monthly';
  return typical <= 180 ? 'quarterly' : 'yearly';
}

const invalid = (what: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-data', `${what}.`, { cause });
