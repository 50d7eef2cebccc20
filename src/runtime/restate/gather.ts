/**
 * Waits for a stage's children as a durable loop over the join reducer, and is the only place that calls nodes.
 *  1. One invocation for each node: its call is in the journal before it begins, so a replay does not call it again.
 *  2. What happens next is chosen by the journal alone: which answer came first, what the clock said, who got a slot.
 *  3. Whoever is cut off is cancelled; what its subtree had said until then is asked of the ledger.
 */
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { Finding } from '../../protocol/finding.ts';
import { childPath, isWithin, nameOf, ROOT } from '../../protocol/path.ts';
import { UnsealedOutcome, type UnsealedReport } from '../../protocol/report.ts';
import { readAnswer } from '../../tier/answer.ts';
import { HELD_TOO_LONG, NEVER_BEGUN } from '../../tier/attempt.ts';
import { tierOf } from '../../tier/child-task.ts';
import { CANCELLED, errorOf } from '../../tier/fault.ts';
import { handOff as handOffAt, type Margins } from '../../tier/grant.ts';
import { joinStep, openJoin, type Join, type JoinEffect, type JoinEvent, type Joined } from '../../tier/join.ts';
import type { GatherInput } from '../../tier/orchestrator-machine.ts';
import type { Spent } from '../../tier/usage.ts';
import { call } from './calls.ts';
import { ChildCalls, type Arrival, type Batch } from './child-calls.ts';
import { Moments, type Moment } from './moments.ts';
import type { Node } from './node.ts';
import { planChildren, spawnable, type StagePlan } from './plan-children.ts';
import { isLimited, settle, type Purse } from './purse.ts';
import { StageSlots, type Beginning, type News } from './stage-slots.ts';
import type { NodeAnswer } from './wire.ts';

export type GatherWith = {
  purse: Purse;
  /** A last word on a child's report, before it is sealed. */
  amend?: (report: UnsealedReport) => Promise<{ report: UnsealedReport; heard: readonly Finding[] }>;
};
type Arrived = Arrival | Batch | News | { type: Moment };

/** An answer goes by the server, and each step is written down there before the next. */
const MARGINS: Margins = { handOffMs: 500, leastReserveMs: 500 };
/** How long children have to conclude when they are asked to, for each tier below, in ms. */
const CONCLUDE_MS = 1_000;
/** How long the first of very many may keep us waiting before all are looked at, in ms: at first, and at most. */
const [LOOK_ROUND_MS, SELDOM_MS] = [1_000, 15_000];
/** In flight at once where some have to wait for a slot: they are raced, so that none waits for another's end. */
const MOST_RACED = 256;

export const gather = (node: Node, input: GatherInput, given: GatherWith): Promise<Joined> =>
  new Gather(node, input, given).joined();

class Gather {
  readonly #node: Node;
  readonly #input: GatherInput;
  readonly #given: GatherWith;
  #planned: StagePlan['planned'] = new Map();
  readonly #calls: ChildCalls;
  readonly #heard = new Map<string, readonly Finding[]>();
  readonly #spent = new Map<string, Spent>();
  /** Until they are booked. */
  readonly #answers = new Map<string, NodeAnswer>();
  readonly #revoked = new Set<string>();
  readonly #moments: Moments;
  /** The latest that is known of the time. */
  #at = 0;
  #joined: Joined | undefined;
  /** Of very many that are awaited: whom the others waited for when the clock was set, and for how long it was. */
  #awaitedFirst: string | undefined;
  #lookRoundMs = LOOK_ROUND_MS;

  constructor(node: Node, input: GatherInput, given: GatherWith) {
    this.#node = node;
    this.#input = input;
    this.#given = given;
    this.#calls = new ChildCalls(node);
    this.#moments = new Moments(node.ctx);
  }

