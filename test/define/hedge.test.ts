import { describe, expect, it, test } from 'vitest';
import { limitsOf } from '../../src/define/define-scenario.ts';
import { hedgeAfter } from '../../src/define/hedge.ts';
import { EspalierError } from '../../src/errors.ts';

describe('limits.hedge', () => {
  it('is nothing unless asked for, and three times as long, one in twenty, unless said otherwise', () => {
    expect(limitsOf({})).not.toHaveProperty('hedge');
    expect(limitsOf({ hedge: false })).not.toHaveProperty('hedge');
    expect(limitsOf({ hedge: {} }).hedge).toEqual({ times: 3, extra: 0.05 });
    expect(limitsOf({ hedge: { after: '30s', extra: 1 } }).hedge).toEqual({ after: 30_000, extra: 1 });
  });
  it('once read is read as the same', () => {
    for (const hedge of [{ times: 2 }, { after: 50, extra: 0.5 }]) {
      const limits = limitsOf({ hedge });
      expect(limitsOf(limits as never).hedge).toEqual(limits.hedge);
    }
  });
  test.each<[unknown, string]>([
    [7, 'The limit hedge is 7. Give { times: 3 } or { after: "30s" }, maybe with extra, or false.'],
    [{ afte: 3 }, 'The limit hedge has "afte". Give after or times, and maybe extra.'],
    [{ after: {} }, 'The limit hedge.after is an object. Give a duration such as "30s".'],
    [{ after: '1s', times: 2 }, 'The limit hedge has both after and times. Give one of them.'],
    [{ times: 1 }, 'The limit hedge.times is 1. Give a number above 1: 3 is three times as long as expected.'],
    [{ extra: 0 }, 'The limit hedge.extra is 0. Give a share above 0, at most 1: 0.05 is one leaf in twenty.'],
    [{ extra: 2 }, 'The limit hedge.extra is 2. Give a share above 0, at most 1: 0.05 is one leaf in twenty.'],
  ])('%j is refused in a sentence', (hedge, message) => {
    expect(() => limitsOf({ hedge: hedge as never })).toThrow(new EspalierError('invalid-input', message));
  });
});

test('a multiple of what is expected is never less than 100 ms, and none of what nobody knows', () => {
  const hedge = { times: 3, extra: 1 };
  expect([5, 50, undefined].map((ms) => hedgeAfter(hedge, ms))).toEqual([100, 150, undefined]);
  expect(hedgeAfter({ after: 7, extra: 1 }, undefined)).toBe(7);
});
