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

type Step = { readonly from: CsvRow; readonly to: CsvRow; readonly days: number; readonly frequency: Frequency };

/**
 * What every distance between two dates agrees on. `name` is what the file is called in messages.
 * @throws EspalierError `invalid-data` that asks for a frequency, with file and lines
 */
export function frequencyOf(rows: readonly CsvRow[], name: string): Frequency {
  let first: Step | undefined;
  let from: CsvRow | undefined;
  for (const to of rows) {
    if (from) {
      const step = stepOf(from, to, name);
      first ??= step;
      if (step.frequency !== first.frequency) {
        throw unclear(name, to.line, `${told(step)}, but line ${first.to.line} is ${told(first)}`);
      }
    }
    from = to;
  }
  if (!first) throw unclear(name, from?.line ?? 1, 'a single row tells no frequency');
  return first.frequency;
}

function stepOf(from: CsvRow, to: CsvRow, name: string): Step {
  const days = (Date.parse(to.date) - Date.parse(from.date)) / MS_PER_DAY;
  const frequency = DISTANCES.find(([, least, most]) => days >= least && days <= most)?.[0];
  if (frequency === undefined) {
    const what = `${to.date} comes ${days} days after ${from.date} in line ${from.line}`;
    throw unclear(name, to.line, `${what}, which is the distance of no frequency`);
  }
  // A value that is known after its successor was a gap until then, and a gap tells another frequency.
  if (from.available !== undefined && to.available !== undefined && to.available < from.available) {
    const what = `known on ${to.available}, before line ${from.line} on ${from.available}`;
    throw unclear(name, to.line, `${what}, which tells no frequency in between`);
  }
  return { from, to, days, frequency };
}

const told = ({ from, days, frequency }: Step): string =>
  `${days} ${days === 1 ? 'day' : 'days'} after line ${from.line} (${frequency})`;

const unclear = (name: string, line: number, why: string): EspalierError =>
  new EspalierError('invalid-data', `${name}, line ${line}: ${why}. Say its "frequency" in the manifest.`);
