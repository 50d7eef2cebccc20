/**
 * The budget of one run: a tree of accounts by path, shared by all its nodes.
 *  1. What a node settles is in its usage: it is booked at its own account, or, when that is closed, at the nearest
 *     open one above.
 *  2. What was billed beyond a grant is taken off what the whole run may still spend, whoever's share that is.
 *  3. In a run without limits an account is opened by the first who spends: the others cost nothing.
 */
import { EspalierError } from '../errors.ts';
import type { Cost, Expense, Reservation, Spending } from '../ports/budget.ts';
import { formatAmount } from '../protocol/amount.ts';
import type { ChildSpec } from '../protocol/decision.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Budget } from '../protocol/grant.ts';
import { childPath, parentOf, ROOT } from '../protocol/path.ts';
import type { Outcome } from '../protocol/report.ts';
import type { RunEventBody } from '../protocol/run-event.ts';
import {
  allotWithout,
  charge,
  claimOf,
  close,
  committedIn,
  DIMENSIONS,
  freeOf,
  hasAsMuchAgain,
  leftOf,
  NOTHING,
  open,
  openBudget,
  release,
  reserve,
  settle,
  takeLeaf,
  takenIn,
  type Account,
  type Amount,
  type Claimant,
  type Dimension,
  type Refusal,
  type Settled,
} from '../tier/budget.ts';
import { errorOf } from '../tier/fault.ts';
import { subtreeUsage, type Money, type Spent } from '../tier/usage.ts';

export type RunBudget = {
  readonly isLimited: boolean;
  /** Grants the children of a stage their shares of what is left for their parent. */
  allot(path: string, children: readonly ChildSpec[], later: Claimant): void;
  /** What the node has been granted; of none undefined. */
  grantOf(path: string): Budget;
  /** Takes one leaf from the account of `path` for the node `who`. */
  takeLeaf(path: string, who: string): Fault | undefined;
  /** Whether a second execution of what the node is at could cost as much as the first has until now. */
  affordsHedge(path: string): boolean;
  spendingOf(path: string): Spending & { end(): void };
  /** What a node and all below it have settled so far. */
  spentAt(path: string): Spent | undefined;
  /** A node has ended: what it has not spent goes back to its parent. */
  close(path: string): void;
  /** A node of an interrupted run stands as it is: what it spent was booked when the run was taken up. */
  reuse(outcome: Outcome): void;
  /** What was spent before the run was interrupted, at a path and below. */
  chargeEarlier(spentAt: SpentEarlier): void;
  /** What was said to be spent and did not fit. */
  overdrawn(): Overrun | undefined;
  /** So much was billed where the nodes spend, beyond what they had taken along. */
  bill(billed: Budget): void;
  /** Asks those above for so much that this fits the account of `path`, which keeps it. Tells whether it does. */
  widen(path: string, wanted: Cost): boolean;
  /** What of its grant nobody has spent, reserved or been lent. */
  ownOf(path: string): Budget;
  /** All accounts that are open, as JSON. */
  laid(): LaidBudget;
};
/** `billed`: as much of it as a vendor says; the rest is what authors say. */
export type Overrun = { readonly all: Budget; readonly billed: Budget };
/** A budget between two steps, to be taken up again elsewhere. The top first, no child before its parent. */
export type LaidBudget = {
  readonly accounts: readonly ({ readonly path: string; readonly self: Money; readonly subtree: Money } & LaidSums)[];
  readonly beyond: Amount;
  readonly billed: Amount;
};
/** `null` is unlimited. */
type LaidSums = { readonly [Sum in (typeof SUMS)[number] | 'cap']: LaidAmount };
type LaidAmount = { readonly [D in Dimension]: number | null };

type SpentEarlier = (path: string) => { usd: number; tokens: number; leaves: number };
const SUMS = ['granted', 'spent', 'reserved', 'lent', 'kept'] as const;
type Held = { account: Account; self: Money; subtree: Money };
const NANO = 1e9;
/** More than this nobody spends at once; it keeps all sums exact. */
const MOST: Amount = { usd: 1e6 * NANO, tokens: 1e12, leaves: 1e9 };
const NO_LIMITS: Budget = Object.freeze({});

