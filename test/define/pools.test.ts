import { describe, expect, it, test } from 'vitest';
import { limitsOf } from '../../src/define/define-scenario.ts';
import { poolsOfLeaf } from '../../src/define/pools.ts';
import { EspalierError } from '../../src/errors.ts';

describe('limits.pools', () => {
  it('are numbers or bounds; build has two when nothing is said', () => {
    expect(limitsOf({}).pools).toEqual({ build: { most: 2, least: 1 } });
    expect(limitsOf({ pools: { build: 1, 'model:deep': { most: 5, least: 2 }, x: { most: 3 } } }).pools).toEqual({
      build: { most: 1, least: 1 },
      'model:deep': { most: 5, least: 2 },
      x: { most: 3, least: 1 },
    });
  });
  it('once read are read as the same', () => {
    const limits = limitsOf({ pools: { x: { most: 3, least: 2 } } });
    expect(limitsOf({ pools: limits.pools })).toEqual(limits);
  });
  const COUNT = 'Give a whole number of at least 1.';
  test.each<[unknown, string]>([
    [7, 'The limit pools is 7. Give an object such as { "model:deep": 3 }.'],
    [{ x: 0 }, `The limit pools["x"] is 0. ${COUNT}`],
    [{ x: 1.5 }, `The limit pools["x"] is 1.5. ${COUNT}`],
    [{ x: 'two' }, 'The limit pools["x"] is the text "two". Give a whole number, or { most, least }.'],
    [{ x: {} }, `The limit pools["x"].most is undefined. ${COUNT}`],
    [{ x: { most: 2, least: 0 } }, `The limit pools["x"].least is 0. ${COUNT}`],
    [{ x: { most: 2, least: 3 } }, 'The limit pools["x"] has least: 3, which is more than most: 2. Lower it.'],
    [{ total: 3 }, 'The limit pools has the name "total". Set limits.concurrency instead.'],
    [{ 'a b': 3 }, 'The limit pools has the name "a b". Use letters, digits, "_", ".", ":", "/" or "-".'],
  ])('%j is refused in a sentence', (pools, message) => {
    expect(() => limitsOf({ pools: pools as never })).toThrow(new EspalierError('invalid-input', message));
  });
});

test('a leaf is in the pool of its kind of work only where there is one', () => {
  const { pools } = limitsOf({ pools: { 'work:rules': 3, deep: 1 } });
  expect(poolsOfLeaf({ work: 'rules', pools: ['deep'] }, pools)).toEqual(['work:rules', 'deep']);
  expect(poolsOfLeaf({ work: 'authoring', pools: ['deep'] }, pools)).toEqual(['deep']);
  expect(poolsOfLeaf({ work: 'rules' }, pools)).toEqual(['work:rules']);
  expect(poolsOfLeaf({}, pools)).toEqual([]);
});
