/**
 * The slots of a run, whichever workers its leaves are at: an object per run, with the rules of `../slots.ts`. Between
 * two calls they are laid down as JSON; each call takes them up, moves them, and lays them down.
 *  1. A ticket has a name that its holder chose: to ask twice is to ask once, and to give back twice is harmless.
 *  2. What a lease takes back from a node whose worker is gone, the next in line gets: a timer of the object's own.
 *  3. Who asked hears of grants in the answer, and later by an awakeable. That is resolved once: what comes before there
 *     is another waits for it.
 *  4. Holders hand slots on among their own leaves as long as no limit has been felt; they are told when that changes.
 */
import * as restate from '@restatedev/restate-sdk';
import type { InvocationId, ObjectContext } from '@restatedev/restate-sdk';
import type { PoolLimit } from '../../define/spec.ts';
import type { Fault } from '../../protocol/fault.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Slot } from '../../ports/slots.ts';
import { createSlots, LEASE_SHARE, type LearntSlots } from '../slots.ts';
import { send } from './calls.ts';
import { layTickets, takeUpTickets, type LaidTickets, type Ticket } from './laid-tickets.ts';
import type { Exchange } from './slot-calls.ts';
import type { Noted } from './wire.ts';

/** `estimateMs`: absent when nobody knows. */
export type SlotAsk = { id: string; estimateMs: number | undefined; pools: readonly string[] };
export type SlotRelease = { id: string; ended?: 'well' | Fault };
/**
 * Ids of tickets: what is granted, and what is lost. `mayHandOn`: whether a slot may go on to a leaf of the same holder.
 * `at`: the time, as far as the object knows it.
 */
export type SlotNews = { at: number; granted: string[]; revoked: string[]; mayHandOn: boolean };
type SlotLimits = {
  concurrency: number;
  pools: Readonly<Record<string, PoolLimit>>;
  deadlineMs: number;
};

/** The time is the caller's, as far as it knows: to ask for it would cost each call as much again. */
type SlotMessage = Exchange & { limits: SlotLimits };
type Desk = {
  /** In order of asking; those with `since` are held. */
  tickets: Ticket[];
  learnt?: LearntSlots;
  limits: SlotLimits;
  /** The latest that was told of the time. */
  at: number;
  /** Whether some limit has been felt, so that no slot may be handed on. */
  isThrottled: boolean;
  /**
   * What a holder has not been told yet, and the awakeable that waits for it. `mayHandOn`: as it was told last; absent of
   * a leaf that asks for itself, which has nobody to hand on to.
   */
  holders: Record<string, { granted: string[]; revoked: string[]; mayHandOn?: boolean; awakeable?: string }>;
  /** The pending timer. */
  tick?: { at: number; invocation: string };
};
type State = { desk: Omit<Desk, 'tickets'> & { laid: LaidTickets } };
type Writing = ObjectContext<State>;

export const slotsObject = (name: string, ledger: string, options: restate.ObjectOptions) =>
  restate.object({
    name,
    options,
    handlers: {
      /** Answers with what is granted at once. `news` is told what comes later. */
      exchange: async (ctx: Writing, what: SlotMessage): Promise<SlotNews> => {
        const { news: awakeable, handsOn, ...rest } = what;
        const desk = await move(ctx, { name, ledger }, rest);
        const one = holderIn(desk, what.holder);
        if (handsOn) one.mayHandOn = true;
        const news = newsOf(desk, one);
        if (awakeable !== undefined) one.awakeable = awakeable;
        lay(ctx, desk);
        return news;
      },
      tell: async (ctx: Writing, what: SlotMessage): Promise<void> => lay(ctx, await move(ctx, { name, ledger }, what)),
      tick: async (ctx: Writing): Promise<void> => {
        const desk = await deskOf(ctx);
        if (!desk) return;
        const { limits, tick } = desk;
        delete desk.tick;
        lay(ctx, await move(ctx, { name, ledger }, { holder: '', limits, at: tick?.at ?? desk.at }, desk));
      },
      forget: async (ctx: Writing): Promise<void> => {
        const desk = await ctx.get('desk');
        if (desk?.tick) ctx.cancel(desk.tick.invocation as InvocationId);
        ctx.clearAll();
      },
    },
  });

type Holder = Desk['holders'][string];
const holderIn = (desk: Desk, holder: string): Holder => (desk.holders[holder] ??= { granted: [], revoked: [] });

/** Whether there is something to tell. */
const hasNews = ({ isThrottled }: Desk, { granted, revoked, mayHandOn }: Holder): boolean =>
  granted.length + revoked.length > 0 || mayHandOn === isThrottled;

/** What there is to tell, which is told by that. */
function newsOf({ at, isThrottled }: Desk, holder: Holder): SlotNews {
  const mayHandOn = !isThrottled;
  if (holder.mayHandOn !== undefined) holder.mayHandOn = mayHandOn;
  return { at, granted: holder.granted.splice(0), revoked: holder.revoked.splice(0), mayHandOn };
}