export type RunBudgetOptions = {
  /** Some node may spend no more than so much, though the run may. */
  hasCaps?: boolean;
  /** The node whose grant it is; above it there is nothing to ask for. Default: the root. */
  top?: string;
  /** Goes on with these accounts. */
  laid?: LaidBudget | undefined;
  /** Nodes spend elsewhere what they were granted: it is taken as spent until they say. */
  isAway?: boolean;
};
export function createRunBudget(
  granted: Budget,
  emit: (event: RunEventBody) => void,
  { hasCaps = false, top = ROOT, laid, isAway = false }: RunBudgetOptions = {},
): RunBudget {
  const isLimited = hasCaps || DIMENSIONS.some((dimension) => granted[dimension] !== undefined);
  const whole = openBudget(amountOf(granted, Infinity));
  const root = heldOf(whole);
  const held = new Map<string, Held>([[top, root]]);
  const pathOf = new Map<Account, string>([[whole, top]]);
  let beyond: Amount = laid?.beyond ?? NOTHING;
  let billedBeyond: Amount = laid?.billed ?? NOTHING;
  let earlierAt: SpentEarlier | undefined;
  /** What a node may spend from now on. */
  const capOf = (path: string, budget: Budget | undefined): Amount | undefined => {
    if (!budget) return undefined;
    const cap = amountOf(budget, Infinity);
    if (!earlierAt) return cap;
    const left = minus(cap, amountOf(earlierAt(path), 0));
    return { usd: Math.max(0, left.usd), tokens: Math.max(0, left.tokens), leaves: Math.max(0, left.leaves) };
  };
  for (const { path, self, subtree, cap, ...sums } of laid?.accounts ?? []) {
    let above = parentOf(path);
    while (above !== '' && !held.has(above)) above = parentOf(above);
    const account = path === top ? whole : open(held.get(above)?.account ?? whole, NOTHING, amountIn(cap));
    for (const sum of SUMS) Object.assign(account[sum], amountIn(sums[sum]));
    held.set(path, { account, self, subtree });
    pathOf.set(account, path);
  }

  const hold = (path: string, account: Account): Held => {
    const one = heldOf(account);
    held.set(path, one);
    pathOf.set(account, path);
    return one;
  };
  /** Its account, or the nearest one above. Without limits it is opened when its node still works. */
  const accountAt = (path: string, isOver: boolean): Account => {
    const known = held.get(path);
    if (known || path === '') return (known ?? root).account;
    const above = accountAt(parentOf(path), isOver);
    return isLimited || isOver ? above : hold(path, open(above, NOTHING)).account;
  };
  const refused = (path: string, { dimension, asked, left }: Refusal, isOver = false): Fault => {
    const [wanted, rest] = [asked, left].map((amount) => inUnits(dimension, amount)) as [number, number];
    if (!isOver) emit({ type: 'budget.refused', path, dimension, asked: wanted, left: rest });
    const message = `asked for ${formatAmount(dimension, wanted)}, and ${formatAmount(dimension, rest)} of its budget is left`;
    return { status: 'budget', message };
  };
  /** `expense`: what was said; of tokens those that came in are booked first. */
  const book = ({ account, taken }: Settled, expense: Expense): void => {
    const inputTokens = Math.min(taken.tokens, wholeTokens(expense.inputTokens));
    const money: Money = { usd: taken.usd / NANO, inputTokens, outputTokens: taken.tokens - inputTokens };
    const path = pathOf.get(account) ?? top;
    const at = held.get(path);
    if (at) at.self = sum(at.self, money);
    for (let above = path; above !== ''; above = parentOf(above)) {
      const one = held.get(above);
      if (one) one.subtree = sum(one.subtree, money);
    }
  };
  /** What was not reserved, or, having been released meanwhile, does not fit any more. */
  const flag = (
    path: string,
    reserved: Amount,
    spent: Amount,
    { account, taken }: Settled,
    isBilled: boolean,
  ): void => {
    const limited = DIMENSIONS.filter((dimension) => account.granted[dimension] !== Infinity);
    const over =
      limited.find((dimension) => spent[dimension] > taken[dimension]) ??
      limited.find((dimension) => spent[dimension] > reserved[dimension]);
    if (over === undefined) return;
    const said = (amount: number): string => formatAmount(over, inUnits(over, amount));
    const rest = spent[over] > taken[over] ? `; ${said(spent[over] - taken[over])} of it did not fit its grant` : '';
    const message = `${path} settled ${said(spent[over])}, and had reserved ${said(reserved[over])}${rest}`;
    emit({ type: 'integrity.alert', path, kind: 'budget', message });
    beyond = plus(beyond, minus(spent, taken));
    if (isBilled) billedBeyond = plus(billedBeyond, minus(spent, taken));
  };

  /** What of the whole run's budget nobody has spent or reserved, once more was billed than was granted. */
  const leftBeyond = (dimension: Dimension): number =>
    billedBeyond[dimension] > 0
      ? Math.max(0, whole.granted[dimension] - committedIn(whole, dimension) - billedBeyond[dimension])
      : Infinity;
  /** The same for a node that takes its own along. */
  const leftAway = (account: Account, dimension: Dimension): number =>
    isAway && billedBeyond[dimension] > 0
      ? Math.max(0, whole.granted[dimension] - takenIn(whole, dimension, account) - billedBeyond[dimension])
      : Infinity;
  const freeAway = (account: Account, dimension: Dimension): number =>
    Math.min(freeOf(account, dimension), leftAway(account, dimension));
  const refusalBeyond = (wanted: Amount): Refusal | undefined => {
    for (const dimension of DIMENSIONS) {
      const asked = wanted[dimension];
      const left = asked > 0 ? leftBeyond(dimension) : Infinity;
      if (asked > left) return { dimension, asked, left };
    }
    return undefined;
  };

  return {
    isLimited,
    allot(path, children, later) {
      if (!isLimited) return;
      const parent = held.get(path)?.account;
      if (!parent) return;
      const claims = children.map((child) => claimFor(child, capOf(childPath(path, child.name), child.budget)));
      const owed = (dimension: Dimension): number => {
        const free = freeOf(parent, dimension);
        return free === Infinity ? 0 : free - freeAway(parent, dimension);
      };
      const debt = { usd: owed('usd'), tokens: owed('tokens'), leaves: owed('leaves') };
      for (const [i, account] of allotWithout(debt, parent, claims, later).entries()) {
        hold(childPath(path, children[i]?.name ?? ''), account);
      }
    },
    grantOf: (path) => (isLimited ? budgetOf(held.get(path)?.account.granted ?? NOTHING) : NO_LIMITS),
    takeLeaf(path, who) {
      if (!isLimited) return undefined;
      const refusal = takeLeaf(accountAt(path, true));
      return refusal && refused(who, refusal);
    },
    affordsHedge(path) {
      const account = isLimited ? held.get(path)?.account : undefined;
      return !account || hasAsMuchAgain(account);
    },
    spendingOf(path) {
      const mine = new Set<() => void>();
      let isOver = false;
      const reserveFor = (wanted: Amount) => {
        const answer = refusalBeyond(wanted) ?? reserve(accountAt(path, isOver), wanted);
        if ('state' in answer) return answer;
        throw errorOf(refused(path, answer, isOver));
      };
      return {
        left() {
          const account = accountAt(path, isOver);
          const { usd, tokens } = account.granted;
          return {
            ...(usd !== Infinity && { usd: Math.min(leftOf(account, 'usd'), leftBeyond('usd')) / NANO }),
            ...(tokens !== Infinity && { tokens: Math.min(leftOf(account, 'tokens'), leftBeyond('tokens')) }),
          };
        },
        reserve(cost): Reservation {
          const wanted = checked('reserve', cost);
          const reservation = reserveFor(wanted);
          const giveBack = (): void => {
            release(reservation);
            mine.delete(giveBack);
          };
          if (isOver) giveBack();
          else mine.add(giveBack);
          return {
            settle(expense) {
              const spent = checked('settle', expense);
              const settled = settle(reservation, spent);
              mine.delete(giveBack);
              if (!settled) return;
              book(settled, expense);
              flag(path, wanted, spent, settled, expense.isBilled === true);
            },
            release: giveBack,
          };
        },
        spend(expense) {
          const spent = checked('spend', expense);
          const settled = settle(reserveFor(spent), spent);
          if (settled) book(settled, expense);
        },
        end() {
          isOver = true;
          for (const giveBack of mine) giveBack();
        },
      };
    },
    spentAt(path) {
      const one = held.get(path);
      return one && (isSome(one.self) || isSome(one.subtree)) ? one : undefined;
    },
    close(path) {
      const one = held.get(path);
      if (!one) return;
      close(one.account);
      held.delete(path);
    },
    reuse(outcome) {
      const { path } = outcome;
      const { usd, inputTokens, outputTokens } = subtreeUsage(outcome);
      if (isSome({ usd, inputTokens, outputTokens })) accountAt(parentOf(path), false);
      for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
        const one = held.get(above);
        if (one) one.subtree = sum(one.subtree, { usd, inputTokens, outputTokens });
      }
      this.close(path);
    },
    chargeEarlier(spentAt) {
      if (!isLimited) return;
      earlierAt = spentAt;
      const amount = amountOf(spentAt(ROOT), 0);
      const settled = charge(whole, amount);
      if (settled) beyond = plus(beyond, minus(amount, settled.taken));
    },
    widen(path, wanted) {
      const [account, amount] = [accountAt(path, false), checked('reserve', wanted)];
      if (DIMENSIONS.some((dimension) => amount[dimension] > leftAway(account, dimension))) return false;
      const answer = reserve(account, amount);
      if (!('state' in answer)) return false;
      release(answer);
      return true;
    },
    ownOf(path) {
      const account = accountAt(path, false);
      const own = (dimension: Dimension): number => freeAway(account, dimension);
      return budgetOf({ usd: own('usd'), tokens: own('tokens'), leaves: own('leaves') });
    },
    laid: () => ({
      accounts: [...held].flatMap(([path, { account, self, subtree }]) => {
        if (!account.isOpen) return [];
        const sums = SUMS.map((sum) => [sum, sumsOf(account[sum])]);
        const cap = sumsOf(account.cap);
        return [{ path, self, subtree, ...(Object.fromEntries(sums) as Omit<LaidSums, 'cap'>), cap }];
      }),
      beyond,
      billed: billedBeyond,
    }),
    overdrawn() {
      const all = someOf(beyond);
      return Object.keys(all).length === 0 ? undefined : { all, billed: someOf(billedBeyond) };
    },
    bill(billed) {
      billedBeyond = plus(billedBeyond, amountOf(billed, 0));
    },
  };
}

