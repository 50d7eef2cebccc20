/**
 * How many may be at work in a pool, as it has learnt.
 *  1. `limit` stays within `least` and `most`.
 *  2. Refused, it halves: at most once per cooldown, and only on account of work begun since it last did. What is
 *     refused during the cooldown takes its place away: no other is sent after it.
 *  3. Asked to wait, nobody of it begins before `opensAt`.
 *  4. It grows by one when `limit` have ended well; back to where it was refused only after several times as many, and
 *     the more often it was refused there.
 *  5. Refusals with nothing between them that ended well are one storm, which says little of how many are too many: once
 *     it is over, the limit grows by one for each that ends well, up to half of what it was when the storm began.
 *  6. What a vendor still allows is not exceeded: after so many have begun nobody does before it allows more.
 */
import type { PoolLimit } from '../define/spec.ts';

const COOLDOWN_MS = 250;
/** How many times as many must end well before a limit is tried again that was refused. */
const PATIENCE = 4;
const MOST_PATIENCE = 16;

/** What a pool knows beside who is in it, as JSON. */
export type LearntPool = {
  limit: number;
  opensAt?: number;
  halvedAt?: number;
  refusedAt?: number;
  patience: number;
  well: number;
  growsFreelyTo?: number;
  isStorm?: true;
  /** What its vendor still allows, and until when. */
  allowed?: { calls: number; until: number };
};

export class Pool {
  readonly name: string;
  readonly most: number;
  readonly least: number;
  limit: number;
  /** A limit from elsewhere that holds beside its own: the machine's memory. */
  bound = Infinity;
  used = 0;
  opensAt = -Infinity;
  /** One place in it is kept for the head of this lane, which others have overtaken too often. */
  keptFor: { readonly opensAt: number } | undefined;
  /** Scratch: it is full, and somebody waits for it. */
  isContended = false;
  #halvedAt = -Infinity;
  #refusedAt = Infinity;
  #patience = PATIENCE;
  #well = 0;
  #growsFreelyTo = 0;
  #isStorm = false;
  /** How many may still begin before `#allowedUntil`. */
  #allowed = Infinity;
  #allowedUntil = -Infinity;

  /** `learnt`: what it gave as `learnt` before. */
  constructor(name: string, { most, least }: PoolLimit, learnt?: LearntPool) {
    this.name = name;
    this.most = most;
    this.least = least;
    this.limit = learnt?.limit ?? most;
    if (!learnt) return;
    this.opensAt = learnt.opensAt ?? -Infinity;
    this.#halvedAt = learnt.halvedAt ?? -Infinity;
    this.#refusedAt = learnt.refusedAt ?? Infinity;
    this.#patience = learnt.patience;
    this.#well = learnt.well;
    this.#growsFreelyTo = learnt.growsFreelyTo ?? 0;
    this.#isStorm = learnt.isStorm ?? false;
    if (learnt.allowed) [this.#allowed, this.#allowedUntil] = [learnt.allowed.calls, learnt.allowed.until];
  }
  get learnt(): LearntPool {
    const [halvedAt, refusedAt] = [this.#halvedAt, this.#refusedAt];
    return {
      limit: this.limit,
      ...(this.opensAt !== -Infinity && { opensAt: this.opensAt }),
      ...(halvedAt !== -Infinity && { halvedAt }),
      ...(refusedAt !== Infinity && { refusedAt }),
      patience: this.#patience,
      well: this.#well,
      ...(this.#growsFreelyTo > 0 && { growsFreelyTo: this.#growsFreelyTo }),
      ...(this.#isStorm && { isStorm: true as const }),
      ...(this.#allowed !== Infinity && { allowed: { calls: this.#allowed, until: this.#allowedUntil } }),
    };
  }

  get isFull(): boolean {
    return this.used >= this.limit || this.used >= this.bound;
  }

  /** Whether there is room for two. */
  get hasTwo(): boolean {
    return this.used + 1 < this.limit && this.used + 1 < this.bound;
  }

  took(): void {
    this.used++;
    if (this.#allowed !== Infinity && --this.#allowed === 0) this.opensAt = Math.max(this.opensAt, this.#allowedUntil);
  }

  /** `calls` more may begin until then. What was heard last counts. */
  allows(calls: number, until: number): void {
    this.#allowed = calls;
    this.#allowedUntil = until;
    if (calls === 0) this.opensAt = Math.max(this.opensAt, until);
  }

  /** `since`: when the work had begun that was refused. Tells whether the limit is another now. */
  refused(now: number, since: number, retryAfterMs = 0): boolean {
    if (retryAfterMs > 0) this.opensAt = Math.max(this.opensAt, now + retryAfterMs);
    if (since < this.#halvedAt) return false;
    const before = this.limit;
    const isCool = now >= this.#halvedAt + COOLDOWN_MS;
    if (isCool) this.#halvedAt = now;
    if (!this.#isStorm) {
      this.#isStorm = true;
      const at = Math.max(before, this.least + 1);
      this.#patience = at === this.#refusedAt ? Math.min(MOST_PATIENCE, 2 * this.#patience) : PATIENCE;
      this.#refusedAt = at;
      this.#growsFreelyTo = Math.floor(at / 2);
    }
    this.#well = 0;
    this.limit = Math.max(this.least, isCool ? Math.floor(before / 2) : before - 1);
    return this.limit < before;
  }

  /** Some work ended well that had begun then. Tells whether the limit is another now. */
  succeeded(since: number): boolean {
    if (since >= this.#halvedAt) this.#isStorm = false;
    if (this.limit >= this.most || this.#isStorm) return false; // what ended well before the refusal says nothing
    if (++this.#well < this.#needed) return false;
    this.#well = 0;
    this.limit++;
    return true;
  }
  /** How many must end well before it grows. */
  get #needed(): number {
    if (this.limit < this.#growsFreelyTo) return 1;
    return this.limit + 1 === this.#refusedAt ? this.#patience * this.limit : this.limit;
  }
}
