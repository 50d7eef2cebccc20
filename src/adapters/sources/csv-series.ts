/**
 * A CSV file of `date,value[,available]`, streamed: of the file only these numbers and dates stay in memory.
 *
 * 1. Strict: whatever is not a date, a number or in order is an `invalid-data` with file and line.
 * 2. No row is dropped, sorted or repaired. Only what holds no data passes unread: a byte order mark, blank lines,
 *    spaces around a cell.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse, type Info } from 'csv-parse';
import { EspalierError } from '../../errors.ts';
import { IsoDate } from '../../protocol/task.ts';

export type CsvRow = {
  readonly date: string;
  readonly value: number;
  readonly available?: string;
  readonly line: number;
};
/** `sha256` identifies the file as it was read, rows included that were not yet known at an as-of date. */
type CsvRows = { readonly rows: readonly CsvRow[]; readonly sha256: string };

const HEADERS: ReadonlySet<string> = new Set(['date,value', 'date,value,available']);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** Outside these, adding a publication lag leaves the calendar that a date is written in. */
const EARLIEST = '1000-01-01';
const LATEST = '8999-12-31';
/** In bytes. Three cells take far less, and a quote that never closes is not followed to the end of the file. */
const LONGEST_ROW = 1_000;

type Line = { readonly record: readonly string[]; readonly info: Info };

/**
 * Reads an open file, and may close it. `name` is what it is called in messages.
 * @throws EspalierError `invalid-data` with file and line; the signal's reason when it aborts
 */
export async function readCsv(handle: FileHandle, name: string, abortSignal: AbortSignal): Promise<CsvRows> {
  const hash = createHash('sha256');
  const collected = collector(name);
  const parser = parse({
    bom: true,
    info: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: LONGEST_ROW,
  });
  try {
    await pipeline(
      handle.createReadStream(),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      parser,
      async (lines: AsyncIterable<Line>) => {
        for await (const { record, info } of lines) collected.take(record, info.lines);
      },
      { signal: abortSignal },
    );
  } catch (cause) {
    abortSignal.throwIfAborted();
    throw EspalierError.isInstance(cause) ? cause : unreadable(name, cause);
  }
  return { rows: collected.end(), sha256: hash.digest('hex') };
}

function collector(name: string) {
  const rows: CsvRow[] = [];
  let width = 0;

  function checkOrder(date: string, line: number): void {
    const last = rows.at(-1);
    if (last === undefined || date > last.date) return;
    const twin = rows.find((row) => row.date === date);
    if (twin) throw invalid(name, line, `${date} stands in line ${twin.line} already. Keep one of the two`);
    throw invalid(name, line, `${date} comes after ${last.date}. Sort the rows by date`);
  }

  return {
    take(cells: readonly string[], line: number): void {
      if (width === 0) {
        checkHeader(name, line, cells);
        width = cells.length;
        return;
      }
      const row = rowOf(name, line, cells, width);
      checkOrder(row.date, line);
      rows.push(row);
    },
    end(): readonly CsvRow[] {
      if (width === 0) throw invalid(name, 1, 'the file is empty. Begin it with the header date,value');
      if (rows.length === 0) throw invalid(name, 1, 'nothing follows the header. Add rows, or take the series out');
      return rows;
    },
  };
}

function checkHeader(name: string, line: number, cells: readonly string[]): void {
  if (HEADERS.has(cells.join(','))) return;
  throw invalid(name, line, `the header is ${shown(cells.join(','))}. Write date,value or date,value,available`);
}

function rowOf(name: string, line: number, cells: readonly string[], width: number): CsvRow {
  const [date = '', value = '', available] = cells;
  if (cells.length !== width) throw invalid(name, line, `the header has ${width} cells, this row has ${cells.length}`);
  if (cells.includes('')) throw invalid(name, line, 'an empty cell. Leave out a row whose value is not known');
  checkDate(name, line, 'date', date);
  if (!NUMBER.test(value) || !Number.isFinite(Number(value))) {
    throw invalid(name, line, `"value" is no number: ${shown(value)}. Write it like -1234.5`);
  }
  if (available === undefined) return { date, value: Number(value), line };
  checkDate(name, line, 'available', available);
  if (available < date) throw invalid(name, line, `known on ${available}, before its period began on ${date}`);
  return { date, value: Number(value), available, line };
}

function checkDate(name: string, line: number, column: string, text: string): void {
  if (IsoDate.safeParse(text).success && text >= EARLIEST && text <= LATEST) return;
  throw invalid(
    name,
    line,
    `"${column}" is no date of the years 1000 to 8999: ${shown(text)}. Write it like 2008-06-01`,
  );
}

/** What a file holds, quoted and cut: a cell may be long and hold anything. */
const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

const invalid = (name: string, line: number, what: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-data', `${name}, line ${line}: ${what}.`, { cause });

/** The parser names the line at which it gave up; a reader wants the one in which the broken row begins. */
function unreadable(name: string, cause: unknown): EspalierError {
  if (!(cause instanceof CsvError)) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new EspalierError('invalid-data', `${name} cannot be read: ${why}.`, { cause });
  }
  const { records, empty_lines: blank } = cause;
  const line = typeof records === 'number' && typeof blank === 'number' ? records + blank + 1 : 1;
  return invalid(name, line, CSV_FAULTS[cause.code] ?? cause.message.replace(/\.$/, ''), cause);
}

const CSV_FAULTS: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `a row of over ${LONGEST_ROW} bytes, or a quote that does not close`,
  CSV_QUOTE_NOT_CLOSED: 'a quote opens and does not close. Leave quotes out',
  INVALID_OPENING_QUOTE: 'a quote within a cell. Leave quotes out',
};