const someOf = (amount: Amount): Budget =>
  Object.fromEntries(
    DIMENSIONS.flatMap((dimension) => {
      const some = amount[dimension];
      return some > 0 ? [[dimension, inUnits(dimension, some)]] : [];
    }),
  );

/** That of a leaf is taken from its parent's account. */
const claimFor = (child: ChildSpec, cap: Amount | undefined): Claimant =>
  child.role === 'leaf' ? { ...claimOf(child), leaves: 0 } : { ...claimOf(child), cap };

const amountIn = ({ usd, tokens, leaves }: LaidAmount): Amount => ({
  usd: usd ?? Infinity,
  tokens: tokens ?? Infinity,
  leaves: leaves ?? Infinity,
});
const sumsOf = (sums: Amount): LaidAmount => {
  const whole = (amount: number): number | null => (amount === Infinity ? null : amount);
  return { usd: whole(sums.usd), tokens: whole(sums.tokens), leaves: whole(sums.leaves) };
};

const NO_MONEY: Money = Object.freeze({ usd: 0, inputTokens: 0, outputTokens: 0 });
const heldOf = (account: Account): Held => ({ account, self: NO_MONEY, subtree: NO_MONEY });
const isSome = ({ usd, inputTokens, outputTokens }: Money): boolean => usd + inputTokens + outputTokens > 0;
const sum = (a: Money, b: Money): Money => ({
  usd: Math.round((a.usd + b.usd) * NANO) / NANO,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
});
const plus = (a: Amount, b: Amount): Amount => ({
  usd: a.usd + b.usd,
  tokens: a.tokens + b.tokens,
  leaves: a.leaves + b.leaves,
});
const minus = (a: Amount, b: Amount): Amount => ({
  usd: a.usd - b.usd,
  tokens: a.tokens - b.tokens,
  leaves: a.leaves - b.leaves,
});

