/**
 * The slots of one stage's leaves. Its gather asks for them, so that a leaf is called when it may begin, and a leaf that
 * ends with its first attempt asks nobody.
 *  1. No more of each lane are asked for than could be at work at once; the longest expected first, so that the order
 *     over the whole tree is as if all had asked.
 *  2. Whatever has been asked for is given back: with each leaf's end, and with the stage's.
 */
import type { RestatePromise } from '@restatedev/restate-sdk';
import type { Fault } from '../../protocol/fault.ts';
import { ROOT } from '../../protocol/path.ts';
import { byLength } from '../queue-order.ts';
import type { Node } from './node.ts';
import { exchange, tellSlots } from './slot-calls.ts';
import type { SlotAsk, SlotNews, SlotRelease } from './slots-object.ts';

/** So many ends share a message when nobody can be waiting for the slots; its gather gives back the rest in time. */
const MOST_TOGETHER = 512;
/**
 * The object keeps everybody who waits, and moves them with each message: of a long queue it is told of the next ones
 * alone. So many of a stage, and of all stages that may be open at once.
 */
const [MOST_WAITING, MOST_WAITING_IN_ALL] = [32, 256];

/** Those that wait for the same pools. */
type Lane = { readonly unasked: SlotAsk[]; asked: number; waiting: number };

export class StageSlots {
  readonly #node: Node;
  readonly #holder: string;
  readonly #lanes = new Map<string, Lane>();
  /** Whether all leaves of the run can be at work at once. */
  readonly #isAmple: boolean;
  /** Of each lane: how many may be out, and how many of these may wait. */
  readonly #most: number;
  readonly #window: number;
  readonly #waiting = new Map<string, Lane>();
  readonly #held = new Map<string, Lane>();
  #unasked: number;
  #releases: SlotRelease[] = [];
  #news: { id: string; promise: RestatePromise<SlotNews> } | undefined;

  constructor(node: Node, holder: string, asks: readonly SlotAsk[], most: number) {
    const { limits } = node.spec;
    this.#node = node;
    this.#holder = holder;
    for (const ask of asks.toSorted(byLength).toReversed()) this.#laneOf(ask).unasked.push(ask); // the longest last
    this.#unasked = asks.length;
    this.#isAmple = limits.concurrency >= (node.kit.registry.get(ROOT)?.leaves ?? Infinity);
    this.#most = Math.min(most, limits.concurrency);
    const share = Math.ceil(MOST_WAITING_IN_ALL / node.kit.orchestrators);
    this.#window = this.#isAmple ? Infinity : Math.min(MOST_WAITING, share);
  }

  /** Paths of those that have not begun. */
  get waiting(): string[] {
    return [
      ...this.#waiting.keys(),
      ...[...this.#lanes.values()].flatMap(({ unasked }) => unasked.map(({ path }) => path)),
    ];
  }
  get isWaiting(): boolean {
    return this.#waiting.size + this.#unasked > 0;
  }
  /** Resolves with the next news; undefined when none can come. */
  get news(): RestatePromise<SlotNews> | undefined {
    return this.#waiting.size + this.#held.size > 0 ? this.#news?.promise : undefined;
  }

  /** Paths of those that may begin at once. */
  async open(): Promise<string[]> {
    if (this.#unasked === 0) return [];
    this.#news = this.#node.ctx.awakeable<SlotNews>();
    const holder = this.#holder;
    const begin: string[] = [];
    let news: { news?: string } = { news: this.#news.id }; // once, as below
    for (let asks = this.#nextAsks(); asks.length > 0; asks = this.#nextAsks()) {
      const { granted } = this.#took(await exchange(this.#node, { holder, asks, ...news }));
      news = {};
      begin.push(...granted);
      if (granted.length < asks.length) break; // the others wait
    }
    return begin;
  }
  /** What the news say; whoever is next is asked for. */
  take(news: SlotNews): SlotNews {
    const taken = this.#took(news);
    this.#news = this.#node.ctx.awakeable<SlotNews>();
    this.#tell(this.#news.id);
    return taken;
  }
  /** A leaf has ended. `ended`: absent when it gave its slot back itself. */
  release(path: string, ended: 'well' | Fault | undefined): void {
    const lane = this.#held.get(path);
    if (!lane) return;
    this.#held.delete(path);
    lane.asked--;
    if (ended !== undefined) this.#releases.push({ path, ended });
    if (!this.#isAmple || this.#releases.length >= MOST_TOGETHER) this.#tell();
  }
  /** Whether slots are here still that nobody uses. */
  get isKeeping(): boolean {
    return this.#releases.length > 0;
  }
  giveBack(): void {
    if (this.#releases.length > 0) this.#tell();
  }
  /** Nobody will begin any more. */
  withdrawAll(): void {
    for (const path of this.#waiting.keys()) this.#releases.push({ path });
    this.#waiting.clear();
    for (const { unasked } of this.#lanes.values()) unasked.length = 0;
    this.#unasked = 0;
    this.giveBack();
  }
  close(): void {
    if (!this.#news) return;
    tellSlots(this.#node, { holder: this.#holder, releases: this.#releases.splice(0), leaves: true });
    this.#news = undefined;
  }

  #laneOf({ pools }: SlotAsk): Lane {
    const key = pools.join('\n');
    let lane = this.#lanes.get(key);
    if (!lane) this.#lanes.set(key, (lane = { unasked: [], asked: 0, waiting: 0 }));
    return lane;
  }
  /** Without those that have been withdrawn meanwhile. */
  #took({ granted, revoked }: SlotNews): SlotNews {
    const begin: string[] = [];
    for (const path of granted) {
      const lane = this.#waiting.get(path);
      if (!lane) continue;
      this.#waiting.delete(path);
      lane.waiting--;
      this.#held.set(path, lane);
      begin.push(path);
    }
    return { granted: begin, revoked };
  }
  #nextAsks(): SlotAsk[] {
    const asks: SlotAsk[] = [];
    for (const lane of this.#lanes.values()) {
      while (lane.asked < this.#most && lane.waiting < this.#window) {
        const ask = lane.unasked.pop();
        if (!ask) break;
        lane.asked++;
        lane.waiting++;
        this.#unasked--;
        this.#waiting.set(ask.path, lane);
        asks.push(ask);
      }
    }
    return asks;
  }
  /** `news`: said once. An awakeable that was resolved meanwhile, and we have not heard of it, is not to be told again. */
  #tell(news?: string): void {
    const releases = this.#releases.splice(0);
    const asks = this.#nextAsks();
    tellSlots(this.#node, { holder: this.#holder, releases, asks, ...(news !== undefined && { news }) });
  }
}
