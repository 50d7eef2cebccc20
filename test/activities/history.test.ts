import { describe, expect, it } from 'vitest';
import { expectedWork, historyOf, reserveFor, type Measured } from '../../src/activities/history.ts';
import type { Duration } from '../../src/ports/store.ts';
import { DETERMINISTIC_RESERVE_MS, SYNTHESIZER_RESERVE_MS } from '../../src/tier/grant.ts';

const took = (path: string, ...ms: number[]): Duration[] =>
  ms.map((one, i) => ({ scenario: 's', path, ms: one, at: 1_000 - i }));
const measured = (...ms: number[]): Measured | undefined => historyOf(took('root/a', ...ms)).get('root/a');

describe('what is remembered of a path', () => {
  it.each([
    { ms: [70], medianMs: 70, greatestMs: 70, times: 1 },
    { ms: [70, 10], medianMs: 40, greatestMs: 70, times: 2 },
    { ms: [70, 900, 10], medianMs: 70, greatestMs: 900, times: 3 },
    { ms: [0, 0], medianMs: 0, greatestMs: 0, times: 2 },
  ])('of $ms', ({ ms, ...expected }) => {
    expect(measured(...ms)).toEqual(expected);
  });
  it('is the latest ten, however many a store gives', () => {
    const tenLatest = Array.from({ length: 10 }, () => 5);
    expect(measured(...tenLatest, 9_000, 9_000, 9_000)).toEqual({ medianMs: 5, greatestMs: 5, times: 10 });
  });
  it('is kept apart from other paths, also when a store mixes them', () => {
    const mixed = [...took('root/a', 1), ...took('root/b', 100), ...took('root/a', 3), ...took('root/b', 300)];
    expect([...historyOf(mixed)].map(([path, { medianMs }]) => [path, medianMs])).toEqual([
      ['root/a', 2],
      ['root/b', 200],
    ]);
  });
  it('is nothing that a clock which was set back has measured', () => {
    expect(measured(-5, Number.NaN, Infinity)).toBeUndefined();
    expect(measured(-5, 20)).toEqual({ medianMs: 20, greatestMs: 20, times: 1 });
  });
});

describe('history 1: two measurements outweigh the author', () => {
  it.each([
    { ms: [], estimate: undefined, expected: undefined },
    { ms: [], estimate: 500, expected: { ms: 500, from: 'author' } },
    { ms: [70], estimate: undefined, expected: { ms: 70, from: 'runs' } },
    { ms: [70], estimate: 500, expected: { ms: 500, from: 'author' } },
    { ms: [70, 90], estimate: 500, expected: { ms: 80, from: 'runs' } },
    { ms: [0, 0], estimate: 500, expected: { ms: 1, from: 'runs' } },
  ])('measured $ms, estimated $estimate', ({ ms, estimate, expected }) => {
    expect(expectedWork(measured(...ms), estimate)).toEqual(expected);
  });
});

describe('history 2: a reserve holds the longest synthesis and half as much again', () => {
  it.each([
    // asked: a synthesizer of the author's own
    { isAsked: true, ms: [], reserve: SYNTHESIZER_RESERVE_MS },
    { isAsked: true, ms: [400], reserve: SYNTHESIZER_RESERVE_MS },
    { isAsked: true, ms: [30_000], reserve: 45_000 },
    { isAsked: true, ms: [400, 300], reserve: 1_000 },
    { isAsked: true, ms: [2_000, 4_000, 3_000], reserve: 6_000 },
    { isAsked: false, ms: [], reserve: DETERMINISTIC_RESERVE_MS },
    { isAsked: false, ms: [0, 1], reserve: DETERMINISTIC_RESERVE_MS },
    { isAsked: false, ms: [2_000], reserve: 3_000 },
    { isAsked: false, ms: [2_000, 10], reserve: 3_000 },
  ])('asked: $isAsked, measured $ms', ({ isAsked, ms, reserve }) => {
    expect(reserveFor(isAsked, measured(...ms))).toBe(reserve);
  });
});
