/**
 * The frequency of a file that does not say it.
 *
 * 1. Never from the future: whatever is told from a file is told from its first two rows too, so what comes later can
 *    make the file be refused, and cannot make its past be read differently.
 * 2. So no majority decides, and no gap is overlooked. Where two distances disagree a person has to say it.
 */
import { EspalierError } from '../../errors.ts';
import type { Frequency } from '../../protocol/series.ts';
import type { CsvRow } from './csv-series.ts';

/**
 * Days between two dates, from and to. Daily: weekends, holidays and weeks. Monthly: first, last and trading days of
 * months, or four and five weeks. Quarterly and yearly: the same, and thirteen or fourteen, 52 or 53 weeks.
 */
const DISTANCES: readonly (readonly [frequency: Frequency, from: number, to: number])[] = [
  ['daily', 1, 12],
  ['monthly', 26, 36],
  ['quarterly', 84, 100],
  ['yearly', 350, 380],
];
const MS_PER_DAY = 86_400_000;

/**
 * What every distance between two dates agrees on. `name` is what the file is called in messages.
 * @throws EspalierError `invalid-data` that asks for a frequency, with file and lines
 */
export function frequencyOf(rows: readonly CsvRow[], name: string): Frequency {
  const [first, second] = rows;
  if (!first || !second) throw unclear(name, first?.line ?? 1, 'a single row tells no frequency');
  const told = between(first, second);
  let before = first;
  for (const row of rows.slice(1)) {
    const { frequency, days } = between(before, row);
    const what = `${row.date} comes ${days} days after ${before.date}`;
    if (frequency === undefined) {
      throw unclear(name, row.line, `${what} of line ${before.line}, which is the distance of no frequency`);
    }
    if (frequency !== told.frequency) {
      const other = `line ${second.line} comes ${told.days} after line ${first.line}, like ${told.frequency} ones`;
      throw unclear(name, row.line, `${what}, like ${frequency} data; ${other}`);
    }
    // What is known later than its successor leaves a gap in the past, and with it another frequency.
    if (row.available !== undefined && before.available !== undefined && row.available < before.available) {
      const other = `line ${before.line} on ${before.available} only`;
      throw unclear(name, row.line, `known on ${row.available}, ${other}, so its past tells another frequency`);
    }
    before = row;
  }
  if (told.frequency === undefined) throw new Error('unreachable: the first distance is checked first');
  return told.frequency;
}

function between(from: CsvRow, to: CsvRow): { days: number; frequency: Frequency | undefined } {
  const days = (Date.parse(to.date) - Date.parse(from.date)) / MS_PER_DAY;
  return { days, frequency: DISTANCES.find(([, least, most]) => days >= least && days <= most)?.[0] };
}

const unclear = (name: string, line: number, why: string): EspalierError =>
  new EspalierError('invalid-data', `${name}, line ${line}: ${why}. Say its "frequency" in the manifest.`);
