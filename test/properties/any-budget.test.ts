import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LeafContext } from '../../src/define/spec.ts';
import type { Activities, Io } from '../../src/ports/activities.ts';
import type { Budget } from '../../src/protocol/grant.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { count, figure, PATIENCE_MS } from '../support/figures.ts';
import { DEADLINE, randomRun, runCase, type RunCase } from '../support/random-runs.ts';
import {
  expectBooksKept,
  expectEachEndsOnce,
  expectHonestStatus,
  expectProven,
  expectValidEvents,
} from '../support/invariants.ts';
import { world } from '../support/world.ts';

type Purse = LeafContext['budget'];
/** What one step does with its budget, drawn for every step of a run. */
type Habit = { reserve: number; spend: number; lateMs: number; isSmall: boolean; isCaught: boolean };
const cents = fc.integer({ min: 0, max: 40 }).map((amount) => amount / 100);
const habit: fc.Arbitrary<Habit> = fc.record({
  reserve: cents,
  spend: cents,
  lateMs: fc.constantFrom(-1, 0, 10, 5_000),
  isSmall: fc.boolean(),
  isCaught: fc.boolean(),
});
const budgets = fc.record(
  {
    usd: fc.integer({ min: 0, max: 300 }).map((amount) => amount / 100),
    tokens: fc.integer({ min: 0, max: 3_000 }),
    leaves: fc.integer({ min: 0, max: 12 }),
  },
  { requiredKeys: [] },
);

type Drawn = { run: RunCase; budget: Budget; habits: Habit[]; how: 'let it run' | 'cancel' };
const drawns: fc.Arbitrary<Drawn> = fc.record({
  run: runCase,
  budget: budgets,
  habits: fc.array(habit, { minLength: 1, maxLength: 8 }),
  how: fc.constantFrom('let it run', 'let it run', 'cancel'),
});

async function ran({ run, budget, habits, how }: Drawn) {
  const clock = new VirtualClock();
  const { scenario, faults } = randomRun(run, clock);
  let steps = 0;
  /** Settled as far as the budget took it: what is left before and after tells. */
  let settled = 0;
  let isOver = false;
  const spendFrom = (purse: Purse): void => {
    const { reserve, spend, lateMs, isSmall, isCaught } = habits[steps++ % habits.length] as Habit;
    const usd = Math.min(spend, reserve); // a liar's money is counted by another test
    const expense = { usd, inputTokens: Math.round(usd * 700), outputTokens: Math.round(usd * 300) };
    const note = (): void => void (settled += isOver ? 0 : Math.round(usd * 100));
    try {
      if (isSmall) {
        purse.spend(expense);
        note();
        return;
      }
      const reservation = purse.reserve({ usd: reserve, tokens: Math.ceil(reserve * 1_000) + 2 });
      if (lateMs < 0) return; // forgotten
      const settle = (): void => {
        reservation.settle(expense);
        note();
      };
      if (lateMs === 0) settle();
      else clock.setTimeout(() => late.push(settle), lateMs);
    } catch (error) {
      if (!isCaught) throw error;
    }
  };
  const late: (() => void)[] = [];
  const spending =
    <Input, Answer>(step: (input: Input, io: never) => Promise<Answer>) =>
    async (input: Input, io: Io): Promise<Answer> => {
      for (const settle of late.splice(0)) settle();
      spendFrom(io.budget);
      return step(input, io as never);
    };
  const script = (own: Activities): Partial<Activities> => ({
    plan: spending(own.plan),
    attempt: spending(own.attempt),
    synthesize: spending(own.synthesize),
  });
  const { concurrency, cut } = run;
  const w = world(scenario, script, {
    clock,
    faults,
    concurrency,
    budget,
    onEvent({ type }) {
      if (type === 'run.completed') isOver = true;
      if (how === 'cancel' && 'event' in cut && w.events.length === cut.event) handle.cancel();
    },
  });
  const handle = w.start();
  const timer = how === 'cancel' && 'at' in cut ? clock.setTimeout(() => handle.cancel(), cut.at) : undefined;
  const outcome = await clock.run(handle.result);
  clock.clearTimeout(timer);
  await clock.advance(2 * DEADLINE);
  return { w, brief: outcome.brief, settled };
}

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const RUNS = Number(process.env['FC_RUNS'] ?? 300);

it(
  'any tree, any authors, any faults: never more than was granted, and what was settled is in the usage',
  async () => {
    await fc.assert(
      fc.asyncProperty(drawns, async (drawn) => {
        const { w, brief, settled } = await ran(drawn);
        const { usd, inputTokens, outputTokens, leaves } = brief.usage.subtree;
        expect(usd).toBeLessThanOrEqual(drawn.budget.usd ?? Infinity);
        expect(inputTokens + outputTokens).toBeLessThanOrEqual(drawn.budget.tokens ?? Infinity);
        expect(leaves).toBeLessThanOrEqual(drawn.budget.leaves ?? Infinity);
        if (w.eventsOf('integrity.alert').every(({ kind }) => kind !== 'budget') && !brief.run?.budget?.overdrawn) {
          expect(Math.round(usd * 100)).toBe(settled);
        }
        expectValidEvents(w.events);
        expectEachEndsOnce(w.events);
        expectBooksKept(w.events);
        expectHonestStatus(w.events);
        expectProven(w.events, brief);
      }),
      { seed: Number(process.env['FC_SEED'] ?? 7), numRuns: RUNS },
    );
    figure(`Budgets: ${count(RUNS)} runs with random habits of spending, never more than was granted`);
  },
  PATIENCE_MS,
);
