/**
 * Writes a run's events to a store as they happen.
 *  1. A node's end, and a critical finding, is written in the turn it happens in, with all that was said before it. Only
 *     those within a millisecond of each other may share a transaction.
 *  2. Whatever else is said is written at most 20 ms later.
 *  3. What a store will not take is kept for a while, and written when it takes it again: a lock is no end of a record.
 *  4. A store that goes on failing costs the record, not the run: that is told once, and nothing more is written. The
 *     claim is kept as long as the run goes on, or another process could take it up beside it.
 */
import { setInterval, setTimeout } from 'node:timers';
import { EspalierError } from '../../errors.ts';
import { CLAIM_MS, type RunWriter, type StoredEvent, type StoredNode } from '../../ports/store.ts';
import type { Finding } from '../../protocol/finding.ts';
import { eventText } from '../../protocol/event-text.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { createNodeIndex } from './node-index.ts';
import { PATIENCE, patientWriter, type Patience } from './patient-writer.ts';
import { createReceiptBuilder } from './receipt-builder.ts';

export type RecorderOptions = {
  scenario: string;
  writer: RunWriter;
  /** What an interrupted run had: the checksum of its last event, its critical findings, nodes it has no more. */
  before?: {
    head: string;
    criticals: Iterable<Finding>;
    gone: Iterable<StoredNode>;
    /** What was said of nodes that go on without starting again. */
    goesOn?: Iterable<RunEvent>;
  };
  /** Signs a receipt, when the user gave a key. */
  sign?: (receipt: Receipt) => Receipt;
  /** Told once; and once more when the claim is lost after that. */
  onFailure: (error: unknown) => void;
  /** How long a store that fails is waited for, and how often it is asked, in ms. For tests. */
  patience?: Patience;
  retryMs?: number;
};
export type Recorder = {
  /** Never throws. */
  readonly record: (event: RunEvent) => void;
  /** Writes what is left and gives the claim back. Idempotent. */
  close(): void;
};

const TOGETHER_MS = 1;
const MOST_TOGETHER = 64; // of them, when the event loop is too busy for a timer
const FLUSH_MS = 20;
const RETRY_MS = 1_000;
const MOST_WAITING = 10_000; // events, until the store is asked again

export function createRecorder({
  scenario,
  writer,
  before,
  sign,
  onFailure,
  patience = PATIENCE,
  retryMs = RETRY_MS,
}: RecorderOptions): Recorder {
  const index = createNodeIndex(scenario, before?.gone);
  for (const event of before?.goesOn ?? []) index.apply(event);
  if (before?.goesOn) index.take(); // is stored already
  const receipts = createReceiptBuilder(before);
  const patient = patientWriter(writer, patience);
  let events: StoredEvent[] = [];
  let urgent = 0;
  let writtenAt = 0;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  const fail = (error: unknown): void => {
    const isLost = codeOf(error) === 'claim-lost';
    if (isOver && !isLost) return;
    isOver = true;
    clearTimeout(timer);
    if (isLost) clearInterval(heartbeat);
    events = [];
    onFailure(error);
  };
  const guarded = (work: () => void): void => {
    if (isOver) return;
    try {
      work();
    } catch (error) {
      fail(error);
    }
  };
  const write = (completed?: RunEvent & { type: 'run.completed' }, isLast = completed !== undefined): void => {
    clearTimeout(timer);
    timer = undefined;
    if (events.length === 0 && !patient.isWaiting) return;
    const batch = { events, ...index.take(), ...(completed && { end: endOf(completed) }) };
    events = [];
    urgent = 0;
    patient.write(batch, isLast);
    if (patient.isWaiting) timer = soon(retryMs);
    writtenAt = performance.now();
  };
  const endOf = (completed: RunEvent & { type: 'run.completed' }) => {
    const receipt = receipts.receiptOf(completed);
    return { state: completed.status, endedAt: completed.at, receipt: sign?.(receipt) ?? receipt };
  };
  const soon = (ms: number): NodeJS.Timeout => setTimeout(() => guarded(() => write()), ms).unref();
  const heartbeat = setInterval(() => {
    try {
      writer.renew();
    } catch (error) {
      if (codeOf(error) !== 'store-fault') fail(error); // of that, what is to be written says more
    }
  }, CLAIM_MS / 3).unref();

  return {
    record: (event) =>
      guarded(() => {
        const body = eventText(event);
        events.push({ seq: event.seq, type: event.type, path: event.path, body, checksum: receipts.add(event, body) });
        if (index.apply(event) || saysCritical(event)) urgent++;
        if (event.type === 'run.completed') write(event);
        else if (patient.isWaiting) {
          if (events.length >= MOST_WAITING) write();
        } else if (urgent === 0) timer ??= soon(FLUSH_MS);
        else if (urgent >= MOST_TOGETHER || performance.now() - writtenAt >= TOGETHER_MS) write();
        else if (urgent === 1) {
          clearTimeout(timer);
          timer = soon(TOGETHER_MS);
        }
      }),
    close() {
      guarded(() => write(undefined, true));
      isOver = true;
      clearTimeout(timer);
      clearInterval(heartbeat);
      writer.release();
    },
  };
}

/** It may have been acted upon by the time the process dies, and an attempt need not say it a second time. */
const saysCritical = (event: RunEvent): boolean =>
  event.type === 'finding.reported'
    ? event.finding.critical !== undefined
    : event.type === 'child.late' && event.findings.length > 0;

const codeOf = (error: unknown): string | undefined => (EspalierError.isInstance(error) ? error.code : undefined);
