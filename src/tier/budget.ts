/**
 * The budget: a tree of accounts over what a run may spend. Owns its sums and mutates them; no IO, no clock.
 * All amounts are whole: nano-dollars, tokens, leaves. So nothing is lost to rounding. `Infinity` is unlimited.
 *  1. At every instant, for every account: spent + reserved + lent ≤ granted.
 *  2. Nothing is created or lost: what an account is granted its parent has lent, and gets back what was not spent.
 *  3. A refusal changes nothing.
 *  4. Closing releases what is reserved in the whole subtree; closing twice is harmless, and so is settling twice.
 *  5. What its owner keeps for later, no child gets by asking for more than its share.
 *  6. No account is granted more than its cap, whatever its parent has.
 */
import type { ChildSpec, Decision } from '../protocol/decision.ts';

export const DIMENSIONS = ['usd', 'tokens', 'leaves'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
/** In nano-dollars, tokens and leaves. */
export type Amount = { readonly [D in Dimension]: number };
type Sums = { [D in Dimension]: number };

export const NOTHING: Amount = Object.freeze({ usd: 0, tokens: 0, leaves: 0 });
const zero = (): Sums => ({ usd: 0, tokens: 0, leaves: 0 });

export type Account = {
  readonly parent: Account | undefined;
  readonly granted: Sums;
  /** What it may be granted at most, however much it asks for. */
  readonly cap: Amount;
  /** By its owner, and by all children that are closed. */
  readonly spent: Sums;
  readonly reserved: Sums;
  /** What its open children have been granted. */
  readonly lent: Sums;
  /** What children may not ask for: it is for later. */
  readonly kept: Sums;
  readonly children: Set<Account>;
  readonly reservations: Set<Reservation>;
  isOpen: boolean;
};
export type Reservation = {
  readonly account: Account;
  readonly amount: Amount;
  state: 'open' | 'released' | 'settled';
};
export type Refusal = { readonly dimension: Dimension; readonly asked: number; readonly left: number };

const UNCAPPED: Amount = Object.freeze({ usd: Infinity, tokens: Infinity, leaves: Infinity });

const accountOf = (parent: Account | undefined, granted: Sums, cap = UNCAPPED): Account => ({
  parent,
  granted,
  cap,
  spent: zero(),
  reserved: zero(),
  lent: zero(),
  kept: zero(),
  children: new Set(),
  reservations: new Set(),
  isOpen: parent?.isOpen ?? true,
});

/** The account of a whole run. */
export const openBudget = (granted: Amount): Account => accountOf(undefined, { ...granted });

/** Grants a child its share, or as much of it as the parent has not kept, promised or spent; and never more than its cap. */
export function open(parent: Account, share: Amount, cap = UNCAPPED): Account {
  const granted = zero();
  for (const dimension of DIMENSIONS) {
    const isUnlimited = parent.granted[dimension] === Infinity;
    const most = isUnlimited ? Infinity : Math.min(share[dimension], lendable(parent, dimension));
    granted[dimension] = Math.min(most, cap[dimension]);
    if (!isUnlimited) parent.lent[dimension] += granted[dimension];
  }
  const account = accountOf(parent, granted, cap);
  parent.children.add(account);
  return account;
}

/** What of its grant nobody has spent, reserved or been lent. */
export const freeOf = ({ isOpen, granted, spent, reserved, lent }: Account, dimension: Dimension): number =>
  isOpen ? granted[dimension] - spent[dimension] - reserved[dimension] - lent[dimension] : 0;
const lendable = (account: Account, dimension: Dimension): number =>
  Math.max(0, freeOf(account, dimension) - account.kept[dimension]);
const onRequest = ({ isOpen, parent, granted, cap }: Account, dimension: Dimension): number =>
  isOpen && parent
    ? Math.min(lendable(parent, dimension) + onRequest(parent, dimension), roomFor(granted[dimension], cap[dimension]))
    : 0;
/** Without a cap there is no limit; and no difference of two infinities. */
const roomFor = (granted: number, cap: number): number => (cap === Infinity ? Infinity : cap - granted);

/** What it could reserve now: what is free of its grant, and what those above would give it on request. */
export const leftOf = (account: Account, dimension: Dimension): number =>
  freeOf(account, dimension) + onRequest(account, dimension);

/** What it could use of its grant for the stage at work, and on request: without what it keeps for later. */
const leftNow = (account: Account, dimension: Dimension): number =>
  lendable(account, dimension) + onRequest(account, dimension);

/** Asks those above for what its own grant lacks. There must be as much. */
function ask(account: Account, dimension: Dimension, lacking: number): void {
  const { parent } = account;
  if (lacking <= 0 || !parent) return;
  ask(parent, dimension, lacking - lendable(parent, dimension));
  parent.lent[dimension] += lacking;
  account.granted[dimension] += lacking;
}

/** Whether what has been spent and reserved here could be once more. */
export const hasAsMuchAgain = (account: Account): boolean =>
  DIMENSIONS.every((dimension) => account.spent[dimension] + account.reserved[dimension] <= leftOf(account, dimension));

/** What the account and all below it have spent or reserved. */
export function committedIn(account: Account, dimension: Dimension): number {
  let sum = account.spent[dimension] + account.reserved[dimension];
  for (const child of account.children) sum += committedIn(child, dimension);
  return sum;
}

/**
 * Where nodes spend elsewhere: what the account and all below it have spent, reserved, or taken along, which is all that is
 * free of those that lend nothing. Without what is free of `but`.
 */
export function takenIn(account: Account, dimension: Dimension, but: Account): number {
  const isAway = account.children.size === 0 && account !== but;
  let sum = account.spent[dimension] + account.reserved[dimension] + (isAway ? freeOf(account, dimension) : 0);
  for (const child of account.children) sum += takenIn(child, dimension, but);
  return sum;
}

/** All of it or nothing. */
export function reserve(account: Account, amount: Amount): Reservation | Refusal {
  const refusal = refusalOf(account, amount, leftOf);
  if (refusal) return refusal;
  for (const dimension of DIMENSIONS) {
    const asked = amount[dimension];
    if (asked === 0) continue;
    ask(account, dimension, asked - freeOf(account, dimension));
    account.reserved[dimension] += asked;
  }
  const reservation: Reservation = { account, amount, state: 'open' };
  account.reservations.add(reservation);
  return reservation;
}

function refusalOf(account: Account, amount: Amount, left: typeof leftOf): Refusal | undefined {
  for (const dimension of DIMENSIONS) {
    const asked = amount[dimension];
    if (asked > 0 && asked > left(account, dimension)) return { dimension, asked, left: left(account, dimension) };
  }
  return undefined;
}

export function release(reservation: Reservation): void {
  if (reservation.state !== 'open') return;
  reservation.state = 'released';
  const { account, amount } = reservation;
  account.reservations.delete(reservation);
  for (const dimension of DIMENSIONS) account.reserved[dimension] -= amount[dimension];
}

/** What was taken from which account; what did not fit is not in it. */
export type Settled = { readonly account: Account; readonly taken: Amount };

/**
 * Books what was really spent in place of what was reserved. What comes after the account's end is booked with the
 * nearest one above that is open: it was spent all the same. Nothing when there is none, or it was settled before.
 */
export function settle(reservation: Reservation, spent: Amount): Settled | undefined {
  if (reservation.state === 'settled') return undefined;
  release(reservation);
  reservation.state = 'settled';
  return charge(reservation.account, spent);
}

/** Books what was spent as far as there is anything left. */
export function charge(account: Account, spent: Amount): Settled | undefined {
  let at: Account | undefined = account;
  while (at && !at.isOpen) at = at.parent;
  if (!at) return undefined;
  const taken = zero();
  for (const dimension of DIMENSIONS) {
    taken[dimension] = Math.min(spent[dimension], leftOf(at, dimension));
    take(at, dimension, taken[dimension]);
  }
  return { account: at, taken };
}

function take(account: Account, dimension: Dimension, amount: number): void {
  if (amount === 0) return;
  ask(account, dimension, amount - freeOf(account, dimension));
  account.spent[dimension] += amount;
}

const ONE_LEAF: Amount = Object.freeze({ usd: 0, tokens: 0, leaves: 1 });

/** One leaf begins, or is refused. */
export function takeLeaf(account: Account): Refusal | undefined {
  const refusal = refusalOf(account, ONE_LEAF, leftNow);
  if (refusal) return refusal;
  // What is kept for later stays: what the rest lacks is asked for.
  ask(account, 'leaves', 1 - lendable(account, 'leaves'));
  account.spent.leaves += 1;
  return undefined;
}

/** Ends the account and all below it. Returns what goes back to the parent. */
export function close(account: Account): Amount {
  if (!account.isOpen) return NOTHING;
  for (const child of account.children) close(child);
  for (const reservation of account.reservations) release(reservation);
  const { parent, granted, spent } = account;
  const unused = zero();
  for (const dimension of DIMENSIONS) unused[dimension] = granted[dimension] - spent[dimension];
  account.isOpen = false;
  parent?.children.delete(account);
  for (const dimension of DIMENSIONS) {
    if (!parent) break;
    if (parent.granted[dimension] !== Infinity) parent.lent[dimension] -= granted[dimension];
    parent.spent[dimension] += spent[dimension];
  }
  return unused;
}

/** As `allot`, of what is left without `debt`: that is for nobody. */
export function allotWithout(
  debt: Amount,
  ...[account, children, later]: Parameters<typeof allot>
): ReturnType<typeof allot> {
  for (const dimension of DIMENSIONS) account.reserved[dimension] += debt[dimension];
  const accounts = allot(account, children, later);
  for (const dimension of DIMENSIONS) account.reserved[dimension] -= debt[dimension];
  return accounts;
}

/** What is not for the stage at work. */
export function laterIn({ stages, ownWeight = 0 }: Decision, stage: number): Claimant {
  const later = stages
    .slice(stage + 1)
    .flat()
    .map(claimOf);
  return {
    weight: later.reduce((sum, { weight }) => sum + weight, ownWeight),
    leaves: later.reduce((sum, { leaves }) => sum + leaves, 0),
  };
}
export const claimOf = ({ weight, leaves = 1 }: ChildSpec): Claimant => ({ weight: weight ?? leaves, leaves });

/**
 * A child as far as its share goes by it: `weight` of money and tokens, at most its `leaves` of the leaves; and its cap,
 * if it has one.
 */
export type Claimant = { readonly weight: number; readonly leaves: number; readonly cap?: Amount | undefined };

/**
 * Divides what is left by weight among the children of a stage, and keeps back what is for `later`: further stages, and
 * the account's owner. A share is rounded down; what remains goes to whoever asks first.
 */
export function allot(account: Account, children: readonly Claimant[], later: Claimant): Account[] {
  const total = children.reduce((sum, { weight }) => sum + weight, later.weight);
  account.kept.usd = account.kept.tokens = account.kept.leaves = 0;
  const left: Amount = {
    usd: freeOf(account, 'usd'),
    tokens: freeOf(account, 'tokens'),
    leaves: freeOf(account, 'leaves'),
  };
  const shareOf = ({ weight, leaves }: Claimant): Amount => {
    const of = (amount: number): number =>
      amount === Infinity ? Infinity : total > 0 ? Math.floor((amount * weight) / total) : 0;
    return { usd: of(left.usd), tokens: of(left.tokens), leaves: Math.min(of(left.leaves), leaves) };
  };
  const kept = shareOf(later);
  for (const dimension of DIMENSIONS) if (left[dimension] !== Infinity) account.kept[dimension] = kept[dimension];
  return children.map((child) => open(account, shareOf(child), child.cap));
}
