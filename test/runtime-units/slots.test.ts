import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slot } from '../../src/ports/slots.ts';
import { createSlots } from '../../src/runtime/slots.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const LEASE = 1_000;

/** Slots with a record of who was granted and revoked, and when. */
function slotsOf(cap: number) {
  const clock = new VirtualClock();
  const slots = createSlots(clock, cap, LEASE);
  const waiting = new Map<string, Slot>();
  const held = new Map<string, Slot>();
  const log: string[] = [];
  return {
    clock,
    waiting,
    held,
    log,
    ask(who: string, estimateMs = 0): Slot {
      const slot = slots.request({
        estimateMs,
        granted() {
          waiting.delete(who);
          held.set(who, slot);
          log.push(`${who} at ${clock.now()}`);
        },
        revoked() {
          held.delete(who);
          log.push(`${who} revoked at ${clock.now()}`);
        },
      });
      waiting.set(who, slot);
      return slot;
    },
    withdraw(who: string): void {
      waiting.get(who)?.release();
      waiting.delete(who);
    },
    giveBack(who: string): void {
      held.get(who)?.release();
      held.delete(who);
    },
    settle: () => clock.advance(0),
  };
}

describe('slots 1: never more than the cap are out', () => {
  type Step = { do: 'ask' | 'release' | 'withdraw' | 'wait'; n: number };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.record({ do: fc.constantFrom('ask', 'ask', 'release', 'withdraw', 'wait'), n: fc.nat(3_000) }),
    { maxLength: 60 },
  );
  it('whatever is asked, given back, withdrawn and waited for; none is left idle, and no timer in the end', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (steps, cap) => {
        const slots = slotsOf(cap);
        const { held, waiting } = slots;
        for (const [i, step] of steps.entries()) {
          const among = [...(step.do === 'release' ? held : waiting).keys()];
          const who = among[step.n % Math.max(1, among.length)] ?? '';
          if (step.do === 'ask') slots.ask(`n${i}`, step.n);
          else if (step.do === 'wait') await slots.clock.advance(step.n);
          else if (step.do === 'release') slots.giveBack(who);
          else slots.withdraw(who);
          expect(held.size).toBeLessThanOrEqual(cap);
          if (step.n % 2 === 0) continue; // several in one turn
          await slots.settle();
          expect(held.size === cap || waiting.size === 0).toBe(true);
        }
        for (const slot of [...held.values(), ...waiting.values()]) slot.release();
        await slots.settle();
        expect(slots.clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
  it('grants later, never from within the request', async () => {
    const slots = slotsOf(2);
    slots.ask('a');
    expect(slots.log).toEqual([]);
    await slots.settle();
    expect(slots.log).toEqual(['a at 0']);
  });
  it('giving back twice gives back once', async () => {
    const slots = slotsOf(1);
    const a = slots.ask('a');
    for (const who of ['b', 'c']) slots.ask(who);
    await slots.settle();
    a.release();
    a.release();
    await slots.settle();
    a.release();
    await slots.settle();
    expect(slots.log).toEqual(['a at 0', 'b at 0']);
  });
});

describe('slots 2: the longest first, equal ones in order of asking', () => {
  it('among all who ask in one turn', async () => {
    const slots = slotsOf(1);
    const asked = { a: 10, b: 30, c: 20, d: 30, e: 20 };
    for (const [who, estimate] of Object.entries(asked)) slots.ask(who, estimate);
    for (let i = 0; i < 5; i++) {
      await slots.settle();
      for (const who of slots.held.keys()) slots.giveBack(who);
    }
    expect(slots.log.map((line) => line[0])).toEqual(['b', 'd', 'c', 'e', 'a']);
  });
  it('an unknown one before all others, and no longer than the lease', async () => {
    const clock = new VirtualClock();
    const slots = createSlots(clock, 1, LEASE);
    const log: string[] = [];
    for (const [who, estimateMs] of Object.entries({ a: 30, b: undefined, c: 90_000, d: undefined })) {
      slots.request({ estimateMs, granted: () => log.push(`${who} at ${clock.now()}`), revoked: () => {} });
    }
    await clock.advance(2 * LEASE);
    expect(log).toEqual(['b at 0', 'd at 1000', 'c at 2000']);
  });
  it('for any estimates', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        async (estimates, cap) => {
          const slots = slotsOf(cap);
          for (const [i, estimate] of estimates.entries()) slots.ask(`${i}`, estimate);
          for (await slots.settle(); slots.held.size > 0; await slots.settle()) {
            const [first] = slots.held.keys();
            slots.giveBack(first ?? '');
          }
          const order = estimates
            .map((estimate, i) => ({ estimate, i }))
            .sort((a, b) => b.estimate - a.estimate || a.i - b.i);
          expect(slots.log.map((line) => Number(line.split(' ')[0]))).toEqual(order.map(({ i }) => i));
        },
      ),
    );
  });
  it('one who withdraws is passed over', async () => {
    const slots = slotsOf(1);
    slots.ask('a', 9);
    await slots.settle();
    const b = slots.ask('b', 8);
    slots.ask('c', 7);
    b.release();
    b.release();
    slots.giveBack('a');
    await slots.settle();
    expect(slots.log).toEqual(['a at 0', 'c at 0']);
  });
  it('one who withdraws in the turn it asked is never granted', async () => {
    const slots = slotsOf(1);
    slots.ask('a').release();
    await slots.settle();
    expect([slots.log, slots.clock.pending]).toEqual([[], 0]);
  });
});

