/**
 * The slots of one stage's leaves. Its gather asks for them, so that a leaf is called when it may begin, and a leaf that
 * ends with its first attempt asks nobody.
 *  1. What it asks for are slots, and not for whom: whoever of the lane is expected to take longest begins in the next.
 *     As many as may be next are asked for, so that the order over the whole tree is as if all had asked; leaves that have
 *     given their slot back, to be tried again, keep nobody from beginning.
 *  2. A slot whose leaf has ended well goes to the next leaf here without a word to anybody, for a while. After that, and
 *     at once where a limit has been felt, it goes back to whoever is next in the whole run.
 *  3. Whatever has been asked for is given back: at the latest with the stage's end.
 */
import type { RestatePromise } from '@restatedev/restate-sdk';
import { ROOT } from '../../protocol/path.ts';
import { byLength } from '../queue-order.ts';
import { LEASE_SHARE } from '../slots.ts';
import type { Node } from './node.ts';
import { exchange, tellSlots } from './slot-calls.ts';
import type { SlotAsk, SlotNews, SlotRelease } from './slots-object.ts';
import type { NodeAnswer } from './wire.ts';

/** A leaf that may begin, and the slot it begins in. */
export type Beginning = { path: string; slot: string };
export type News = { type: 'news'; news: SlotNews };
/** Of an awakeable that broke: nothing is known, so nothing is handed on. */
const NO_NEWS: SlotNews = { at: 0, granted: [], revoked: [], mayHandOn: false };
export type Waiting = { path: string; estimateMs: number | undefined; pools: readonly string[] };

/** How long ends wait for company, in ms: where nobody can be waiting for the slots, and where somebody may. */
const [KEEPING_MS, BRIEFLY_MS] = [500, 50];
/**
 * How long a slot may go from leaf to leaf: for each orchestrator, since all of them talk to one object, and at least, in
 * ms; and at most, as a share of its lease, which the object counts from the first of them.
 */
const [HANDED_ON_FOR_EACH_MS, HANDED_ON_MS, HANDED_ON_SHARE] = [50, 1_000, 0.25];
/**
 * The object keeps everybody who waits, and moves them with each message: of a long queue it is told of the next ones
 * alone. So many of a stage, and of all stages that may be open at once.
 */
const [MOST_WAITING, MOST_WAITING_IN_ALL] = [32, 256];

/** Those that wait for the same pools. `asked`: slots that are here or have been asked for; `waiting`: the latter. */
type Lane = { readonly leaves: Waiting[]; readonly pools: readonly string[]; asked: number; waiting: number };
/** `estimateMs`: of whom it was asked for. The lease goes by that. */
type Slot = { readonly id: string; readonly lane: Lane; readonly estimateMs: number | undefined };
type Held = Slot & { readonly since: number };

export class StageSlots {
  readonly #node: Node;
  readonly #holder: string;
  readonly #lanes = new Map<string, Lane>();
  /** Whether nobody can be waiting for these slots, as long as no limit is felt. */
  readonly #isAmple: boolean;
  /** Of each lane: how many may have been asked for and not ended, and how many of these may wait. */
  readonly #most: number;
  readonly #window: number;
  readonly #handedOnMs: number;
  readonly #leaseMs: number;
  /** By the slot's id. */
  readonly #waiting = new Map<string, Slot>();
  /** By the path of the leaf that is at work in it. */
  readonly #held = new Map<string, Held>();
  #asked = 0;
  #mayHandOn = true;
  /** When what we know of that was so. */
  #knownAt = -Infinity;
  #releases: SlotRelease[] = [];
  #toldAt = -Infinity;
  #news: RestatePromise<News> | undefined;

