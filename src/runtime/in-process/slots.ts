/**
 * One cap on work in progress for a whole run.
 *  1. Never more than `cap` slots are out.
 *  2. Waiting requests are granted longest estimate first; equal ones in order of asking. An unknown one goes before
 *     all others: it may be long, and a short one begun early costs little, a long one begun last the most.
 *  3. A slot held longer than the lease, and than twice its estimate, while others wait is revoked: work that hangs
 *     cannot starve its siblings.
 */
import TinyQueue from 'tinyqueue';
import type { Clock } from '../../ports/clock.ts';
import type { Slot, Slots } from '../../ports/slots.ts';
import { byLength } from '../queue-order.ts';

type Request = Parameters<Slots['request']>[0];
/** A class, so that `release` is no closure: every leaf of a run holds a ticket. */
class Ticket implements Slot {
  readonly ask: Request;
  readonly order: number;
  state: 'waiting' | 'held' | 'over' = 'waiting';
  until = 0;
  readonly #takeBack: (ticket: Ticket) => void;

  constructor(ask: Request, order: number, takeBack: (ticket: Ticket) => void) {
    this.ask = ask;
    this.order = order;
    this.#takeBack = takeBack;
  }
  release(): void {
    this.#takeBack(this);
  }
}

export function createSlots(clock: Clock, cap: number, leaseMs: number): Slots {
  const waiting = new TinyQueue<Ticket>([], (a, b) => byLength(a.ask, b.ask) || a.order - b.order);
  const held = new Set<Ticket>();
  let live = 0;
  let asked = 0;
  let isDraining = false;
  let timer: unknown;

  const drain = (): void => {
    isDraining = false;
    while (held.size < cap) {
      const next = waiting.pop();
      if (!next) break;
      if (next.state !== 'waiting') continue; // withdrawn
      live--;
      next.state = 'held';
      next.until = clock.now() + Math.max(leaseMs, 2 * (next.ask.estimateMs ?? 0));
      held.add(next);
      next.ask.granted();
    }
    watchLeases();
  };
  /**
   * Two microtasks on: siblings that start in one turn are all in the queue before the first is chosen, and those that
   * end in it have all been told to stop (a microtask on) before another takes their place.
   */
  const drainSoon = (): void => {
    if (isDraining || live === 0) return;
    isDraining = true;
    queueMicrotask(() => queueMicrotask(drain));
  };
  const watchLeases = (): void => {
    if (live === 0 || held.size === 0) {
      clock.clearTimeout(timer);
      timer = undefined;
    } else if (timer === undefined) {
      const next = [...held].reduce((first, { until }) => Math.min(first, until), Infinity);
      timer = clock.setTimeout(revokeOverdue, Math.max(0, next - clock.now()));
    }
  };
  const revokeOverdue = (): void => {
    timer = undefined;
    const now = clock.now();
    let needed = live;
    for (const ticket of held) {
      if (needed === 0) break;
      if (ticket.until > now) continue;
      needed--;
      ticket.ask.revoked();
      ticket.release();
    }
    watchLeases();
  };
  const release = (ticket: Ticket): void => {
    if (ticket.state === 'over') return;
    if (ticket.state === 'waiting') live--;
    held.delete(ticket);
    ticket.state = 'over';
    if (live > 0) drainSoon();
    else watchLeases();
  };

  return {
    request(ask) {
      const ticket = new Ticket(ask, asked++, release);
      live++;
      waiting.push(ticket);
      if (held.size < cap) drainSoon();
      else watchLeases();
      return ticket;
    },
  };
}
