/** Hedging over random trees and latencies: never beyond its budget, and what is found stays the same. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, HedgeSpec, LeafRun, Scenario } from '../../src/define/spec.ts';
import type { Report } from '../../src/protocol/report.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { count, figure, PATIENCE_MS } from '../support/figures.ts';
import { expectEachEndsOnce, expectProven, expectValidEvents } from '../support/invariants.ts';
import { NOTHING_LEFT, world, type World } from '../support/world.ts';

/** How long each execution of an attempt takes, in ms: the first, and its hedge. `isDeaf`: to its signal. */
type LeafCase = {
  ms: readonly [number, number];
  sayings: readonly { isLive: boolean; isCritical: boolean }[];
  fails: 'never' | 'the first attempt' | 'the hedge' | 'always';
  isDeaf: boolean;
};
type NodeCase = LeafCase | { children: readonly NodeCase[]; isStaged: boolean };

const ms = fc.constantFrom(1, 40, 80, 100, 101, 150, 300, 2_000);
const leafCase: fc.Arbitrary<LeafCase> = fc.record({
  ms: fc.tuple(ms, ms),
  sayings: fc.array(fc.record({ isLive: fc.boolean(), isCritical: fc.boolean() }), { maxLength: 3 }),
  fails: fc.constantFrom('never', 'never', 'never', 'the first attempt', 'the hedge', 'always'),
  isDeaf: fc.boolean(),
});
const nodeCase = (depth: number): fc.Arbitrary<NodeCase> =>
  depth === 3
    ? leafCase
    : fc.oneof(
        { weight: 2 * depth + 1, arbitrary: leafCase },
        {
          weight: 2,
          arbitrary: fc.record({
            children: fc.array(nodeCase(depth + 1), { minLength: 1, maxLength: 4 }),
            isStaged: fc.boolean(),
          }),
        },
      );
type Drawn = {
  children: readonly NodeCase[];
  concurrency: number;
  hedge: Required<Pick<HedgeSpec, 'after' | 'extra'>>;
};
const drawns: fc.Arbitrary<Drawn> = fc.record({
  children: fc.array(nodeCase(1), { minLength: 3, maxLength: 6 }),
  concurrency: fc.constantFrom(1, 2, 5, 40),
  hedge: fc.record({ after: fc.constantFrom(20, 50, 100, 150), extra: fc.constantFrom(0.05, 0.2, 0.5, 1) }),
});

/** What an execution finds depends on nothing but its leaf: the author keeps the promise. */
function runOf({ ms, sayings, fails, isDeaf }: LeafCase, clock: VirtualClock, isHedge: () => boolean): LeafRun {
  return async ({ task: { path }, attempt, report, abortSignal }) => {
    const mine = isHedge();
    const drafts = sayings.map(({ isLive, isCritical }, i) => ({
      isLive,
      given: {
        statement: `${path} found ${i}`,
        stance: -0.5,
        confidence: 0.8,
        ...(i === 0 && { key: 'first' }),
        ...(isCritical && { critical: { rule: 'alarm', reason: 'it rings' } }),
      },
    }));
    for (const { isLive, given } of drafts) if (isLive) report(given);
    const wait = ms[mine ? 1 : 0];
    await clock.sleep(wait, isDeaf ? undefined : abortSignal);
    if (fails === 'always' || (fails === 'the first attempt' && attempt === 1) || (fails === 'the hedge' && mine)) {
      throw new Error('no');
    }
    return drafts.filter(({ isLive }) => !isLive).map(({ given }) => given);
  };
}

function scenarioOf({ children, concurrency }: Drawn, clock: VirtualClock, isHedge: () => boolean): Scenario {
  const made = (all: readonly NodeCase[], isStaged: boolean): Child[] =>
    all.map((one, i) => {
      const name = `n${i}`;
      const needs = isStaged && i > 0 ? { needs: ['n0'] } : {};
      return 'children' in one
        ? defineDomain({ name, charter: name, children: made(one.children, one.isStaged), ...needs })
        : defineLeaf({ name, run: runOf(one, clock, isHedge), idempotent: true, ...needs });
    });
  const domains = made(children, false);
  return defineScenario({
    name: 'any',
    thesis: 'It holds',
    domains,
    limits: { maxDepth: 4, concurrency, deadline: '24h' },
  });
}

async function ran(drawn: Drawn, hedge: HedgeSpec | false): Promise<{ w: World; brief: Report }> {
  const clock = new VirtualClock();
  let isHedge = false;
  const scenario = scenarioOf(drawn, clock, () => isHedge);
  const w = world(
    scenario,
    (own) => ({
      attempt(input, io) {
        isHedge = input.isHedge === true; // read before it waits
        return own.attempt(input, io);
      },
    }),
    { clock, hedge },
  );
  const { brief } = await clock.run(w.start().result);
  const { actors, unstarted, signals } = w.leftovers();
  expect({ actors, unstarted, signals }).toEqual({ actors: [], unstarted: [], signals: [] });
  await clock.advance(10_000); // those deaf to their signal have woken up
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  expect(w.peakOfAttempts()).toBeLessThanOrEqual(drawn.concurrency);
  return { w, brief };
}

function expectWithinBudget({ events }: World, extra: number): number {
  const begun = new Set<string>();
  let hedges = 0;
  for (const { type, path } of events) {
    if (type === 'attempt.started') begun.add(path);
    if (type === 'attempt.hedged') hedges++;
    expect(hedges).toBeLessThanOrEqual(extra * begun.size);
  }
  return hedges;
}

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const RUNS = Number(process.env['FC_RUNS'] ?? 60);

it(
  'never exceeds its budget, and changes nothing of what is found',
  async () => {
    let hedges = 0;
    await fc.assert(
      fc.asyncProperty(drawns, async (drawn) => {
        const plain = await ran(drawn, false);
        const { w, brief } = await ran(drawn, drawn.hedge);
        hedges += expectWithinBudget(w, drawn.hedge.extra);
        expect(brief.digest).toBe(plain.brief.digest);
        expect(brief.usage.subtree.hedges ?? 0).toBeLessThanOrEqual(w.eventsOf('attempt.hedged').length);
        expect(w.eventsOf('child.late')).toEqual([]);
        expectValidEvents(w.events);
        expectEachEndsOnce(w.events);
        expectProven(w.events, brief);
      }),
      { seed: Number(process.env['FC_SEED'] ?? 11), numRuns: RUNS },
    );
    expect(hedges).toBeGreaterThan(RUNS); // not vacuous
    figure(`Hedging: ${count(hedges)} hedges in ${count(RUNS)} runs, never beyond the budget, every digest as without`);
  },
  PATIENCE_MS,
);