const inUnits = (dimension: Dimension, amount: number): number => (dimension === 'usd' ? amount / NANO : amount);

const amountOf = ({ usd, tokens, leaves }: Budget, absent: number): Amount => ({
  usd: usd === undefined ? absent : Math.round(usd * NANO),
  tokens: tokens === undefined ? absent : Math.floor(tokens),
  leaves: leaves ?? absent,
});
const budgetOf = ({ usd, tokens, leaves }: Amount): Budget => ({
  ...(usd !== Infinity && { usd: usd / NANO }),
  ...(tokens !== Infinity && { tokens }),
  ...(leaves !== Infinity && { leaves }),
});

const wholeTokens = (tokens = 0): number => Math.min(MOST.tokens, Math.ceil(tokens));
/** @throws EspalierError `invalid-input` on what is no amount */
function checked(what: 'reserve' | 'settle' | 'spend', given: Cost & Expense): Amount {
  const { usd = 0, tokens = 0, inputTokens = 0, outputTokens = 0 } = given;
  for (const [name, value] of Object.entries({ usd, tokens, inputTokens, outputTokens })) {
    if (typeof value === 'number' && value >= 0) continue;
    const message = `${what} was given ${name}: ${String(value)}. Give a number of at least 0.`;
    throw new EspalierError('invalid-input', message);
  }
  const counted = what === 'reserve' ? wholeTokens(tokens) : wholeTokens(inputTokens) + wholeTokens(outputTokens);
  return { usd: Math.min(MOST.usd, usd > 0 ? Math.max(1, Math.round(usd * NANO)) : 0), tokens: counted, leaves: 0 };
}
