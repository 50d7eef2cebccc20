/** Events on their way to the run's ledger, in their order. */
import type { Context } from '@restatedev/restate-sdk';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { sendJson } from './calls.ts';
import { piecesOf } from './piece-size.ts';
import type { Noted } from './wire.ts';

/** How long events that are not urgent wait for company, in ms. */
export const FLUSH_MS = 50;
/** The ledger is one: the more there are that tell it something, the longer each of them waits, in ms. */
const [FOR_EACH_MS, LONGEST_MS] = [10, 500];
const MOST_TOGETHER = 256;

export class Outbox {
  readonly #ctx: Context;
  readonly #ledger: { service: string; key: string };
  #noted: Noted[] = [];
  #flushedAt = -Infinity;
  #isUrgent = false;
  /** The latest moment that was noted here: what this invocation knows of the time without asking. */
  latest = 0;

  /** How long events wait for company here. */
  readonly flushMs: number;

  /** `speakers`: how many are expected to tell the ledger something. */
  constructor(ctx: Context, ledger: { service: string; key: string }, speakers: number) {
    this.#ctx = ctx;
    this.#ledger = ledger;
    this.flushMs = Math.min(LONGEST_MS, Math.max(FLUSH_MS, FOR_EACH_MS * speakers));
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
    const isDue = this.#isUrgent || this.#noted.length >= MOST_TOGETHER || now - this.#flushedAt >= this.flushMs;
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
