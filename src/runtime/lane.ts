/** Who waits for the same pools, longest expected first; equal ones in the order of asking. */
import TinyQueue from 'tinyqueue';
import type { Slot, SlotRequest } from '../ports/slots.ts';
import type { Fault } from '../protocol/fault.ts';
import { byLength } from './queue-order.ts';
import type { Pool } from './pool.ts';

/** A class, so that `release` is no closure: every leaf of a run holds a ticket. */
export class Ticket implements Slot {
  readonly ask: SlotRequest;
  readonly estimateMs: number | undefined;
  readonly order: number;
  readonly lane: Lane;
  state: 'waiting' | 'held' | 'over' = 'waiting';
  /** When it was granted. */
  since = 0;

  constructor(ask: SlotRequest, order: number, lane: Lane) {
    this.ask = ask;
    this.estimateMs = ask.estimateMs;
    this.order = order;
    this.lane = lane;
  }
  release(ended?: 'well' | Fault): void {
    this.lane.takeBack(this, ended);
  }
}

export const inOrder = (a: Ticket, b: Ticket): number => byLength(a, b) || a.order - b.order;

/** How often others have overtaken its head, and the names of the pools that keep a place for it. */
export type LearntLane = { overtaken: number; keptIn: string[] };

/** How often others may overtake the head of a lane, each taking what it waits for, before a place is kept for it. */
const MOST_OVERTAKEN = 8;

export class Lane {
  readonly pools: readonly Pool[];
  readonly key: string;
  readonly takeBack: (ticket: Ticket, ended: 'well' | Fault | undefined) => void;
  /** Who waits in it can be done without. */
  readonly isSpare: boolean;
  readonly #waiting = new TinyQueue<Ticket>([], inOrder);
  /** How many wait. Those that have withdrawn stay in the queue until they are its head. */
  live = 0;
  /** How often others have overtaken its head. */
  overtaken = 0;

  constructor(key: string, pools: readonly Pool[], takeBack: Lane['takeBack'], isSpare = false) {
    this.key = key;
    this.pools = pools;
    this.takeBack = takeBack;
    this.isSpare = isSpare;
  }

  push(ticket: Ticket): void {
    this.live++;
    this.#waiting.push(ticket);
  }
  get head(): Ticket | undefined {
    if (this.live === 0) return undefined;
    for (;;) {
      const head = this.#waiting.peek();
      if (!head || head.state === 'waiting') return head;
      this.#waiting.pop();
    }
  }
  /** Takes the head off, into every pool at once. */
  take(): void {
    this.#waiting.pop();
    for (const pool of this.pools) pool.took();
    this.left();
  }
  /** Takes one in that was granted before this lane was made. */
  hold(): void {
    for (const pool of this.pools) pool.used++;
  }
  /** One waits no longer: granted or withdrawn. */
  left(): void {
    this.live--;
    if (this.overtaken === 0) return;
    this.overtaken = 0;
    for (const pool of this.pools) if (pool.keptFor === this) pool.keptFor = undefined;
  }

  get isFull(): boolean {
    for (const pool of this.pools) if (pool.isFull) return true;
    return false;
  }
  get opensAt(): number {
    let opensAt = -Infinity;
    for (const pool of this.pools) if (pool.opensAt > opensAt) opensAt = pool.opensAt;
    return opensAt;
  }
  /** Whether its head may be granted. Where a place is kept for another lane, one place is not for this one. */
  hasRoom(now: number): boolean {
    for (const pool of this.pools) {
      if (pool.isFull || pool.opensAt > now) return false;
      const { keptFor } = pool;
      if (keptFor && keptFor !== this && keptFor.opensAt <= now && !pool.hasTwo) return false;
    }
    return true;
  }

  /**
   * Another took what this lane's head waits for. Only where several pools must have room at once can that go on for
   * ever; then a place in each of them is kept until all have one.
   */
  overtakenBy({ pools }: Lane): void {
    const [, first, second] = this.pools; // behind the total
    if (this.isSpare) return;
    if (!first || !second || !this.pools.some((pool) => pool !== this.pools[0] && pools.includes(pool))) return;
    if (++this.overtaken < MOST_OVERTAKEN || this.pools.some((pool) => pool.keptFor)) return;
    for (const pool of this.pools.slice(1)) pool.keptFor = this;
  }
}
