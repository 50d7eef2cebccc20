import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Report } from '../../src/protocol/report.ts';
import type { RunOptions } from '../../src/runtime/run.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { count, figure } from '../support/figures.ts';
import {
  expectBriefs,
  expectCriticalsStand,
  expectDebounced,
  expectNoFall,
  expectOverIsOver,
  interimsOf,
} from '../support/interim-invariants.ts';
import { expectValidEvents } from '../support/invariants.ts';
import { DEADLINE, randomRun, runCase, type RunCase } from '../support/random-runs.ts';
import { NOTHING_LEFT, world, type World } from '../support/world.ts';

type Cut = { how: 'cancel' | 'stop'; at: number } | undefined;

async function ran(
  drawn: RunCase,
  synthesis: NonNullable<RunOptions['synthesis']>,
  cut: Cut,
): Promise<{ w: World; digest: string | undefined }> {
  const clock = new VirtualClock();
  const { scenario, faults, asleep } = randomRun(drawn, clock);
  const { concurrency } = drawn;
  let held: Report | undefined;
  const w: World = world(
    scenario,
    {},
    {
      clock,
      faults,
      concurrency,
      synthesis,
      onEvent() {
        const now = handle.interim();
        expect(now?.assessment?.coverage ?? 0).toBeGreaterThanOrEqual(held?.assessment?.coverage ?? 0);
        held = now;
      },
    },
  );
  const handle = w.start();
  const timer = cut && clock.setTimeout(() => handle[cut.how](), cut.at);
  const outcome = await clock.run(handle.result.catch(() => undefined));
  clock.clearTimeout(timer);
  expect(w.leftovers()).toEqual({ ...NOTHING_LEFT, timers: asleep() });
  const count = w.events.length;
  await clock.advance(2 * DEADLINE);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  expect(w.events).toHaveLength(count);
  expect(w.eventsOf('interim.failed')).toEqual([]);
  return { w, digest: outcome?.brief.digest };
}

function expectAllOf({ events }: World, debounce: number): void {
  expectValidEvents(events);
  expectBriefs(events);
  expectNoFall(events);
  expectDebounced(events, debounce);
  expectOverIsOver(events);
  expectCriticalsStand(events);
}

const SEED = Number(process.env['FC_SEED'] ?? 20_081_115);
const RUNS = Number(process.env['FC_RUNS'] ?? 150);
const debounces = fc.constantFrom(1, 10, 250, 5_000);

// XState warns, in development, of each message to an actor that has just been stopped.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

describe('any incremental run', () => {
  it('left alone: holds briefs whose coverage never falls, and ends as it would have without', async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(runCase, debounces, async (drawn, debounce) => {
        const { w, digest } = await ran(drawn, { debounce }, undefined);
        expectAllOf(w, debounce);
        moved += interimsOf(w.events).length;
        expect(digest).toBe((await ran(drawn, 'final', undefined)).digest);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    expect(moved).toBeGreaterThan(RUNS); // not vacuous
    figure(
      `Interims: ${count(moved)} in ${count(RUNS)} incremental runs; coverage never fell, each brief as without them`,
    );
  });

  it('cut short at any moment: the same, and nothing is left', () =>
    fc.assert(
      fc.asyncProperty(
        runCase,
        debounces,
        fc.constantFrom('cancel' as const, 'stop' as const),
        fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: DEADLINE })),
        async (drawn, debounce, how, at) => {
          const { w, digest } = await ran(drawn, { debounce }, { how, at });
          expectAllOf(w, debounce);
          expect(digest).toBe((await ran(drawn, 'final', { how, at })).digest);
        },
      ),
      { seed: SEED, numRuns: Math.ceil(RUNS / 3) },
    ));
});
