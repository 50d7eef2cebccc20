/**
 * The caps on work in progress for a whole run: one in total, and named pools.
 *  1. Never more than the cap are out, and never more of a pool than its limit.
 *  2. Those that may run are granted longest estimate first; equal ones in order of asking. An unknown one goes before
 *     all others: it may be long, and a short one begun early costs little, a long one begun last the most. A full pool
 *     delays nobody but its own: who waits for the same pools stands in a lane of its own.
 *  3. A slot held longer than the lease, and than twice its estimate, while others wait for it is revoked: work that
 *     hangs cannot starve its siblings. Spare work, such as a hedge, waits for nobody's slot in that sense.
 *  4. A slot counts in all its pools or in none. Nobody holds one while waiting for another, except a leaf whose load
 *     of a source or call of a model waits; these wait for nothing else, and the leaf is not in their pool, so they never
 *     wait in a circle.
 *  5. Nobody is overtaken for ever.
 */
import type { PoolLimit } from '../define/spec.ts';
import type { Clock } from '../ports/clock.ts';
import { SOURCE_POOL, TOTAL, type Slot, type SlotRequest, type Slots } from '../ports/slots.ts';
import type { Fault } from '../protocol/fault.ts';
import { inOrder, Lane, Ticket, type LearntLane } from './lane.ts';
import { MemoryWatch } from './memory-pressure.ts';
import { Pool, type LearntPool } from './pool.ts';
import { slotChanges, type SlotsChange } from './slot-changes.ts';

export type SlotsOptions = {
  /** By name. A pool that is not among them has the total's cap; one of a source's host, four. */
  pools?: Readonly<Record<string, PoolLimit>>;
  /** How full the memory is, 0 … 1. Default: nobody looks. */
  pressure?: () => number;
  onChange?: (change: SlotsChange) => void;
  /** What earlier slots of the same run have learnt. */
  learnt?: LearntSlots;
};
/** What slots know beside who holds one or waits for one: by pool, and by the pools of a lane. As JSON. */
export type LearntSlots = {
  readonly pools: Readonly<Record<string, LearntPool>>;
  readonly lanes: Readonly<Record<string, LearntLane>>;
};
/** Slots that can be laid down between two steps and taken up again elsewhere. */
export type PortableSlots = Slots & {
  /** A slot that was granted before, at `since`. */
  hold(ask: SlotRequest, since: number): Slot;
  learnt(): LearntSlots;
  /** Whether a pool has been refused something and not recovered yet, or is asked to wait. */
  isThrottled(): boolean;
};
/** What a slot may be held for while others wait: a share of the run's window. */
export const LEASE_SHARE = 0.25;
const MOST_LOADS = 4;
const NOBODY: readonly string[] = [];

