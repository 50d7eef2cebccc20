import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slot, SlotRequest } from '../../src/ports/slots.ts';
import type { Fault } from '../../src/protocol/fault.ts';
import type { SlotsChange } from '../../src/runtime/slot-changes.ts';
import { createSlots, type SlotsOptions } from '../../src/runtime/slots.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const LEASE = 1_000;
type Asked = Partial<Pick<SlotRequest, 'pools' | 'estimateMs' | 'isBesideTotal'>>;

/** Slots with a record of who was granted and revoked, and when. */
function slotsOf(cap: number, caps: Record<string, number> = {}, options: SlotsOptions = {}) {
  const clock = new VirtualClock();
  const pools = Object.fromEntries(Object.entries(caps).map(([name, most]) => [name, { most, least: 1 }]));
  const log: string[] = [];
  const changes: SlotsChange[] = [];
  const slots = createSlots(clock, cap, LEASE, { pools, onChange: (change) => changes.push(change), ...options });
  const held = new Map<string, { slot: Slot; asked: Asked }>();
  const waiting = new Map<string, { slot: Slot; asked: Asked }>();
  return {
    clock,
    log,
    changes,
    held,
    waiting,
    ask(who: string, pools: readonly string[] = [], asked: Asked = {}): void {
      const slot = slots.request({
        estimateMs: 0,
        ...asked,
        pools,
        granted() {
          waiting.delete(who);
          held.set(who, { slot, asked: { ...asked, pools } });
          log.push(`${who} at ${clock.now()}`);
        },
        revoked() {
          held.delete(who);
          log.push(`${who} revoked at ${clock.now()}`);
        },
      });
      waiting.set(who, { slot, asked: { ...asked, pools } });
    },
    end(who: string, ended?: 'well' | Fault): void {
      held.get(who)?.slot.release(ended);
      held.delete(who);
    },
    withdraw(who: string): void {
      waiting.get(who)?.slot.release();
      waiting.delete(who);
    },
    usedIn: (pool: string): number => [...held.values()].filter(({ asked }) => asked.pools?.includes(pool)).length,
    hear: slots.hear,
    settle: () => clock.advance(0),
    /** Who was granted, without when. */
    granted: (): string => log.map((line) => line.split(' ')[0]).join(' '),
  };
}
const REFUSED: Fault = { status: 'error', message: 'slow down', diagnosis: 'rate-limited' };

