/**
 * The files a run leaves behind: DIR/events.ndjson while it runs; DIR/brief.md, DIR/brief.json and DIR/receipt.json at
 * its end.
 *  1. What is wrong with the directory before the run is misuse; afterwards it costs a file and never the run.
 *  2. Events are on disk at most 50 ms after they happened, and all of them when `flush` or `finish` returns.
 */
import type { KeyObject } from 'node:crypto';
import { appendFileSync, closeSync, mkdirSync, openSync, readSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers';
import { EspalierError } from '../errors.ts';
import { eventText } from '../protocol/event-text.ts';
import type { Receipt } from '../protocol/receipt.ts';
import type { Report } from '../protocol/report.ts';
import type { RunEvent } from '../protocol/run-event.ts';
import { renderBrief } from '../render/brief.ts';
import { createReceiptBuilder } from '../runtime/record/receipt-builder.ts';
import { signed } from '../runtime/record/signature.ts';
import { briefText } from '../runtime/record/verify-brief.ts';
import { misuse, reasonOf } from './misuse.ts';
import { damagedEvent } from './stored-run.ts';

export type OutDir = {
  readonly files: {
    readonly brief: string;
    readonly report: string;
    readonly events: string;
    readonly receipt: string;
  };
  write(event: RunEvent): void;
  /** Puts what is buffered on disk. Never throws. */
  flush(): void;
  /**
   * Writes the brief in both forms and its receipt, signed with the key if there is one, and closes. Never throws: what
   * could not be written is in `problems`.
   */
  finish(report: Report, signingKey?: KeyObject): void;
  /** What could not be written, one sentence per file. */
  readonly problems: ReadonlyMap<string, string>;
};

const FLUSH_MS = 50;
const FLUSH_CHARACTERS = 1 << 16;

/** @throws EspalierError `store-fault` */
function eventIn(body: string): RunEvent {
  try {
    return JSON.parse(body) as RunEvent;
  } catch (error) {
    throw damagedEvent(error);
  }
}

/** Leaves devices and pipes, which hold nothing. */
function removeOld(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() || found?.isDirectory()) unlinkSync(file); // of a directory, the reason why not
}

/** Whether files stand there that are not of this run: going on with it must not take them away. */
export function holdsOthers(directory: string, runId: string): boolean {
  const { events, ...rest } = filesIn(directory);
  const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  try {
    const beginning = isFile(events) ? beginningOf(events) : '';
    if (beginning === '') return Object.values(rest).some(isFile);
    return !beginning.includes(`"runId":${JSON.stringify(runId)}`);
  } catch {
    return false; // whoever opens it says why it cannot be
  }
}

/** Enough of a file of events to hold the run's id. */
function beginningOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(512);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

const filesIn = (directory: string): OutDir['files'] => ({
  brief: join(directory, 'brief.md'),
  report: join(directory, 'brief.json'),
  events: join(directory, 'events.ndjson'),
  receipt: join(directory, 'receipt.json'),
});

/**
 * Creates the directory and its event file, and removes the brief of an earlier run. `earlier`: the events that a
 * resumed run already had.
 * @throws EspalierError `invalid-input` when that cannot be done; `store-fault` when they cannot be read
 */
export function openOutDir(directory: string, earlier: Iterable<{ body: string }> = []): OutDir {
  const files = filesIn(directory);
  /** Of what the files hold, whether or not there is a store: the same one that a store would have. */
  const receipts = createReceiptBuilder();
  let receipt: Receipt | undefined;
  const note = (event: RunEvent, body: string): void => {
    receipts.add(event, body);
    if (event.type === 'run.completed') receipt = receipts.receiptOf(event);
  };
  let descriptor: number;
  try {
    mkdirSync(directory, { recursive: true });
    // Each run's files are its own: an older brief must not stand beside the events of one that was killed.
    for (const file of [files.brief, files.report, files.receipt]) removeOld(file);
    descriptor = openSync(files.events, 'w');
    for (const { body } of earlier) {
      appendFileSync(descriptor, `${body}\n`);
      note(eventIn(body), body);
    }
  } catch (error) {
    if (EspalierError.isInstance(error)) throw error; // of whoever gives the earlier events
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
      const body = eventText(event);
      buffer += `${body}\n`;
      note(event, body);
      if (buffer.length >= FLUSH_CHARACTERS) flush();
      else timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    finish(report, signingKey) {
      flush();
      attempt(files.events, () => closeSync(descriptor));
      attempt(files.brief, () => writeFileSync(files.brief, renderBrief(report)));
      attempt(files.report, () => writeFileSync(files.report, briefText(report)));
      const made = receipt;
      if (!made) return;
      const proof = signingKey ? signed(made, signingKey) : made;
      attempt(files.receipt, () => writeFileSync(files.receipt, `${JSON.stringify(proof, null, 2)}\n`));
    },
  };
}