  constructor(node: Node, holder: string, leaves: readonly Waiting[], most: number) {
    const { limits } = node.spec;
    this.#node = node;
    this.#holder = holder;
    for (const leaf of leaves.toSorted(byLength).toReversed()) this.#laneOf(leaf).leaves.push(leaf); // the longest last
    const isWide = limits.concurrency >= (node.kit.registry.get(ROOT)?.leaves ?? Infinity);
    this.#isAmple = isWide && [...this.#lanes.values()].every(({ pools }) => pools.length === 0);
    this.#most = most;
    const share = Math.ceil(MOST_WAITING_IN_ALL / node.kit.orchestrators);
    this.#window = this.#isAmple ? Infinity : Math.min(MOST_WAITING, share);
    const handedOnMs = Math.max(HANDED_ON_MS, HANDED_ON_FOR_EACH_MS * node.kit.orchestrators);
    this.#leaseMs = limits.deadlineMs * LEASE_SHARE;
    this.#handedOnMs = Math.min(handedOnMs, this.#leaseMs * HANDED_ON_SHARE);
  }

  /** Paths of those that have not begun. */
  get waiting(): string[] {
    return [...this.#lanes.values()].flatMap(({ leaves }) => leaves.map(({ path }) => path));
  }
  get isWaiting(): boolean {
    for (const { leaves } of this.#lanes.values()) if (leaves.length > 0) return true;
    return false;
  }
  /** Resolves with the next news; undefined when none can come. */
  get news(): RestatePromise<News> | undefined {
    return this.#waiting.size + this.#held.size > 0 ? this.#news : undefined;
  }
  /** For how long slots that nobody uses may stay here, in ms; undefined when there are none. */
  get keepsFor(): number | undefined {
    if (this.#releases.length === 0) return undefined;
    return this.#isAmple && this.#mayHandOn ? KEEPING_MS : BRIEFLY_MS;
  }

  /** Those that may begin at once. */
  async open(now: number): Promise<Beginning[]> {
    if (!this.isWaiting) return [];
    const holder = this.#holder;
    const beginnings: Beginning[] = [];
    let news: { news?: string } = { news: this.#awaitNews() }; // once, as below
    for (let asks = this.#nextAsks(); asks.length > 0; asks = this.#nextAsks()) {
      const said = await exchange(this.#node, { holder, at: now, asks, handsOn: true, ...news });
      news = {};
      beginnings.push(...this.#took(said, now));
      if (said.granted.length < asks.length) break; // the others wait
    }
    return beginnings;
  }
  /** What the news say: who begins, and whose slot is lost. Whoever is next is asked for. */
  take(said: SlotNews, now: number): { begin: Beginning[]; revoked: string[] } {
    const begin = this.#took(said, now);
    const revoked: string[] = [];
    for (const [path, { id, lane }] of this.#held) {
      if (!said.revoked.includes(id)) continue;
      revoked.push(path);
      this.#held.delete(path);
      lane.asked--;
    }
    this.#tell(now, this.#awaitNews());
    return { begin, revoked };
  }
  /** A leaf has ended. `left`: the slot it had then, if any: it may not be the one it began in. Answers who is next in it. */
  release(path: string, left: NodeAnswer['leaves'], now: number): Beginning | undefined {
    const held = this.#held.get(path);
    this.#held.delete(path);
    if (held && left?.slot === held.id && left.ended === 'well') {
      const next = this.#nextIn(held, now);
      if (next) {
        const { id, lane } = held;
        this.#held.set(next, held);
        this.#withdraw(lane.waiting - lane.leaves.length, lane);
        return { path: next, slot: id };
      }
    }
    if (held) held.lane.asked--;
    if (left && (held || left.slot === path)) this.#releases.push({ id: left.slot, ended: left.ended });
    const isPatient = this.#isAmple && this.#mayHandOn;
    if (!left || (!isPatient && now >= this.#toldAt + BRIEFLY_MS)) this.#tell(now);
    return undefined;
  }
  /** A leaf has ended, and nobody knows what it had. */
  lose(path: string, now: number): void {
    const held = this.#held.get(path);
    if (!held) return;
    this.#held.delete(path);
    held.lane.asked--;
    this.#releases.push({ id: held.id }, { id: path }); // it asks by its path when it is tried again
    this.#tell(now);
  }
  giveBack(now: number): void {
    if (this.#releases.length > 0) this.#tell(now);
  }
  /** Nobody will begin any more. */
  withdrawAll(now: number): void {
    for (const lane of this.#lanes.values()) {
      lane.leaves.length = 0;
      this.#withdraw(lane.waiting, lane);
    }
    this.giveBack(now);
  }
  /** Whoever is at work still may be in a slot that it asked for itself, and nobody will read its answer. */
  close(now: number): void {
    if (!this.#news) return;
    const own = Array.from(this.#held.keys(), (path) => ({ id: path }));
    tellSlots(this.#node, {
      holder: this.#holder,
      at: now,
      releases: [...this.#releases.splice(0), ...own],
      leaves: true,
    });
    this.#news = undefined;
  }

  /** The id of what is told the next news. */
  #awaitNews(): string {
    const { id, promise } = this.#node.ctx.awakeable<SlotNews>();
    this.#news = promise.map((news) => ({ type: 'news', news: news ?? NO_NEWS }));
    return id;
  }
  #laneOf({ pools }: Waiting): Lane {
    const key = pools.join('\n');
    let lane = this.#lanes.get(key);
    if (!lane) this.#lanes.set(key, (lane = { leaves: [], pools, asked: 0, waiting: 0 }));
    return lane;
  }
  /** Who may begin in a slot that has come free here: within its time, and within the lease of whom it was asked for. */
  #nextIn({ lane, since, estimateMs = 0 }: Held, now: number): string | undefined {
    if (!this.#mayHandOn || now >= since + this.#handedOnMs) return undefined;
    const next = lane.leaves.at(-1);
    if (!next || (next.estimateMs ?? 0) > Math.max(estimateMs, this.#leaseMs / 2)) return undefined;
    lane.leaves.pop();
    return next.path;
  }
  /** What is granted beyond those who wait, because others began in slots that came free here, goes back. */
  #took({ at, granted, mayHandOn }: SlotNews, now: number): Beginning[] {
    if (at >= this.#knownAt) this.#mayHandOn = mayHandOn;
    this.#knownAt = Math.max(this.#knownAt, at);
    const beginnings: Beginning[] = [];
    for (const id of granted) {
      const slot = this.#waiting.get(id);
      if (!slot) continue; // withdrawn meanwhile
      const { lane } = slot;
      this.#waiting.delete(id);
      lane.waiting--;
      const leaf = lane.leaves.pop();
      if (leaf) {
        this.#held.set(leaf.path, { ...slot, since: now });
        beginnings.push({ path: leaf.path, slot: id });
      } else {
        lane.asked--;
        this.#releases.push({ id });
      }
    }
    return beginnings;
  }
  /** The last that were asked for. */
  #withdraw(count: number, lane: Lane): void {
    if (count <= 0) return;
    const ids = [...this.#waiting].flatMap(([id, slot]) => (slot.lane === lane ? id : []));
    for (const id of ids.toReversed().slice(0, count)) {
      this.#waiting.delete(id);
      lane.waiting--;
      lane.asked--;
      this.#releases.push({ id });
    }
  }
  /** By the expected length of who would begin now, were they all granted. */
  #nextAsks(): SlotAsk[] {
    const asks: SlotAsk[] = [];
    for (const lane of this.#lanes.values()) {
      const { leaves, pools } = lane;
      while (lane.asked < this.#most && lane.waiting < this.#window && lane.waiting < leaves.length) {
        const { estimateMs } = leaves[leaves.length - 1 - lane.waiting] ?? {};
        const id = `${this.#holder}#${++this.#asked}`;
        lane.asked++;
        lane.waiting++;
        this.#waiting.set(id, { id, lane, estimateMs });
        asks.push({ id, estimateMs, pools });
      }
    }
    return asks;
  }
  /** `news`: said once. An awakeable that was resolved meanwhile, and we have not heard of it, is not to be told again. */
  #tell(now: number, news?: string): void {
    this.#toldAt = now;
    const releases = this.#releases.splice(0);
    const asks = this.#nextAsks();
    tellSlots(this.#node, { holder: this.#holder, at: now, releases, asks, ...(news !== undefined && { news }) });
  }
}
