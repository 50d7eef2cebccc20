import { describe, expect, it } from 'vitest';
import { memoryPressure, MemoryWatch } from '../../src/runtime/memory-pressure.ts';
import { Pool } from '../../src/runtime/pool.ts';
import { slotChanges } from '../../src/runtime/slot-changes.ts';

const poolOf = (most: number, least = 1): Pool => new Pool('model', { most, least });
const LATER = 1_000_000;
const succeed = (pool: Pool, times: number, since = LATER): number => {
  for (let i = 0; i < times; i++) pool.succeeded(since);
  return pool.limit;
};

describe('pool 1 and 2: refused, it halves', () => {
  it('down to its least', () => {
    const pool = poolOf(10, 3);
    const limits = [1_000, 2_000, 3_000, 4_000].map((now) => (pool.refused(now, now), pool.limit));
    expect(limits).toEqual([5, 3, 3, 3]);
  });
  it('tells whether that changed anything', () => {
    const pool = poolOf(2);
    expect([pool.refused(0, 0), pool.refused(1_000, 1_000), pool.succeeded(LATER), pool.limit]).toEqual([
      true,
      false,
      false,
      1,
    ]);
  });
  it('once for all that had begun before', () => {
    const pool = poolOf(16);
    for (const now of [10, 11, 12, 5_000]) pool.refused(now, 0);
    expect(pool.limit).toBe(8);
  });
  it('once per cooldown; what is refused within takes its place away', () => {
    const pool = poolOf(16);
    pool.refused(100, 0);
    for (const now of [101, 200, 349]) pool.refused(now, 100);
    expect(pool.limit).toBe(5);
    pool.refused(350, 100);
    expect(pool.limit).toBe(2);
  });
});

describe('pool 3: asked to wait', () => {
  it('it opens when that is over, and an earlier end does not open it', () => {
    const pool = poolOf(4);
    pool.refused(0, 0, 700);
    pool.refused(10, 0, 100);
    expect(pool.opensAt).toBe(700);
    pool.refused(10, 0, 700); // also by one whose refusal halves nothing
    expect(pool.opensAt).toBe(710);
  });
});

describe('pool 4: it grows', () => {
  it('by one when as many as its limit have ended well, up to its most', () => {
    const pool = poolOf(8);
    pool.refused(1_000, 1_000);
    expect(pool.limit).toBe(4);
    expect([4, 5, 6].map((times) => succeed(pool, times))).toEqual([5, 6, 7]);
    expect(succeed(pool, 4 * 7 - 1)).toBe(7); // eight is where it was refused
    expect(succeed(pool, 1)).toBe(8); // after four times as many
    expect(succeed(pool, 100)).toBe(8);
  });
  it('the more often it was refused at a limit, the later it tries that again', () => {
    const pool = poolOf(2);
    const tries = [1_000, 2_000, 3_000, 4_000].map((now) => {
      pool.refused(now, now);
      let times = 1;
      while (!pool.succeeded(now)) times++;
      return times;
    });
    expect(tries).toEqual([4, 8, 16, 16]);
  });
});

describe('pool 5: after a storm', () => {
  const afterStorm = (): Pool => {
    const pool = poolOf(16);
    for (const now of [1_000, 2_000, 3_000, 4_000, 5_000]) pool.refused(now, now);
    expect(pool.limit).toBe(1);
    return pool;
  };
  it('it grows with each that ends well, up to half of where the storm began', () => {
    const pool = afterStorm();
    expect(succeed(pool, 7)).toBe(8);
    expect(succeed(pool, 7)).toBe(8);
    expect(succeed(pool, 1)).toBe(9);
  });
  it('which is not over by the end of what had begun before the last refusal', () => {
    const pool = afterStorm();
    expect(succeed(pool, 100, 4_999)).toBe(1);
    expect(succeed(pool, 1, 5_000)).toBe(2);
  });
  it('what ended well while it lasted does not count: a limit grows by what ends well after it', () => {
    const pool = poolOf(16);
    pool.refused(1_000, 1_000);
    expect(succeed(pool, 100, 999)).toBe(8);
    expect(succeed(pool, 7)).toBe(8);
    expect(succeed(pool, 1)).toBe(9);
  });
  it('a refusal says again how many are too many', () => {
    const pool = afterStorm();
    expect(succeed(pool, 3)).toBe(4);
    pool.refused(9_000, 9_000);
    expect(pool.limit).toBe(2);
    expect(succeed(pool, 2)).toBe(3);
    expect(succeed(pool, 4 * 3 - 1)).toBe(3); // four is where it was refused
    expect(succeed(pool, 1)).toBe(4);
  });
  it('what it has learnt goes on elsewhere', () => {
    const pool = new Pool('model', { most: 16, least: 1 }, JSON.parse(JSON.stringify(afterStorm().learnt)));
    expect(succeed(pool, 100, 4_999)).toBe(1);
    expect(succeed(pool, 7)).toBe(8);
  });
});

describe('memory', () => {
  it('leaves half above 0.85, one above 0.95, and grows back below 0.7, by a look every 250 ms', () => {
    const given = [0.5, 0.86, 0.86, 0.96, 0.8, 0.69, 0.7, 0.1, 0.1, 0.1];
    let looks = 0;
    const watch = new MemoryWatch(() => given[looks++] ?? 0, 4);
    const bounds = given.map((_, i) => {
      watch.look(i * 250);
      watch.look(i * 250 + 249);
      return watch.bound;
    });
    expect(bounds).toEqual([4, 2, 2, 1, 1, 2, 2, 3, 4, 4]);
    expect(looks).toBe(given.length);
  });
  it('of this process is a share', () => {
    const pressure = memoryPressure();
    expect(pressure).toBeGreaterThan(0);
    expect(pressure).toBeLessThan(1);
  });
});

describe('what is said of limits', () => {
  it('is the last of each pool, four times a second at most', () => {
    const said: string[] = [];
    const changes = slotChanges(({ pool, limit }) => said.push(`${pool} ${limit}`));
    for (const [i, pool] of ['a', 'a', 'b', 'a', 'b', 'c', 'b'].entries()) {
      changes.note({ pool, limit: i, why: 'recovered' }, i);
    }
    expect(said).toEqual(['a 0', 'a 1', 'b 2', 'a 3']);
    changes.flush(999);
    expect(said).toHaveLength(4);
    changes.flush(1_000);
    expect(said.slice(4)).toEqual(['c 5', 'b 6']);
  });
});