/** Puts the desk away, and tells those who wait. */
function lay(ctx: Writing, desk: Desk): void {
  for (const [holder, one] of Object.entries(desk.holders)) {
    const { awakeable } = one;
    if (awakeable === undefined || !hasNews(desk, one)) continue;
    delete one.awakeable;
    ctx.resolveAwakeable(awakeable, newsOf(desk, one));
    const isOver = one.mayHandOn === undefined && !desk.tickets.some(({ id }) => id === holder);
    if (isOver) delete desk.holders[holder]; // a leaf whose slot is somebody else's now
  }
  const { tickets, ...rest } = desk;
  ctx.set('desk', { ...rest, laid: layTickets(tickets) });
}
async function deskOf(ctx: Writing): Promise<Desk | undefined> {
  const stored = await ctx.get('desk');
  if (!stored) return undefined;
  const { laid, ...rest } = stored;
  return { ...rest, tickets: takeUpTickets(laid) };
}

type Names = { name: string; ledger: string };
/** Takes the slots up, does what is asked, and lets time and the queue do the rest. */
async function move(
  ctx: Writing,
  { name, ledger }: Names,
  { holder, asks = [], releases = [], news, leaves, limits, at }: SlotMessage,
  given?: Desk,
): Promise<Desk> {
  const desk: Desk = given ?? (await deskOf(ctx)) ?? { tickets: [], limits, at, isThrottled: false, holders: {} };
  const now = (desk.at = Math.max(desk.at, at));
  const clock = new StillClock(now);
  const noted: Noted[] = [];
  const slots = createSlots(clock, limits.concurrency, limits.deadlineMs * LEASE_SHARE, {
    pools: limits.pools,
    onChange: (change) => noted.push({ at: now, event: { type: 'slots.changed', path: ROOT, ...change } }),
    ...(desk.learnt && { learnt: desk.learnt }),
  });
  const held = new Map<string, { ticket: Ticket; slot: Slot }>();
  const gone = new Set<Ticket>();
  const take = (ticket: Ticket): void => {
    const request = {
      estimateMs: ticket.estimateMs,
      pools: ticket.pools,
      granted(): void {
        ticket.since = now;
        holderIn(desk, ticket.holder).granted.push(ticket.id);
      },
      revoked(): void {
        gone.add(ticket);
        held.delete(ticket.id);
        holderIn(desk, ticket.holder).revoked.push(ticket.id);
      },
    };
    const { since } = ticket;
    const slot = since === undefined ? slots.request(request) : slots.hold(request, since);
    held.set(ticket.id, { ticket, slot });
  };
  for (const ticket of desk.tickets) take(ticket);
  const release = (id: string, ended?: 'well' | Fault): void => {
    const one = held.get(id);
    if (!one) return;
    held.delete(id);
    gone.add(one.ticket);
    if (one.ticket.holder === id) delete desk.holders[id]; // a leaf that asked for itself
    one.slot.release(ended);
  };
  for (const { id, ended } of releases) release(id, ended);
  if (leaves) for (const { id, holder: by } of desk.tickets) if (by === holder) release(id);
  for (const ask of asks) {
    if (held.has(ask.id)) continue;
    const ticket: Ticket = { ...ask, holder };
    desk.tickets.push(ticket);
    take(ticket);
  }
  if (leaves) delete desk.holders[holder];
  else if (news !== undefined) holderIn(desk, holder).awakeable = news;
  await clock.settle();
  desk.tickets = desk.tickets.filter((ticket) => !gone.has(ticket));
  desk.learnt = slots.learnt();
  desk.isThrottled = slots.isThrottled();
  if (noted.length > 0) send(ctx, { service: ledger, key: ctx.key, method: 'append' }, noted);
  await arm(ctx, name, desk, clock.wakesAt, now);
  return desk;
}

/** One timer at most: an earlier moment replaces a later one. */
async function arm(ctx: Writing, name: string, desk: Desk, wakesAt: number, now: number): Promise<void> {
  if (wakesAt === Infinity || (desk.tick && desk.tick.at <= wakesAt)) return;
  if (desk.tick) ctx.cancel(desk.tick.invocation as InvocationId);
  const { invocationId } = send(ctx, { service: name, key: ctx.key, method: 'tick', delay: wakesAt - now }, null);
  desk.tick = { at: wakesAt, invocation: await invocationId };
}

/** Time stands still within a call; what is due by then happens in it. */
class StillClock {
  readonly #now: number;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();
  #made = 0;

  constructor(now: number) {
    this.#now = now;
  }
  now = (): number => this.#now;
  setTimeout = (callback: () => void, ms: number): number => {
    this.#timers.set(++this.#made, { at: this.#now + ms, callback });
    return this.#made;
  };
  clearTimeout = (timer: unknown): void => void this.#timers.delete(timer as number);
  get wakesAt(): number {
    return Math.min(Infinity, ...Array.from(this.#timers.values(), ({ at }) => at));
  }
  /** Lets everything happen that follows. */
  async settle(): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
      const due = [...this.#timers].find(([, { at }]) => at <= this.#now);
      if (!due) return;
      this.#timers.delete(due[0]);
      due[1].callback();
    }
  }
}