export function createSlots(clock: Clock, cap: number, leaseMs: number, options: SlotsOptions = {}): PortableSlots {
  const { pools: limits = {}, pressure, onChange = () => {}, learnt } = options;
  const total = new Pool(TOTAL, { most: cap, least: 1 }, learnt?.pools[TOTAL]);
  const memory = pressure && new MemoryWatch(pressure, cap);
  const changes = slotChanges(onChange);
  const pools = new Map([[TOTAL, total]]);
  const held = new Set<Ticket>();
  let live = 0;
  let asked = 0;
  let isDraining = false;
  let timer: unknown;
  let wakesAt = Infinity;

  const poolOf = (name: string): Pool => {
    let pool = pools.get(name);
    if (!pool) {
      const given = Object.hasOwn(limits, name) ? limits[name] : undefined;
      const limit = given ?? { most: name.startsWith(SOURCE_POOL) ? MOST_LOADS : cap, least: 1 };
      pool = new Pool(name, limit, learnt?.pools[name]);
      pools.set(name, pool);
    }
    return pool;
  };

  const release = (ticket: Ticket, ended: 'well' | Fault | undefined): void => {
    const { state, lane } = ticket;
    if (state === 'over') return;
    ticket.state = 'over';
    if (state === 'waiting') {
      lane.left();
      live--;
    } else {
      held.delete(ticket);
      for (const pool of lane.pools) pool.used--;
      if (ended !== undefined) learn(ticket, ended);
    }
    if (live > 0) drainSoon();
    else watch();
  };

  /** As it was when these slots were laid down. */
  const asLearnt = (lane: Lane): Lane => {
    const { overtaken = 0, keptIn = NOBODY } = learnt?.lanes[lane.key] ?? {};
    lane.overtaken = overtaken;
    for (const name of keptIn) poolOf(name).keptFor = lane;
    return lane;
  };
  const plain = asLearnt(new Lane('', [total], release));
  const lanes: Lane[] = [plain];
  const laneByPools = new Map<string, Lane>();
  const laneOf = ({ pools: names = NOBODY, isBesideTotal, isSpare }: SlotRequest): Lane => {
    if (names.length === 0 && !isSpare) return plain;
    const isBeside = isBesideTotal === true;
    const key = `${isSpare ? 'spare' : isBeside}\n${names.join('\n')}`;
    let lane = laneByPools.get(key);
    if (!lane) {
      const named = [...new Set(names)].map(poolOf);
      lane = asLearnt(new Lane(key, isBeside ? named : [total, ...named], release, isSpare === true));
      laneByPools.set(key, lane);
      lanes.push(lane);
    }
    return lane;
  };

  const learn = ({ lane, since }: Ticket, ended: 'well' | Fault): void => {
    if (ended === 'well') {
      for (const pool of lane.pools) {
        if (pool.limit < pool.most && pool.succeeded(since)) note(pool, 'recovered', clock.now());
      }
    } else if (ended.diagnosis === 'rate-limited') {
      const now = clock.now();
      for (const pool of blamed(lane, ended)) {
        if (pool.refused(now, since, ended.retryAfterMs)) note(pool, 'rate-limited', now);
      }
    }
  };
  /** The pool that the fault names; else all that are named; else the total. */
  const blamed = (lane: Lane, { pool: name }: Fault): readonly Pool[] => {
    if (name !== undefined && (pools.has(name) || Object.hasOwn(limits, name))) return [poolOf(name)];
    const own = lane.pools.filter((pool) => pool !== total);
    return own.length > 0 ? own : lane.pools;
  };
  const note = (pool: Pool, why: SlotsChange['why'], now: number): void =>
    changes.note({ pool: pool.name, limit: Math.min(pool.limit, pool.bound), why }, now);

  /** Who is to be granted: of the heads of all lanes with room, the one that comes first. */
  const nextIn = (now: number): Ticket | undefined => {
    let first: Ticket | undefined;
    for (const lane of lanes) {
      const head = lane.live > 0 && lane.hasRoom(now) ? lane.head : undefined;
      if (head && (!first || inOrder(head, first) < 0)) first = head;
    }
    return first;
  };
  const grant = (ticket: Ticket, now: number): void => {
    const { lane } = ticket;
    lane.take();
    live--;
    ticket.state = 'held';
    ticket.since = now;
    held.add(ticket);
    if (live > 0 && lanes.length > 1) {
      for (const other of lanes) {
        const head = other === lane ? undefined : other.head;
        if (head && inOrder(head, ticket) < 0) other.overtakenBy(lane);
      }
    }
    ticket.ask.granted();
  };
  const drain = (): void => {
    isDraining = false;
    const now = clock.now();
    changes.flush(now);
    if (memory?.look(now)) {
      const why = memory.bound < total.bound ? 'memory' : 'recovered';
      total.bound = memory.bound;
      note(total, why, now);
    }
    for (let next = nextIn(now); next; next = nextIn(now)) grant(next, now);
    watch();
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

  const leaseEnd = ({ since, estimateMs }: Ticket): number => since + Math.max(leaseMs, 2 * (estimateMs ?? 0));
  /** Marks the pools that are full and waited for; tells when the first of those opens that have been asked to wait. */
  const markContended = (now: number): number => {
    let opensNext = Infinity;
    for (const lane of lanes) for (const pool of lane.pools) pool.isContended = false;
    for (const lane of lanes) {
      if (lane.live === 0 || lane.isSpare) continue;
      const { opensAt } = lane;
      if (opensAt > now) opensNext = Math.min(opensNext, opensAt);
      else for (const pool of lane.pools) pool.isContended ||= pool.isFull;
    }
    return opensNext;
  };
  const isWaitedFor = (ticket: Ticket): boolean => ticket.lane.pools.some((pool) => pool.isContended);
  /** One timer: when a lease ends, a pool opens, or the memory is to be looked at. None when nobody waits. */
  const watch = (): void => {
    if (live === 0) return wakeAt(Infinity);
    const isPlain = lanes.length === 1 && total.opensAt === -Infinity && !memory?.isYielding;
    if (isPlain && (timer !== undefined || held.size === 0)) return;
    const now = clock.now();
    let next = markContended(now);
    if (memory?.isYielding && total.isContended) next = Math.min(next, memory.nextLook);
    for (const ticket of held) if (isPlain || isWaitedFor(ticket)) next = Math.min(next, leaseEnd(ticket));
    wakeAt(next);
  };
  const wakeAt = (at: number): void => {
    if (at === wakesAt) return;
    clock.clearTimeout(timer);
    wakesAt = at;
    timer = at === Infinity ? undefined : clock.setTimeout(wake, Math.max(0, at - clock.now()));
  };
  const wake = (): void => {
    timer = undefined;
    wakesAt = Infinity;
    const now = clock.now();
    markContended(now);
    const waiting = new Map(lanes.map((lane) => [lane, lane.isSpare || lane.opensAt > now ? 0 : lane.live]));
    for (const ticket of held) {
      if (leaseEnd(ticket) > now || !isWaitedFor(ticket)) continue;
      const { pools: own } = ticket.lane;
      for (const [lane, needed] of waiting) {
        if (needed === 0 || !lane.pools.some((pool) => pool.isContended && own.includes(pool))) continue;
        waiting.set(lane, needed - 1);
        ticket.ask.revoked();
        ticket.release();
        break;
      }
    }
    drainSoon();
    watch();
  };

  return {
    hold(ask, since) {
      const lane = laneOf(ask);
      const ticket = new Ticket(ask, asked++, lane);
      ticket.state = 'held';
      ticket.since = since;
      lane.hold();
      held.add(ticket);
      return ticket;
    },
    learnt() {
      const keptIn = (lane: Lane): string[] =>
        lane.pools.filter((pool) => pool.keptFor === lane).map(({ name }) => name);
      const overtaken = lanes.filter((lane) => lane.overtaken > 0);
      return {
        pools: Object.fromEntries(Array.from(pools.values(), (pool) => [pool.name, pool.learnt])),
        lanes: Object.fromEntries(
          overtaken.map((lane) => [lane.key, { overtaken: lane.overtaken, keptIn: keptIn(lane) }]),
        ),
      };
    },
    isThrottled() {
      const now = clock.now();
      return [...pools.values()].some((pool) => pool.limit < pool.most || pool.opensAt > now);
    },
    request(ask) {
      const lane = laneOf(ask);
      const ticket = new Ticket(ask, asked++, lane);
      live++;
      lane.push(ticket);
      if (!lane.isFull) drainSoon();
      else if (lane.live === 1 || timer === undefined) watch();
      return ticket;
    },
    hear(name, news) {
      const now = clock.now();
      const pool = poolOf(name);
      if ('calls' in news) pool.allows(news.calls, now + news.forMs);
      else if (news.diagnosis === 'rate-limited' && pool.refused(now, now, news.retryAfterMs)) {
        note(pool, 'rate-limited', now);
      }
      watch();
    },
  };
}