  async joined(): Promise<Joined> {
    const { ctx, outbox } = this.#node;
    const { task, deadline } = this.#input;
    const now = (this.#at = await ctx.date.now());
    const children = spawnable(this.#node, this.#input, now);
    const [join, first] = openJoin({
      runId: task.runId,
      path: task.path,
      children: children.map((child) => ({ name: child.name, tier: tierOf(task, child) })),
      quorum: this.#input.quorum,
      required: this.#input.required,
      startedAt: now,
      heard: (name) => this.#heard.get(name) ?? [],
      spent: (name) => this.#spent.get(name),
    });
    const empty = first.find((effect) => effect.type === 'close');
    if (empty) return empty.joined;
    const { planned, refused } = await planChildren(this.#node, this.#input, children, { now, margins: MARGINS });
    this.#planned = planned;
    outbox.flush(now);

    const leaves = children.filter(({ name, role }) => role === 'leaf' && !refused.has(name));
    const slots = this.#slotsFor(leaves);
    for (const { name, role } of children) if (role !== 'leaf') this.#call(name);
    this.#moments.arm('expired', deadline - now);
    for (const beginning of await slots.open(now)) this.#begin(beginning);
    const handOff = handOffAt(now, deadline, MARGINS.handOffMs);
    if (slots.isWaiting) this.#moments.arm('hand-off', handOff - now);
    for (const [name, fault] of refused) {
      await this.#apply(join, { type: 'crashed', name, error: errorOf(fault), attempts: 0, at: now });
    }
    for (;;) {
      if (this.#joined) break;
      await this.#step(join, slots, handOff);
    }
    slots.close(this.#at);
    return this.#joined;
  }

  /** Waits for whatever comes first, and lets the join see it. */
  async #step(join: Join, slots: StageSlots, handOff: number): Promise<void> {
    const { ctx, outbox, cancellation } = this.#node;
    if (outbox.flushDue(this.#at) && !this.#moments.isArmed('flush')) this.#moments.arm('flush', outbox.flushMs);
    const { keepsFor } = slots;
    if (keepsFor !== undefined && !this.#moments.isArmed('give-back')) this.#moments.arm('give-back', keepsFor);
    if (this.#calls.isWide && !this.#moments.isArmed('look-round')) {
      this.#awaitedFirst = this.#calls.first;
      this.#moments.arm('look-round', this.#lookRoundMs);
    }
    const { news } = slots;
    const arrived = await cancellation.first<Arrived>([
      ...this.#moments.awaited,
      ...(news ? [news] : []),
      ...this.#calls.awaited,
    ]);
    switch (arrived?.type) {
      case undefined: // it is asked to conclude: so are its children, and whoever has not by then is cut off
        this.#at = Math.max(this.#at, await ctx.date.now());
        joinStep(join, { type: 'cancelling' });
        await this.#neverBegin(join, slots, CANCELLED);
        await this.#calls.cancelAll();
        this.#moments.arm('cut-off', CONCLUDE_MS * (1 + this.#input.task.grant.depthLeft));
        break;
      case 'expired':
        this.#at = Math.max(this.#at, this.#input.deadline);
        await this.#neverBegin(join, slots, NEVER_BEGUN); // where the hand-off comes as late as this
        await this.#lookRound(join, slots, handOff);
        if (this.#joined) break;
        this.#noteExpired(join);
        await this.#apply(join, { type: 'expired', at: this.#at });
        break;
      case 'look-round':
        this.#moments.passed('look-round');
        if (this.#calls.first !== this.#awaitedFirst) this.#lookRoundMs = LOOK_ROUND_MS;
        else {
          const heard = await this.#lookRound(join, slots, handOff);
          this.#lookRoundMs = heard > 0 ? LOOK_ROUND_MS : Math.min(SELDOM_MS, 2 * this.#lookRoundMs);
        }
        break;
      case 'cut-off':
        await this.#lookRound(join, slots, handOff);
        if (!this.#joined) await this.#apply(join, { type: 'cancelled', at: await ctx.date.now() });
        break;
      case 'hand-off':
        this.#moments.passed('hand-off');
        this.#at = Math.max(this.#at, handOff);
        await this.#neverBegin(join, slots, NEVER_BEGUN);
        break;
      case 'flush':
        this.#moments.passed('flush');
        outbox.flush(this.#at + outbox.flushMs);
        break;
      case 'give-back':
        this.#moments.passed('give-back');
        slots.giveBack(this.#at);
        break;
      case 'news': {
        this.#at = Math.max(this.#at, arrived.news.at);
        const { begin, revoked } = slots.take(arrived.news, this.#at);
        for (const beginning of begin) this.#begin(beginning);
        for (const path of revoked) await this.#revoke(nameOf(path));
        break;
      }
      case 'batch':
        for (const one of arrived.arrivals) {
          if (this.#joined) break;
          await this.#arrived(join, slots, handOff, one);
        }
        break;
      case 'answer':
      case 'lost':
        await this.#arrived(join, slots, handOff, arrived);
    }
  }
  async #arrived(join: Join, slots: StageSlots, handOff: number, arrival: Arrival): Promise<void> {
    const { name } = arrival;
    if (!this.#calls.arrived(name)) return; // cut off meanwhile
    const path = childPath(join.path, name);
    if (arrival.type === 'lost') {
      const { message, attempts } = arrival;
      slots.lose(path, this.#at);
      const at = await this.#node.ctx.date.now();
      await this.#apply(join, { type: 'crashed', name, error: { message }, attempts, at });
      return;
    }
    const { answer } = arrival;
    // It closed itself at the hand-off: nobody begins in its place.
    if (answer && answer.at >= handOff) await this.#neverBegin(join, slots, NEVER_BEGUN);
    this.#at = Math.max(this.#at, answer?.at ?? 0);
    const next = answer && slots.release(path, answer.leaves, this.#at);
    if (!answer) slots.lose(path, this.#at);
    await this.#apply(join, await this.#endOf(name, answer));
    if (next && !this.#joined) this.#begin(next);
  }

  /** Of very many only the first were awaited: here are the others that have arrived. Tells how many. */
  async #lookRound(join: Join, slots: StageSlots, handOff: number): Promise<number> {
    let heard = 0;
    if (!this.#calls.isWide) return heard;
    await this.#calls.lookRound(async (arrived) => {
      heard++;
      await this.#arrived(join, slots, handOff, arrived);
      return !this.#joined;
    });
    return heard;
  }

  #slotsFor(leaves: readonly ChildSpec[]): StageSlots {
    const { kit, spec } = this.#node;
    const { task, stage } = this.#input;
    const asks = leaves.map(({ name }) => {
      const path = childPath(task.path, name);
      return { path, estimateMs: kit.activities.estimateOf(path), pools: kit.activities.poolsOf(path) };
    });
    const most = spec.limits.concurrency >= leaves.length ? Infinity : MOST_RACED;
    return new StageSlots(this.#node, `${task.path} ${stage}`, asks, most);
  }

  #call(name: string, slot?: string): void {
    const planned = this.#planned.get(name);
    if (planned) this.#calls.call(planned.child, planned.task, slot);
  }
  #begin({ path, slot }: Beginning): void {
    this.#call(nameOf(path), slot);
  }
  /** Its slot is somebody else's now: it is asked to conclude, and what it then ends with says why. */
  async #revoke(name: string): Promise<void> {
    this.#revoked.add(name);
    await this.#calls.cancel(name);
  }
  async #neverBegin(join: Join, slots: StageSlots, fault: Fault): Promise<void> {
    const paths = slots.waiting;
    slots.withdrawAll(this.#at);
    for (const path of paths) {
      const name = nameOf(path);
      await this.#apply(join, { type: 'crashed', name, error: errorOf(fault), attempts: 0, at: this.#at });
    }
  }

  async #apply(join: Join, event: JoinEvent): Promise<void> {
    if ('at' in event) this.#at = Math.max(this.#at, event.at);
    if (mayCutOff(join, event)) await this.#hear(join, event.type === 'crashed' ? event.name : undefined);
    for (const effect of joinStep(join, event)) await this.#follow(effect);
  }
  /** What the subtrees of those that have not ended have said: they are about to be cut off. `lost`: who has been. */
  async #hear(join: Join, lost: string | undefined): Promise<void> {
    const { ctx, ledger, outbox } = this.#node;
    const { path } = join;
    const missing = [...this.#planned.keys()].filter((name) => !join.ended.has(name));
    if (missing.length === 0) return;
    outbox.flush(this.#at);
    if (lost !== undefined) {
      // In the queue of those who say something: what it said last may be on its way.
      await call(ctx, { ...ledger, method: 'lose' }, { path: childPath(path, lost), at: this.#at });
    }
    const said = await call<Finding[]>(ctx, { ...ledger, method: 'under' }, path === '' ? ROOT : path);
    for (const name of missing) {
      const own = childPath(path, name);
      const heard = said.filter((finding) => isWithin(finding.path, own));
      this.#heard.set(name, heard);
    }
  }
  async #endOf(name: string, answer: NodeAnswer | undefined): Promise<JoinEvent> {
    const path = childPath(this.#input.task.path, name);
    const at = answer?.at ?? this.#at;
    if (answer) {
      this.#answers.set(name, answer);
      this.#node.outbox.add(answer.events);
      if (answer.spent) this.#spent.set(name, answer.spent);
      this.#given.purse.below(answer.spent);
    }
    if (answer?.tooBig !== undefined)
      return { type: 'crashed', name, error: new Error(`${path}: ${answer.tooBig}`), at };
    const read = readAnswer(UnsealedOutcome, answer?.outcome);
    if (!('value' in read)) {
      const error = new Error(`${path} ended with what is no outcome: ${read.why}`);
      return { type: 'crashed', name, error, at };
    }
    const output = read.value;
    if (output.kind === 'failure') {
      const isRevoked = this.#revoked.has(name) && output.status === 'cancelled';
      return { type: 'ended', name, output: isRevoked ? { ...output, ...HELD_TOO_LONG, retryable: true } : output, at };
    }
    if (!this.#given.amend) return { type: 'ended', name, output, at };
    const { report, heard } = await this.#given.amend(output);
    this.#heard.set(name, heard);
    return { type: 'ended', name, output: report, at };
  }
  async #follow(effect: JoinEffect): Promise<void> {
    const { outbox } = this.#node;
    const { path: parent } = this.#input.task;
    switch (effect.type) {
      case 'sealed': {
        const { name, outcome } = effect;
        const { tier } = outcome;
        const path = childPath(parent, name);
        this.#heard.delete(name);
        this.#settle(name, path);
        if (outcome.kind === 'report') {
          outbox.note(this.#at, { type: 'node.reported', path, tier, report: outcome });
        } else outbox.note(this.#at, { type: 'node.failed', path, tier, token: outcome });
        break;
      }
      case 'stop':
        await this.#calls.cutOff(effect.name);
        break;
      case 'ignored': {
        const { name: child, why } = effect;
        outbox.note(this.#at, { type: 'child.late', path: parent, child, why, findings: [] });
        break;
      }
      case 'close':
        this.#joined = effect.joined;
    }
  }
  #settle(name: string, path: string): void {
    const { unbooked } = this.#answers.get(name) ?? {};
    this.#answers.delete(name);
    if (!isLimited(this.#node) || this.#input.task.path === '') return;
    settle(this.#node, { path, isOver: true, ...(unbooked && { spent: unbooked }) });
  }
  #noteExpired({ path, children, ended }: Join): void {
    if (path === '') return; // of the run's own gather the root's token says it
    const missing = [...children.keys()].flatMap((name) => (ended.has(name) ? [] : childPath(path, name)));
    this.#node.outbox.note(this.#at, { type: 'join.expired', path, stage: this.#input.stage, missing });
  }
}

/** Whether children may be cut off by this event, or one has been lost: what they had said, the ledger knows. */
function mayCutOff(join: Join, event: JoinEvent): boolean {
  if (event.type === 'expired' || event.type === 'cancelled') return true;
  if (event.type === 'crashed') return event.attempts !== 0;
  const isLast = join.ended.size + 1 >= join.children.size;
  return event.type === 'ended' && !isLast && join.reported + 1 >= (join.quorum ?? Infinity);
}
