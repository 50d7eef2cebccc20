/** Overcommitted budgets, by dimension and depth. */
import { expect, test } from 'vitest';
import { check } from '../../src/check/check.ts';
import type { Budget } from '../../src/protocol/grant.ts';
import { domain, many, scenario } from './planted.ts';

const pair = (a: Budget, b: Budget) => [domain('a', many(2), { budget: a }), domain('b', many(2), { budget: b })];
const overcommitted = (budget: Budget | undefined, d: Budget | undefined, a: Budget, b: Budget) =>
  check(
    scenario([domain('d', pair(a, b), d && { budget: d }), domain('e', many(2))], {
      limits: budget ? { budget } : {},
    }),
  )
    .filter(({ rule }) => rule === 'overcommitted-budget')
    .map(({ path, message }) => `${path}: ${message.slice(0, message.indexOf('. '))}`);

test.each<[string, Budget | undefined, Budget | undefined, Budget, Budget, string[]]>([
  [
    'of a domain',
    undefined,
    { usd: 1 },
    { usd: 0.7 },
    { usd: 0.7 },
    ['root/d: Its children "a" and "b" may spend $1.4 together, and it may spend $1'],
  ],
  [
    'of what those above may spend',
    { tokens: 10 },
    undefined,
    { tokens: 6 },
    { tokens: 6 },
    ['root/d: Its children "a" and "b" may spend 12 tokens together, and it may spend 10 tokens'],
  ],
  [
    'of one child alone',
    { leaves: 3 },
    undefined,
    { leaves: 4 },
    {},
    ['root/d: Its children "a" may spend 4 leaves together, and it may spend 3 leaves'],
  ],
  ['nowhere, where nothing is limited', undefined, undefined, { usd: 9 }, { usd: 9 }, []],
  ['nowhere, to the last cent', { usd: 0.3 }, undefined, { usd: 0.1 }, { usd: 0.2 }, []],
  ['nowhere, in dimensions apart', { usd: 1, tokens: 10 }, undefined, { usd: 1 }, { tokens: 10 }, []],
])('%s', (_, budget, d, a, b, says) => expect(overcommitted(budget, d, a, b)).toEqual(says));

test('a budget that the run is given counts', () => {
  const it = scenario(pair({ usd: 1 }, { usd: 1 }));
  expect(check(it, { budget: { usd: 1 } }).map(({ rule }) => rule)).toEqual(['overcommitted-budget']);
  expect(check(it)).toEqual([]);
});
