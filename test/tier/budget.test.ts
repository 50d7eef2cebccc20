import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allot,
  charge,
  close,
  DIMENSIONS,
  freeOf,
  leftOf,
  NOTHING,
  open,
  openBudget,
  release,
  reserve,
  settle,
  takeLeaf,
  type Account,
  type Amount,
  type Reservation,
} from '../../src/tier/budget.ts';
import { count, figure } from '../support/figures.ts';

const usd = (amount: number): Amount => ({ ...NOTHING, usd: amount });
const leaves = (amount: number): Amount => ({ ...NOTHING, leaves: amount });
const ALL = { usd: 100, tokens: 100, leaves: 100 };
const reserved = (account: Account, amount: Amount): Reservation => {
  const answer = reserve(account, amount);
  if ('dimension' in answer) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer;
};

describe('an account', () => {
  it('spends what was reserved, and gets the rest of the reservation back', () => {
    const root = openBudget(ALL);
    const reservation = reserved(root, usd(60));
    expect(reserve(root, usd(41))).toEqual({ dimension: 'usd', asked: 41, left: 40 });
    expect(settle(reservation, usd(25))).toMatchObject({ taken: { usd: 25 } });
    expect(settle(reservation, usd(25))).toBeUndefined(); // 4
    expect(leftOf(root, 'usd')).toBe(75);
    expect(reserve(root, usd(75))).toMatchObject({ state: 'open' });
  });

  it('refuses all of a reservation when one dimension does not fit, and nothing is changed (3)', () => {
    const root = openBudget(ALL);
    expect(reserve(root, { usd: 10, tokens: 101, leaves: 0 })).toMatchObject({ dimension: 'tokens', left: 100 });
    expect(leftOf(root, 'usd')).toBe(100);
  });

  it('is not limited where nothing was granted', () => {
    const root = openBudget({ usd: Infinity, tokens: 5, leaves: Infinity });
    const child = open(root, { usd: 1, tokens: 5, leaves: 1 });
    expect(reserve(child, { usd: 1e12, tokens: 0, leaves: 0 })).toMatchObject({ state: 'open' });
    expect(close(child)).toMatchObject({ usd: Infinity, tokens: 5 });
    expect(leftOf(root, 'usd')).toBe(Infinity);
    expect(leftOf(root, 'tokens')).toBe(5);
  });

  it('gives its parent back what it has not spent, once (4)', () => {
    const root = openBudget(ALL);
    const child = open(root, usd(50));
    const below = open(child, usd(20));
    reserved(below, usd(5));
    settle(reserved(below, usd(5)), usd(3));
    expect(leftOf(root, 'usd')).toBe(50);
    expect(close(child).usd).toBe(47);
    expect(close(child)).toEqual(NOTHING);
    expect(close(below)).toEqual(NOTHING);
    expect(leftOf(root, 'usd')).toBe(97);
    expect(reserve(below, usd(1))).toMatchObject({ left: 0 });
  });

  it('gets more than its share of what nobody has been promised, first come first served', () => {
    const root = openBudget(ALL);
    const [a, b] = allot(
      root,
      [
        { weight: 1, leaves: 1 },
        { weight: 1, leaves: 1 },
      ],
      { weight: 2, leaves: 2 },
    ) as [Account, Account];
    expect([freeOf(a, 'usd'), freeOf(b, 'usd'), root.kept.usd]).toEqual([25, 25, 50]);
    expect(reserve(a, usd(26))).toMatchObject({ left: 25 }); // 5
    close(b);
    reserved(a, usd(50));
    expect(leftOf(a, 'usd')).toBe(0);
    expect(leftOf(root, 'usd')).toBe(50);
    close(a);
    const [later] = allot(root, [{ weight: 1, leaves: 1 }], { weight: 0, leaves: 0 }) as [Account];
    expect(freeOf(later, 'usd')).toBe(100);
  });

  it('asks from above through every tier', () => {
    const root = openBudget(ALL);
    const leaf = open(open(root, usd(10)), usd(10));
    settle(reserved(leaf, usd(90)), usd(80));
    expect(leaf.parent?.granted.usd).toBe(90);
    expect(leftOf(root, 'usd')).toBe(10);
  });

  it('never gets more than its cap, whatever is left above (6)', () => {
    const root = openBudget(ALL);
    const child = open(root, usd(50), { ...ALL, usd: 30 });
    const leaf = open(child, usd(10));
    expect([freeOf(child, 'usd'), leftOf(leaf, 'usd'), leftOf(root, 'usd')]).toEqual([20, 30, 70]);
    expect(reserve(leaf, usd(31))).toMatchObject({ left: 30 });
    expect(settle(reserved(leaf, usd(30)), usd(500))?.taken.usd).toBe(30);
    expect(reserve(child, usd(1))).toMatchObject({ left: 0 });
    expect(close(child).usd).toBe(0);
    expect(leftOf(root, 'usd')).toBe(70);
  });

  it('may have a cap where its parent has no limit', () => {
    const root = openBudget({ usd: Infinity, tokens: Infinity, leaves: Infinity });
    const child = open(root, usd(Infinity), { usd: 30, tokens: Infinity, leaves: 1 });
    expect(reserve(child, usd(31))).toMatchObject({ left: 30 });
    settle(reserved(child, usd(30)), usd(20));
    expect([takeLeaf(child), takeLeaf(child)?.left, leftOf(child, 'tokens')]).toEqual([undefined, 0, Infinity]);
    expect(close(child)).toMatchObject({ usd: 10, leaves: 0 });
    expect([root.spent.usd, root.lent.usd, leftOf(root, 'usd')]).toEqual([20, 0, Infinity]);
  });

  it('takes leaves one by one, and leaves those of later stages', () => {
    const root = openBudget({ ...ALL, leaves: 4 });
    allot(
      root,
      [
        { weight: 2, leaves: 0 },
        { weight: 2, leaves: 0 },
      ],
      { weight: 4, leaves: 4 },
    );
    expect([takeLeaf(root), takeLeaf(root), takeLeaf(root)]).toEqual([
      undefined,
      undefined,
      { dimension: 'leaves', asked: 1, left: 0 },
    ]);
    allot(root, [{ weight: 4, leaves: 0 }], { weight: 0, leaves: 0 });
    expect([takeLeaf(root), takeLeaf(root), takeLeaf(root)?.left]).toEqual([undefined, undefined, 0]);
  });

  it('rounds shares down, and gives the rest to who asks', () => {
    const root = openBudget(leaves(5));
    const children = allot(
      root,
      Array.from({ length: 10 }, () => ({ weight: 1, leaves: 1 })),
      { weight: 0, leaves: 0 },
    );
    expect(children.map((child) => takeLeaf(child) === undefined).filter(Boolean)).toHaveLength(5);
  });

  it('books what is settled too late with the nearest account that is open', () => {
    const root = openBudget(ALL);
    const child = open(root, usd(50));
    const reservation = reserved(child, usd(50));
    close(child);
    const settled = settle(reservation, usd(30));
    expect(settled).toMatchObject({ taken: { usd: 30 } });
    expect(settled?.account).toBe(root);
    expect(leftOf(root, 'usd')).toBe(70);
  });

  it('is cut off at what there is', () => {
    const root = openBudget(ALL);
    const other = open(root, usd(40));
    expect(settle(reserved(root, usd(10)), usd(1_000))?.taken.usd).toBe(60);
    expect(leftOf(root, 'usd')).toBe(0);
    expect(leftOf(other, 'usd')).toBe(40);
  });
});

