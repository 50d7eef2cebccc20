/** What a node may spend and has spent, as far as this invocation knows. */
import type { Cost } from '../../ports/budget.ts';
import type { Budget } from '../../protocol/grant.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Money, Spent } from '../../tier/usage.ts';
import type { Overrun } from '../run-budget.ts';
import type { Allot, Allotted, Settlement } from './budget-object.ts';
import { call, send } from './calls.ts';
import type { Node } from './node.ts';

const NO_MONEY: Money = { usd: 0, inputTokens: 0, outputTokens: 0 };
const NANO = 1e9;
const plus = (a: Money, b: Money): Money => ({
  usd: Math.round((a.usd + b.usd) * NANO) / NANO,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
});
const NO_OVERRUN: Overrun = { all: {}, billed: {} };
/** What there is more in `a`, which has grown from `b`. */
function minusBudget(a: Budget, b: Budget): Budget {
  const more: Budget = {};
  const grown = (now = 0, before = 0): number => Math.round((now - before) * NANO) / NANO;
  for (const dimension of ['usd', 'tokens', 'leaves'] as const) {
    const one = grown(a[dimension], b[dimension]);
    if (one > 0) more[dimension] = one;
  }
  return more;
}
const isSome = ({ usd, inputTokens, outputTokens }: Money): boolean => usd + inputTokens + outputTokens > 0;

export class Purse {
  #self = NO_MONEY;
  #subtree = NO_MONEY;
  #unbooked = NO_MONEY;
  /** What of the step at work has been told to the run's budget as not fitting. */
  #beyond: Overrun = NO_OVERRUN;
  /** What it may still spend itself. */
  #left: Budget;

  constructor(granted: Budget) {
    this.#left = granted;
  }
  get left(): Budget {
    return this.#left;
  }
  set left(left: Budget) {
    this.#left = left;
  }
  /** Of a step that is over. */
  own({ spent }: { spent?: Spent }): void {
    this.#beyond = NO_OVERRUN;
    if (!spent) return;
    const { self } = spent;
    this.#unbooked = plus(this.#unbooked, self);
    this.#self = plus(this.#self, self);
    this.#subtree = plus(this.#subtree, self);
    this.#left = this.leftAfter(spent);
  }
  /** What is left for work that begins again, when what began before has spent so much. */
  leftAfter(spent: Spent | undefined): Budget {
    if (!spent) return this.#left;
    const { usd, tokens } = this.#left;
    const { self } = spent;
    return {
      ...this.#left,
      ...(usd !== undefined && { usd: Math.max(0, Math.round((usd - self.usd) * NANO) / NANO) }),
      ...(tokens !== undefined && { tokens: Math.max(0, tokens - self.inputTokens - self.outputTokens) }),
    };
  }
  below(spent: Spent | undefined): void {
    if (spent) this.#subtree = plus(this.#subtree, spent.subtree);
  }
  /** What the run's budget has not been told yet. */
  takeUnbooked(): Money | undefined {
    const unbooked = this.#unbooked;
    this.#unbooked = NO_MONEY;
    return isSome(unbooked) ? unbooked : undefined;
  }
  /** `beyond`: what the step at work has settled so far that did not fit. Gives what is new of it. */
  takeBeyond(beyond: Overrun | undefined): Overrun | undefined {
    if (!beyond) return undefined;
    const all = minusBudget(beyond.all, this.#beyond.all);
    if (Object.keys(all).length === 0) return undefined;
    const billed = minusBudget(beyond.billed, this.#beyond.billed);
    this.#beyond = beyond;
    return { all, billed };
  }
  get spent(): Spent | undefined {
    return isSome(this.#subtree) ? { self: this.#self, subtree: this.#subtree } : undefined;
  }
}

export const isLimited = ({ spec }: Node): boolean =>
  spec.hasCaps === true || Object.keys(spec.limits.budget).length > 0;

const addressOf = ({ worker, spec }: Node) => ({ service: worker.names.budget, key: spec.runId });
const ask = <Answer>(node: Node, method: string, what: object) =>
  call<Answer>(node.ctx, { ...addressOf(node), method }, { ...what, granted: node.spec.limits.budget });

export const allot = (node: Node, what: Allot): Promise<Allotted> => ask<Allotted>(node, 'allot', what);
export const takeLeaf = (node: Node, path: string) =>
  ask<{ fault?: Allotted['refused'][string]; events: RunEventBody[] }>(node, 'takeLeaf', { path });
export const leftFor = (node: Node, path: string): Promise<Budget> => ask<Budget>(node, 'left', { path });
export const moreFor = (node: Node, path: string, wanted: Cost): Promise<Budget | null> =>
  ask<Budget | null>(node, 'more', { path, wanted });
export const overdrawn = (node: Node): Promise<Budget | null> => ask<Budget | null>(node, 'overdrawn', {});
export const settle = (node: Node, settlement: Settlement): void =>
  void send(node.ctx, { ...addressOf(node), method: 'settle' }, { ...settlement, granted: node.spec.limits.budget });

/** What the last refusal lacked, of what a step was told of its budget. */
export function wantedIn(events: readonly RunEventBody[]): Cost | undefined {
  const refused = events.findLast((event) => event.type === 'budget.refused');
  if (!refused || refused.dimension === 'leaves') return undefined;
  return { [refused.dimension]: refused.asked };
}
