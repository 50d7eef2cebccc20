/** Events on their way to the run's ledger, in their order. */
import type { Context } from '@restatedev/restate-sdk';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { sendJson } from './calls.ts';
import { piecesOf } from './piece-size.ts';
import type { Noted } from './wire.ts';

/** How long events that are not urgent wait for company, in ms. */
export const FLUSH_MS = 50;
const MOST_TOGETHER = 256;

export class Outbox {
  readonly #ctx: Context;
  readonly #ledger: { service: string; key: string };
  #noted: Noted[] = [];
  #flushedAt = -Infinity;
  #isUrgent = false;
  /** The latest moment that was noted here: what this invocation knows of the time without asking. */
  latest = 0;

  constructor(ctx: Context, ledger: { service: string; key: string }) {
    this.#ctx = ctx;
    this.#ledger = ledger;
  }

  note(at: number, event: RunEventBody): void {
    this.latest = Math.max(this.latest, at);
    this.#noted.push({ at, event });
    this.#isUrgent ||= event.type === 'finding.reported' && event.finding.critical !== undefined;
  }
  add(noted: readonly Noted[]): void {
    for (const { at, event } of noted) this.note(at, event);
  }
  /** Sends what is urgent or has waited long enough; tells whether something is left. `now`: as far as is known. */
  flushDue(now: number): boolean {
    const isDue = this.#isUrgent || this.#noted.length >= MOST_TOGETHER || now - this.#flushedAt >= FLUSH_MS;
    if (isDue) this.flush(now);
    return this.#noted.length > 0;
  }
  flush(now = this.#flushedAt): void {
    const noted = this.take();
    this.#flushedAt = now;
    for (const piece of piecesOf(noted)) sendJson(this.#ctx, { ...this.#ledger, method: 'append' }, piece);
  }
  /** What has not been sent, for whoever sends it in our place. */
  take(): Noted[] {
    const noted = this.#noted;
    this.#noted = [];
    this.#isUrgent = false;
    return noted;
  }
}