/** An `expect` for each of these takes a minute. */
const must = (isTrue: boolean, otherwise: string): void => {
  if (!isTrue) throw new Error(otherwise);
};
const openUnder = (account: Account): Account[] => [account, ...[...account.children].flatMap(openUnder)];
const within = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most });
const amounts: fc.Arbitrary<Amount> = fc.record({ usd: within(300), tokens: within(300), leaves: within(4) });
const KINDS = [
  'open',
  'allot',
  'reserve',
  'reserve',
  'settle',
  'settle',
  'release',
  'charge',
  'leaf',
  'close',
] as const;
const operations = fc.record({ kind: fc.constantFrom(...KINDS), at: fc.nat(), amount: amounts });
type Operation = { kind: (typeof KINDS)[number]; at: number; amount: Amount };

/** Every other account has a cap, in some dimensions. */
const capOf = (at: number): Amount | undefined =>
  at % 2 === 0
    ? undefined
    : {
        usd: at % 3 === 0 ? Infinity : at % 200,
        tokens: at % 5 === 0 ? Infinity : at % 170,
        leaves: at % 7 === 0 ? Infinity : at % 4,
      };

/** Performs the operations; after each one everything is counted anew. */
function expectKept(granted: Amount, drawn: readonly Operation[]): number {
  const root = openBudget(granted);
  const accounts = [root];
  const reservations: Reservation[] = [];
  const spent = { usd: 0, tokens: 0, leaves: 0 };
  for (const { kind, at, amount } of drawn) {
    const account = accounts[at % accounts.length] ?? root;
    const reservation = reservations[at % (reservations.length || 1)];
    const before = leftOf(account, 'usd');
    const wasOpen = account.isOpen;
    const cap = capOf(at);
    if (kind === 'open') accounts.push(open(account, amount, cap));
    if (kind === 'allot' && account.isOpen) {
      const claims = [amount.usd % 4, amount.tokens % 4].map((weight) => ({ weight, leaves: amount.leaves, cap }));
      accounts.push(...allot(account, claims, { weight: amount.leaves, leaves: amount.leaves }));
    }
    if (kind === 'reserve') {
      const answer = reserve(account, amount);
      if ('state' in answer) reservations.push(answer);
      else must(leftOf(account, 'usd') === before, '3: a refusal changed something');
    }
    const settled = kind === 'settle' && reservation ? settle(reservation, amount) : undefined;
    const charged = kind === 'charge' ? charge(account, amount) : undefined;
    for (const one of DIMENSIONS) spent[one] += (settled ?? charged)?.taken[one] ?? 0;
    if (kind === 'release' && reservation) release(reservation);
    if (kind === 'leaf' && !takeLeaf(account)) spent.leaves++;
    if (kind === 'close' && account !== root) close(account);
    must(kind !== 'close' || wasOpen || leftOf(account, 'usd') === before, '4: closed twice');

    const all = openUnder(root);
    for (const one of DIMENSIONS) {
      const sum = (of: 'spent' | 'reserved'): number => all.reduce((total, each) => total + each[of][one], 0);
      must(sum('spent') === spent[one], `2: ${one} was forgotten or made up`);
      must(sum('spent') + sum('reserved') <= granted[one], `1: more ${one} than granted`);
      for (const each of all) {
        must(freeOf(each, one) >= 0, `1: an account is short of ${one}`);
        must(each.granted[one] <= each.cap[one], `6: an account was granted more ${one} than its cap`);
        must(each.spent[one] + each.reserved[one] <= each.granted[one], `1: an account spent more ${one} than granted`);
        must(leftOf(each, one) >= 0, `1: less than nothing is left of ${one}`);
        const lent = [...each.children].reduce((total, child) => total + child.granted[one], 0);
        must(each.granted[one] === Infinity || each.lent[one] === lent, `2: ${one} was lent to nobody`);
      }
    }
  }
  close(root);
  for (const one of DIMENSIONS) {
    expect(root.spent[one]).toBe(spent[one]);
    expect(root.lent[one]).toBe(0);
    expect(root.reserved[one]).toBe(0);
  }
  return drawn.length;
}

describe('any operations in any order', () => {
  it('never spend more than was granted, and lose nothing', () => {
    const grants = fc.record({
      usd: fc.oneof(within(1_000), fc.constant(Infinity)),
      tokens: fc.oneof(within(1_000), fc.constant(Infinity)),
      leaves: fc.oneof(within(20), fc.constant(Infinity)),
    });
    let performed = 0;
    fc.assert(
      fc.property(grants, fc.array(operations, { minLength: 60, maxLength: 120 }), (granted, drawn) => {
        performed += expectKept(granted, drawn);
      }),
      { seed: Number(process.env['FC_SEED'] ?? 9), numRuns: Math.max(1_200, Number(process.env['FC_RUNS'] ?? 0)) },
    );
    expect(performed).toBeGreaterThan(100_000);
    figure(
      `Accounts: ${count(performed)} operations with shares and caps, spent + reserved + lent ≤ granted after each`,
    );
  }, 60_000);
});