describe('slots 3: a slot held longer than the lease is revoked while others wait', () => {
  it('and given to them', async () => {
    const slots = slotsOf(1);
    slots.ask('a');
    slots.ask('b');
    await slots.clock.advance(LEASE);
    expect(slots.log).toEqual(['a at 0', 'a revoked at 1000', 'b at 1000']);
  });
  it('not while nobody waits; then at once when somebody asks', async () => {
    const slots = slotsOf(1);
    slots.ask('a');
    await slots.settle();
    expect(slots.clock.pending).toBe(0);
    await slots.clock.advance(5 * LEASE);
    slots.ask('b');
    await slots.clock.advance(1);
    expect(slots.log).toEqual(['a at 0', 'a revoked at 5000', 'b at 5000']);
  });
  it('no more of them than wait, the oldest first, and none before its time', async () => {
    const slots = slotsOf(3);
    for (const who of ['a', 'b']) slots.ask(who);
    await slots.clock.advance(500);
    for (const who of ['c', 'd']) slots.ask(who);
    await slots.clock.advance(500);
    expect(slots.log.slice(3)).toEqual(['a revoked at 1000', 'd at 1000']);
    await slots.clock.advance(10 * LEASE);
    expect([...slots.held.keys()].sort()).toEqual(['b', 'c', 'd']);
    expect(slots.clock.pending).toBe(0);
  });
  it('counts from the grant, not from the request', async () => {
    const slots = slotsOf(1);
    slots.ask('a');
    slots.ask('b');
    await slots.clock.advance(900);
    slots.giveBack('a');
    slots.ask('c');
    await slots.clock.advance(900);
    expect(slots.log).toEqual(['a at 0', 'b at 900']);
    await slots.clock.advance(100);
    expect(slots.log.slice(2)).toEqual(['b revoked at 1900', 'c at 1900']);
  });
  it('the watch ends with the last who waits', async () => {
    const slots = slotsOf(1);
    slots.ask('a');
    await slots.settle();
    const b = slots.ask('b');
    expect(slots.clock.pending).toBe(1);
    b.release();
    await slots.settle();
    expect(slots.clock.pending).toBe(0);
    await slots.clock.advance(5 * LEASE);
    expect(slots.log).toEqual(['a at 0']);
  });
});
