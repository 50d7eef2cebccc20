/**
 * The files a run leaves behind: DIR/events.ndjson while it runs, DIR/brief.md and DIR/brief.json at its end.
 *  1. What is wrong with the directory before the run is misuse; afterwards it costs a file and never the run.
 *  2. Events are on disk at most 50 ms after they happened, and all of them when `flush` or `finish` returns.
 */
import { appendFileSync, closeSync, mkdirSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers';
import type { Report } from '../protocol/report.ts';
import type { RunEvent } from '../protocol/run-event.ts';
import { renderBrief } from '../render/brief.ts';
import { misuse, reasonOf } from './misuse.ts';

export type OutDir = {
  readonly files: { readonly brief: string; readonly report: string; readonly events: string };
  write(event: RunEvent): void;
  /** Puts what is buffered on disk. Never throws. */
  flush(): void;
  /** Writes the brief in both forms and closes. Never throws: what could not be written is in `problems`. */
  finish(report: Report): void;
  /** What could not be written, one sentence per file. */
  readonly problems: ReadonlyMap<string, string>;
};

const FLUSH_MS = 50;
const FLUSH_CHARACTERS = 1 << 16;

/** Leaves devices and pipes, which hold nothing. */
function removeOld(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() || found?.isDirectory()) unlinkSync(file); // of a directory, the reason why not
}

/**
 * Creates the directory and its event file, and removes the brief of an earlier run. `earlier`: the events that a
 * resumed run already had.
 * @throws EspalierError `invalid-input` when that cannot be done
 */
export function openOutDir(directory: string, earlier: Iterable<{ body: string }> = []): OutDir {
  const files = {
    brief: join(directory, 'brief.md'),
    report: join(directory, 'brief.json'),
    events: join(directory, 'events.ndjson'),
  };
  let descriptor: number;
  try {
    mkdirSync(directory, { recursive: true });
    // Each run's files are its own: an older brief must not stand beside the events of one that was killed.
    for (const file of [files.brief, files.report]) removeOld(file);
    descriptor = openSync(files.events, 'w');
    for (const { body } of earlier) appendFileSync(descriptor, `${body}\n`);
  } catch (error) {
    throw misuse(
      `The directory ${directory} cannot be written to: ${reasonOf(error)}. Name another with --out.`,
      error,
    );
  }

  const problems = new Map<string, string>();
  const attempt = (file: string, write: () => void): void => {
    if (problems.has(file)) return;
    try {
      write();
    } catch (error) {
      problems.set(
        file,
        `${file} could not be written: ${reasonOf(error)}. Make room or name another directory with --out.`,
      );
    }
  };

  let buffer = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = buffer;
    buffer = '';
    if (text !== '') attempt(files.events, () => appendFileSync(descriptor, text));
  };

  return {
    files,
    problems,
    flush,
    write(event) {
      buffer += `${JSON.stringify(event)}\n`;
      if (buffer.length >= FLUSH_CHARACTERS) flush();
      else timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    finish(report) {
      flush();
      attempt(files.events, () => closeSync(descriptor));
      attempt(files.brief, () => writeFileSync(files.brief, renderBrief(report)));
      attempt(files.report, () => writeFileSync(files.report, `${JSON.stringify(report, null, 2)}\n`));
    },
  };
}
