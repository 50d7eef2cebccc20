/**
 * Writes a run's events to a store as they happen.
 *  1. A node's end, and a critical finding, is written in the turn it happens in, with all that was said before it. Only
 *     those within a millisecond of each other may share a transaction.
 *  2. Whatever else is said is written at most 20 ms later.
 *  3. A store that fails costs the record, not the run: it is told once, and nothing more is written.
 */
import { setInterval, setTimeout } from 'node:timers';
import { CLAIM_MS, type RunWriter, type StoredEvent, type StoredNode } from '../../ports/store.ts';
import type { Finding } from '../../protocol/finding.ts';
import { eventText } from '../../protocol/event-text.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { createNodeIndex } from './node-index.ts';
import { createReceiptBuilder } from './receipt-builder.ts';

export type RecorderOptions = {
  scenario: string;
  writer: RunWriter;
  /** What an interrupted run had: the checksum of its last event, its critical findings, nodes it has no more. */
  before?: { head: string; criticals: Iterable<Finding>; gone: Iterable<StoredNode> };
  /** Signs a receipt, when the user gave a key. */
  sign?: (receipt: Receipt) => Receipt;
  /** Told once. */
  onFailure: (error: unknown) => void;
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

export function createRecorder({ scenario, writer, before, sign, onFailure }: RecorderOptions): Recorder {
  const index = createNodeIndex(scenario, before?.gone);
  const receipts = createReceiptBuilder(before);
  let events: StoredEvent[] = [];
  let urgent = 0;
  let writtenAt = 0;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  const guarded = (work: () => void): void => {
    if (isOver) return;
    try {
      work();
    } catch (error) {
      finish();
      onFailure(error);
    }
  };
  const finish = (): void => {
    isOver = true;
    clearTimeout(timer);
    clearInterval(heartbeat);
    events = [];
    writer.release();
  };
  const write = (completed?: RunEvent & { type: 'run.completed' }): void => {
    clearTimeout(timer);
    timer = undefined;
    if (events.length === 0) return;
    const batch = { events, ...index.take(), ...(completed && { end: endOf(completed) }) };
    events = [];
    urgent = 0;
    writer.write(batch);
    writtenAt = performance.now();
  };
  const endOf = (completed: RunEvent & { type: 'run.completed' }) => {
    const receipt = receipts.receiptOf(completed);
    return { state: completed.status, endedAt: completed.at, receipt: sign?.(receipt) ?? receipt };
  };
  const soon = (ms: number): NodeJS.Timeout => setTimeout(() => guarded(() => write()), ms).unref();
  const heartbeat = setInterval(() => guarded(() => writer.renew()), CLAIM_MS / 3).unref();

  return {
    record: (event) =>
      guarded(() => {
        const body = eventText(event);
        events.push({ seq: event.seq, type: event.type, path: event.path, body, checksum: receipts.add(event, body) });
        if (index.apply(event) || saysCritical(event)) urgent++;
        if (event.type === 'run.completed') write(event);
        else if (urgent === 0) timer ??= soon(FLUSH_MS);
        else if (urgent >= MOST_TOGETHER || performance.now() - writtenAt >= TOGETHER_MS) write();
        else if (urgent === 1) {
          clearTimeout(timer);
          timer = soon(TOGETHER_MS);
        }
      }),
    close() {
      guarded(() => write());
      if (!isOver) finish();
    },
  };
}

/** It may have been acted upon by the time the process dies, and an attempt need not say it a second time. */
const saysCritical = (event: RunEvent): boolean =>
  event.type === 'finding.reported'
    ? event.finding.critical !== undefined
    : event.type === 'child.late' && event.findings.length > 0;
