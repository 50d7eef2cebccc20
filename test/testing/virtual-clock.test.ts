import { describe, expect, it } from 'vitest';
import { SimulatedClock } from 'xstate';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

describe('time', () => {
  it('stands still until somebody lets it pass', async () => {
    const clock = new VirtualClock(1_000);
    let hasFired = false;
    clock.setTimeout(() => (hasFired = true), 5);
    await Promise.resolve();
    expect([clock.now(), hasFired, clock.pending]).toEqual([1_000, false, 1]);
    await clock.advance(4);
    expect([clock.now(), hasFired]).toEqual([1_004, false]);
    await clock.advance(1);
    expect([clock.now(), hasFired, clock.pending]).toEqual([1_005, true, 0]);
  });

  it('is, in a timer, the time at which that timer fell due', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    clock.setTimeout(() => {
      seen.push(clock.now());
      clock.setTimeout(() => seen.push(clock.now()), 1_000);
    }, 1_000);
    await clock.advance(480_000);
    expect(seen).toEqual([1_000, 2_000]);
    expect(clock.now()).toBe(480_000);
  });

  it('is not what XState’s SimulatedClock tells: its nested timers see the end of the jump', () => {
    const clock = new SimulatedClock();
    const seen: number[] = [];
    clock.setTimeout(() => {
      seen.push(clock.now());
      clock.setTimeout(() => seen.push(clock.now()), 1_000);
    }, 1_000);
    clock.increment(480_000);
    expect(seen).toEqual([480_000]);
  });
});

describe('timers', () => {
  it('fire by due time, those of one instant in the order in which they were set', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    for (const [name, ms] of [
      ['b', 2],
      ['c', 2],
      ['a', 1],
      ['d', 3],
    ] as const)
      clock.setTimeout(() => fired.push(name), ms);
    await clock.advance(10);
    expect(fired).toEqual(['a', 'b', 'c', 'd']);
  });

  it('of one instant fire before the promises they settle are heard, as in Node', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    for (const name of ['first', 'second']) void clock.sleep(5).then(() => order.push(`${name} heard`));
    clock.setTimeout(() => order.push('third fired'), 5);
    await clock.advance(5);
    expect(order).toEqual(['third fired', 'first heard', 'second heard']);
  });

  it('that are set for the present instant fire after it, so that no loop of them blocks', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimeout(() => {
      clock.setTimeout(() => order.push('nested'), 0);
      void Promise.resolve().then(() => order.push('heard'));
    }, 0);
    clock.setTimeout(() => order.push('sibling'), 0);
    await clock.advance(0);
    expect(order).toEqual(['sibling', 'heard', 'nested']);
  });

  it('that are cleared do not fire, though another of the same instant clears them', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimeout(() => clock.clearTimeout(later), 5);
    const later = clock.setTimeout(() => fired.push('later'), 5);
    await clock.advance(5);
    expect(fired).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('may be cleared twice, after they fired, or without ever having been set', async () => {
    const clock = new VirtualClock();
    const timer = clock.setTimeout(() => {}, 1);
    await clock.advance(1);
    clock.clearTimeout(timer);
    clock.clearTimeout(timer);
    clock.clearTimeout(undefined);
    expect(clock.pending).toBe(0);
  });

  it('of a negative delay fall due now', async () => {
    const clock = new VirtualClock(50);
    let at = 0;
    clock.setTimeout(() => (at = clock.now()), -100);
    await clock.advance(0);
    expect(at).toBe(50);
  });

  it.each([10, 1_000])('%i of them in random order fire in order', async (count) => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    for (let i = 0; i < count; i++) clock.setTimeout(() => fired.push(clock.now()), (i * 7_919) % 1_009);
    await clock.advance(2_000);
    expect(fired).toHaveLength(count);
    expect(fired).toEqual(fired.toSorted((a, b) => a - b));
  });
});

describe('run', () => {
  it('passes time until the promise settles, and no further', async () => {
    const clock = new VirtualClock();
    clock.setTimeout(() => {}, 1_000_000);
    expect(await clock.run(clock.sleep(480_000).then(() => 'done'))).toBe('done');
    expect([clock.now(), clock.pending]).toEqual([480_000, 1]);
  });

  it('rejects as the promise does', async () => {
    const clock = new VirtualClock();
    const failing = clock.sleep(5).then(() => Promise.reject(new Error('boom')));
    await expect(clock.run(failing)).rejects.toThrow('boom');
  });

  it('says so when nothing can settle it any more', async () => {
    const clock = new VirtualClock();
    await clock.advance(7);
    await expect(clock.run(new Promise(() => {}))).rejects.toThrow('Nothing is scheduled at 7 ms');
  });

  it('passes on what a timer throws', async () => {
    const clock = new VirtualClock();
    clock.setTimeout(() => {
      throw new Error('boom');
    }, 1);
    await expect(clock.run(clock.sleep(5))).rejects.toThrow('boom');
  });
});

describe('sleep', () => {
  it('ends early when its signal aborts, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(1_000, controller.signal);
    clock.setTimeout(() => controller.abort(new Error('enough')), 10);
    await expect(clock.run(sleeping)).rejects.toThrow('enough');
    expect([clock.now(), clock.pending]).toEqual([10, 0]);
  });

  it('does not begin when its signal has aborted', async () => {
    const clock = new VirtualClock();
    await expect(clock.sleep(1_000, AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    expect(clock.pending).toBe(0);
  });

  it('lets go of its signal when it is over', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    await clock.run(clock.sleep(5, controller.signal));
    controller.abort();
    expect(clock.pending).toBe(0);
  });
});