describe('slots 1 and 4: no pool is ever above its cap, and nobody holds one pool while waiting for another', () => {
  const CAPS = { a: 1, b: 2, c: 3 };
  const sets = fc.subarray(['a', 'b', 'c', 'source:x']);
  const step = fc.record({
    do: fc.constantFrom('ask', 'ask', 'ask', 'well', 'refused', 'withdraw', 'wait'),
    n: fc.nat(1_500),
    pools: sets,
  });
  it('whatever is asked, given back, refused and waited for; none is left idle, and no timer in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (steps, cap) => {
        const slots = slotsOf(cap, CAPS);
        const { held, waiting, usedIn } = slots;
        const leaves = () => [...held.values()].filter(({ asked }) => !asked.isBesideTotal).length;
        const check = (): void => {
          expect(leaves()).toBeLessThanOrEqual(cap);
          for (const [pool, most] of Object.entries({ ...CAPS, 'source:x': 4 })) {
            expect(usedIn(pool)).toBeLessThanOrEqual(most);
          }
        };
        let hasLearnt = false;
        for (const [i, { do: act, n, pools }] of steps.entries()) {
          const among = [...(act === 'withdraw' ? waiting : held).keys()];
          const who = among[n % Math.max(1, among.length)] ?? '';
          const isBesideTotal = pools.includes('source:x');
          if (act === 'ask') {
            const own = isBesideTotal ? ['source:x'] : pools;
            slots.ask(`n${i}`, own, { estimateMs: n % 7, ...(isBesideTotal && { isBesideTotal }) });
          } else if (act === 'wait') await slots.clock.advance(n);
          else if (act === 'withdraw') slots.withdraw(who);
          else if (act === 'refused' && n % 3 === 0) {
            hasLearnt = true;
            slots.end(who, { ...REFUSED, ...(n % 2 === 0 && { retryAfterMs: n }) });
          } else slots.end(who, 'well');
          check();
          if (n % 2 === 0) continue; // several in one turn
          await slots.settle();
          check();
          if (hasLearnt) continue; // what may be granted then is the pools' secret
          for (const { asked } of waiting.values()) {
            const full = Object.entries(CAPS).filter(([pool, most]) => usedIn(pool) === most);
            const isBlocked = asked.isBesideTotal
              ? usedIn('source:x') === 4
              : leaves() === cap || full.some(([pool]) => asked.pools?.includes(pool));
            // a place may be kept for one who needs several, and was overtaken
            const isKept = [...waiting.values()].some(
              (other) =>
                other.asked !== asked &&
                (other.asked.pools?.length ?? 0) > 1 &&
                other.asked.pools?.some((pool) => asked.pools?.includes(pool)),
            );
            expect(isBlocked || isKept).toBe(true);
          }
        }
        for (const { slot } of [...held.values(), ...waiting.values()]) slot.release();
        await slots.settle();
        expect(slots.clock.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('slots 2: longest first among those that can run', () => {
  it('a full pool delays nobody but its own', async () => {
    const slots = slotsOf(3, { build: 1 });
    for (const who of ['b1', 'b2', 'b3']) slots.ask(who, ['build'], { estimateMs: 9_000 });
    for (const who of ['w1', 'w2', 'w3']) slots.ask(who, [], { estimateMs: 10 });
    await slots.settle();
    expect(slots.granted()).toBe('b1 w1 w2');
    slots.end('w1');
    await slots.settle();
    expect(slots.granted()).toBe('b1 w1 w2 w3');
    slots.end('b1');
    await slots.settle();
    expect(slots.granted()).toBe('b1 w1 w2 w3 b2');
  });
  it('across lanes, and in order of asking where estimates are equal', async () => {
    const slots = slotsOf(1, { a: 1, b: 1 });
    slots.ask('short', ['a'], { estimateMs: 1 });
    slots.ask('plain', [], { estimateMs: 5 });
    slots.ask('first', ['b'], { estimateMs: 7 });
    slots.ask('second', ['a'], { estimateMs: 7 });
    for (let i = 0; i < 4; i++) {
      await slots.settle();
      for (const who of slots.held.keys()) slots.end(who);
    }
    expect(slots.granted()).toBe('first second plain short');
  });
  it('a pool named twice counts once', async () => {
    const slots = slotsOf(3, { a: 2 });
    for (const who of ['x', 'y', 'z']) slots.ask(who, ['a', 'a']);
    await slots.settle();
    expect(slots.granted()).toBe('x y');
  });
  it('loads of a source count in its pool alone, four by default', async () => {
    const slots = slotsOf(1);
    slots.ask('leaf');
    for (const who of ['1', '2', '3', '4', '5']) slots.ask(who, ['source:x'], { isBesideTotal: true });
    await slots.settle();
    expect(slots.granted()).toBe('leaf 1 2 3 4');
  });
});

describe('slots 3: leases, with pools', () => {
  it('only whoever stands in the way is revoked', async () => {
    const slots = slotsOf(3, { a: 1, b: 1 });
    slots.ask('plain');
    slots.ask('a1', ['a']);
    slots.ask('b1', ['b']);
    await slots.settle();
    slots.end('plain');
    slots.ask('b2', ['b']);
    await slots.clock.advance(3 * LEASE);
    expect(slots.log.slice(3)).toEqual(['b1 revoked at 1000', 'b2 at 1000']);
    expect(slots.clock.pending).toBe(0);
  });
  it('nobody is, while those that wait could not begin anyway', async () => {
    const slots = slotsOf(3, { a: 2 });
    slots.ask('a1', ['a']);
    slots.ask('a2', ['a']);
    await slots.settle();
    slots.end('a2', { ...REFUSED, retryAfterMs: 2_500 });
    slots.ask('a3', ['a']);
    await slots.clock.advance(4 * LEASE);
    expect(slots.log.slice(2)).toEqual(['a1 revoked at 2500', 'a3 at 2500']);
  });
});

describe('slots 5: nobody is overtaken for ever', () => {
  it('one that needs two pools, each of which always has somebody in it', async () => {
    const slots = slotsOf(10, { a: 1, b: 1 });
    for (let i = 0; i < 40; i++) {
      slots.ask(`a${i}`, ['a']);
      slots.ask(`b${i}`, ['b']);
    }
    await slots.settle();
    slots.ask('both', ['a', 'b'], { estimateMs: 10 });
    for (let i = 0; i < 30 && !slots.held.has('both'); i++) {
      const [first] = slots.held.keys();
      slots.end(first ?? ''); // one at a time: never is there room in both
      await slots.settle();
    }
    expect(slots.held.has('both')).toBe(true);
    expect(slots.log.length).toBeLessThan(20);
  });
  it('and the place that is kept for it is one only', async () => {
    const slots = slotsOf(10, { wide: 4, narrow: 1 });
    slots.ask('hung', ['narrow'], { estimateMs: 1e6 });
    for (let i = 0; i < 60; i++) slots.ask(`w${i}`, ['wide'], { estimateMs: 1 });
    await slots.settle();
    slots.ask('both', ['wide', 'narrow'], { estimateMs: 10 });
    for (let i = 0; i < 30; i++) {
      const first = [...slots.held.keys()].find((who) => who !== 'hung');
      slots.end(first ?? '');
      await slots.settle();
    }
    expect(slots.usedIn('wide')).toBe(3);
  });
});

describe('a pool that was refused', () => {
  it('opens to the millisecond, and lets in half', async () => {
    const slots = slotsOf(10, { a: 4 });
    for (let i = 0; i < 12; i++) slots.ask(`a${i}`, ['a']);
    slots.ask('plain');
    await slots.clock.advance(100);
    slots.end('a0', { ...REFUSED, retryAfterMs: 333 });
    for (const who of ['a1', 'a2', 'a3']) slots.end(who);
    await slots.clock.advance(332);
    expect(slots.granted()).toBe('a0 a1 a2 a3 plain');
    await slots.clock.advance(1);
    expect(slots.log.slice(5)).toEqual(['a4 at 433', 'a5 at 433']);
    expect(slots.changes).toEqual([{ pool: 'a', limit: 2, why: 'rate-limited' }]);
  });
  it.each<[string, readonly string[], Partial<Fault>, string]>([
    ['the one that the fault names', ['a', 'b'], { pool: 'b' }, 'b'],
    ['also one that it is not in', ['a'], { pool: 'b' }, 'b'],
    ['also one that nobody has been in yet', ['a'], { pool: 'c' }, 'c'],
    ['all of its own where the fault names none', ['a', 'b'], {}, 'a b'],
    ['all of its own where the fault names one that is not there', ['a', 'b'], { pool: 'z' }, 'a b'],
    ['the total where it has none', [], {}, 'total'],
  ])('is %s', async (_, pools, over, blamed) => {
    const slots = slotsOf(8, { a: 4, b: 4, c: 4 });
    slots.ask('x', pools);
    await slots.settle();
    slots.end('x', { ...REFUSED, ...over });
    for (let i = 0; i < 4; i++) {
      await slots.clock.advance(250);
      slots.ask(`tick ${i}`); // what is unsaid is said when something moves
    }
    await slots.settle();
    expect(slots.changes.map(({ pool }) => pool).join(' ')).toBe(blamed);
  });
  it('stays as it is when a slot was given back for any other reason', async () => {
    const slots = slotsOf(4, { a: 4 });
    for (const [i, ended] of [undefined, 'well' as const, { status: 'error', message: 'no' } as const].entries()) {
      slots.ask(`${i}`, ['a']);
      await slots.settle();
      slots.end(`${i}`, ended);
    }
    expect(slots.changes).toEqual([]);
  });
});

describe('what is heard of a pool by the way', () => {
  it('a vendor allows so many more, and then no more for a while', async () => {
    const slots = slotsOf(10, { a: 10 });
    slots.hear('a', { calls: 2, forMs: 500 });
    for (let i = 0; i < 5; i++) slots.ask(`a${i}`, ['a']);
    slots.ask('plain');
    await slots.clock.advance(499);
    expect(slots.granted()).toBe('a0 a1 plain');
    await slots.clock.advance(1);
    expect(slots.log.slice(3)).toEqual(['a2 at 500', 'a3 at 500', 'a4 at 500']);
    slots.hear('a', { calls: 0, forMs: 70 });
    slots.ask('late', ['a']);
    slots.hear('a', { calls: 5, forMs: 70 });
    await slots.clock.advance(70);
    expect(slots.log.at(-1)).toBe('late at 570');
    expect(slots.clock.pending).toBe(0);
  });

  it('a refusal of work that goes on teaches it like any other', async () => {
    const slots = slotsOf(10, { a: 4 });
    slots.ask('a0', ['a']);
    await slots.clock.advance(10);
    slots.hear('a', { ...REFUSED, retryAfterMs: 100 });
    for (let i = 1; i < 4; i++) slots.ask(`a${i}`, ['a']);
    await slots.clock.advance(100);
    expect(slots.log).toEqual(['a0 at 0', 'a1 at 110']); // half of four, and one of them is at work
    expect(slots.changes).toEqual([{ pool: 'a', limit: 2, why: 'rate-limited' }]);
  });
});

describe('memory', () => {
  it('yields as what is at work ends, and recovers while others wait', async () => {
    let pressure = 0.5;
    const slots = slotsOf(4, {}, { pressure: () => pressure });
    for (let i = 0; i < 30; i++) slots.ask(`${i}`);
    await slots.clock.advance(250);
    expect(slots.held.size).toBe(4);
    const turn = async (now: number): Promise<number> => {
      pressure = now;
      const [first] = slots.held.keys();
      slots.end(first ?? '', 'well');
      await slots.clock.advance(250);
      return slots.held.size;
    };
    expect([await turn(0.9), await turn(0.9), await turn(0.96), await turn(0.96)]).toEqual([3, 2, 1, 1]);
    pressure = 0.6;
    await slots.clock.advance(3 * 250);
    expect(slots.held.size).toBe(4);
    expect(slots.changes.map(({ limit, why }) => `${limit} ${why}`)).toEqual([
      '2 memory',
      '1 memory',
      '2 recovered',
      '3 recovered',
      '4 recovered',
    ]);
    for (const { slot } of [...slots.held.values(), ...slots.waiting.values()]) slot.release();
    expect(slots.clock.pending).toBe(0);
  });
});
