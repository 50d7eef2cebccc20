import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunOutcome } from '../../src/runtime/run.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import {
  expectBooksKept,
  expectCriticalsKept,
  expectDepthKept,
  expectEachEndsOnce,
  expectHonestStatus,
  expectNobodyLate,
  expectOneBodyPerId,
  expectProven,
  expectValidEvents,
} from '../support/invariants.ts';
import { count, figure } from '../support/figures.ts';
import { DEADLINE, randomRun, runCase, type RunCase } from '../support/random-runs.ts';
import { endsOf, NOTHING_LEFT, world, type World } from '../support/world.ts';

type How = 'let it run' | 'cancel' | 'stop';
type Ran = { w: World; outcome: RunOutcome | undefined; uttered: readonly string[] };

/** Runs a case, cut short at its moment as `how` says. At the end nothing is left. */
async function ran(drawn: RunCase, how: How): Promise<Ran> {
  const { concurrency, cut } = drawn;
  const clock = new VirtualClock();
  const { scenario, faults, uttered, asleep } = randomRun(drawn, clock);
  let saidInTime: string[] = [];
  const w: World = world(
    scenario,
    {},
    {
      clock,
      faults,
      concurrency,
      onEvent({ type, at }) {
        if (how !== 'let it run' && 'event' in cut && w.events.length === cut.event) handle[how]();
        // what an author returns at the very instant of the end reaches nobody in time
        const inTime = uttered.filter((one) => one.isLive || one.at < at);
        if (type === 'run.completed') saidInTime = inTime.map(({ statement }) => statement);
      },
    },
  );
  const handle = w.start();
  const timer = how !== 'let it run' && 'at' in cut ? clock.setTimeout(() => handle[how](), cut.at) : undefined;
  const outcome = await clock.run(handle.result.catch(() => undefined));
  clock.clearTimeout(timer);
  expect(w.leftovers()).toEqual({ ...NOTHING_LEFT, timers: asleep() });
  const count = w.events.length;
  await clock.advance(2 * DEADLINE); // those deaf to their signal wake up, and nobody is there
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  expect(w.events).toHaveLength(count);
  return { w, outcome, uttered: saidInTime };
}

function expectAllOf({ w: { events, peakOfAttempts }, outcome, uttered }: Ran, { concurrency }: RunCase): void {
  if (!outcome) throw new Error('a run that is not stopped delivers');
  const { brief } = outcome;
  expectValidEvents(events);
  expectEachEndsOnce(events);
  expectNobodyLate(events);
  expectDepthKept(events, brief);
  expectOneBodyPerId(events);
  expectCriticalsKept(events, brief, uttered);
  expectBooksKept(events);
  expectHonestStatus(events);
  expectProven(events, brief);
  expect(peakOfAttempts()).toBeLessThanOrEqual(concurrency);
}

/** The same runs each time; `FC_SEED=7 FC_RUNS=5000` looks further. */
const SEED = Number(process.env['FC_SEED'] ?? 20_081_115);
const RUNS = Number(process.env['FC_RUNS'] ?? 200);
async function holds(how: How, check: (run: Ran, drawn: RunCase) => void): Promise<void> {
  const seen = { runs: 0, nodes: 0, faulty: 0, latest: -Infinity };
  await fc.assert(
    fc.asyncProperty(runCase, async (drawn) => {
      const run = await ran(drawn, how);
      check(run, drawn);
      const { events } = run.w;
      const [started] = run.w.eventsOf('run.started');
      seen.runs++;
      seen.nodes += run.w.eventsOf('node.started').length;
      seen.faulty += events.some(({ type }) => type === 'node.failed' || type === 'attempt.failed') ? 1 : 0;
      seen.latest = Math.max(seen.latest, (events.at(-1)?.at ?? 0) - (started?.deadline ?? 0));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  const { runs, nodes, faulty, latest } = seen;
  expect(latest).toBeLessThanOrEqual(0);
  figure(
    `Random trees, ${how}: ${count(runs)} runs of ${count(nodes)} nodes, ${count(faulty)} of them with failures; the latest ended ${latest} ms after its deadline`,
  );
}

// XState warns, in development, of each message to an actor that has just been stopped.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

describe('any tree, any authors, any faults', () => {
  it('left alone: every node ends once and in time, nothing critical is lost, the books are right', () =>
    holds('let it run', expectAllOf));

  it('cancelled at any moment: the same', () => holds('cancel', expectAllOf));

  it('stopped at any moment: nothing is left, and nothing that was said is false', () =>
    holds('stop', ({ w: { events } }) => {
      expectValidEvents(events);
      expectOneBodyPerId(events);
      const ended = endsOf(events).map(({ path }) => path);
      expect(new Set(ended).size).toBe(ended.length);
    }));
});
