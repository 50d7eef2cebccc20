import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { ChildSpec, Decision } from '../../src/protocol/decision.ts';
import type { Grant } from '../../src/protocol/grant.ts';
import { childGrant, depthIsSpent, handOff, joinDeadline, planDeadline, stageDeadline } from '../../src/tier/grant.ts';
import { decisionOf, grantOf, leaf, orchestrator } from './samples.ts';

const EPOCH = 1.7e12; // instants are epoch ms: their spacing is a quarter of a µs
const windows = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 99, 100, 101, 400, 480_000, 2 ** 31 - 1),
  fc.integer({ min: 0, max: 10_000_000 }),
  fc.double({ min: 0, max: 1_000, noNaN: true }),
);
const reserves = fc.oneof(fc.constantFrom(0, 100, 20_000), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }));
const estimates = fc.option(
  fc.oneof(fc.constantFrom(1, 1e308, Number.MIN_VALUE), fc.double({ min: 1e-9, max: 1e9, noNaN: true })),
  { nil: undefined },
);
const grants = fc
  .tuple(windows, reserves, fc.constantFrom(0, EPOCH, EPOCH + 0.5))
  .map(([ms, reserveMs, issuedAt]) => grantOf({ issuedAt, deadline: issuedAt + ms, reserveMs }));
const specs = estimates.map((estimateMs): ChildSpec => leaf('a', estimateMs === undefined ? {} : { estimateMs }));
const decisions: fc.Arbitrary<Decision> = fc
  .array(fc.array(specs, { maxLength: 4 }), { maxLength: 6 })
  .map((stages) => decisionOf(stages));
const stagesOf = (grant: Grant, decision: Decision): number[] =>
  decision.stages.map((_, stage) => stageDeadline(grant, decision, stage));

describe('grant 1: issuedAt ≤ plan ≤ stage i ≤ stage i + 1 ≤ join ≤ deadline', () => {
  it('for any window, reserve and estimates', () => {
    fc.assert(
      fc.property(grants, decisions, (grant, decision) => {
        const instants = [
          grant.issuedAt,
          planDeadline(grant),
          ...stagesOf(grant, decision),
          joinDeadline(grant),
          grant.deadline,
        ];
        expect(instants).toEqual(instants.toSorted((a, b) => a - b));
        expect(instants.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
  it('the last stage closes at the join deadline, whatever the estimates', () => {
    fc.assert(
      fc.property(grants, decisions, (grant, decision) => {
        const last = decision.stages.length - 1;
        expect(stageDeadline(grant, decision, last)).toBe(joinDeadline(grant));
      }),
    );
  });
  it('a stage has its share of the window, by the longest estimate in each', () => {
    const grant = grantOf({ deadline: 100_000, reserveMs: 0 });
    const decision = decisionOf([
      [leaf('a', { estimateMs: 3_000 }), leaf('b', { estimateMs: 10 })],
      [leaf('c', { estimateMs: 1_000 })],
    ]);
    const opens = planDeadline(grant);
    expect(stagesOf(grant, decision)).toEqual([opens + 0.75 * (100_000 - opens), 100_000]);
  });
  it('a stage of 200,000 children is no stack overflow', () => {
    const wide = Array.from({ length: 200_000 }, (_, i) => leaf(`n${i}`));
    expect(stageDeadline(grantOf(), decisionOf([wide, [leaf('z')]]), 0)).toBeLessThan(1_000);
  });
});

describe('grant 2: a child is due before whoever waits for it', () => {
  it('by the hand-off margin, whenever there is time at all', () => {
    fc.assert(
      fc.property(grants, decisions, fc.double({ min: 0, max: 1, noNaN: true }), (grant, decision, share) => {
        for (const ends of stagesOf(grant, decision)) {
          const now = grant.issuedAt + share * (ends - grant.issuedAt);
          const child = childGrant(grant, orchestrator('a'), ends, now);
          expect(child.issuedAt).toBe(now);
          expect(child.deadline).toBeGreaterThanOrEqual(child.issuedAt);
          expect(child.deadline).toBeLessThanOrEqual(ends);
          if (ends - now >= 0.01) expect(child.deadline).toBeLessThan(ends);
          if (ends - now >= 400) expect(ends - child.deadline).toBeCloseTo(100, 3);
        }
      }),
    );
  });
  it('strictly nested at any depth, until a window is under a hundredth of a millisecond', () => {
    fc.assert(
      fc.property(windows, fc.array(reserves, { minLength: 1, maxLength: 30 }), (ms, all) => {
        let grant = grantOf({ issuedAt: EPOCH, deadline: EPOCH + ms });
        for (const reserveMs of all) {
          const ends = joinDeadline(grant);
          const child = childGrant(grant, orchestrator('a', { reserveMs }), ends, grant.issuedAt);
          expect(child.deadline).toBeLessThanOrEqual(ends);
          if (grant.deadline - grant.issuedAt >= 0.01) expect(child.deadline).toBeLessThan(grant.deadline);
          grant = child;
        }
      }),
    );
  });
  test.each([
    ['at the last moment', 1_000, 1_000],
    ['after the stage was due', 1_500, 1_500],
  ])('spawned %s it is due at once, and not before it began', (_, now, due) => {
    expect(childGrant(grantOf(), leaf('a'), 1_000, now)).toMatchObject({ issuedAt: now, deadline: due });
  });
});

describe('grant 3: depth strictly falls', () => {
  it('from parent to child, until nothing may be spawned', () => {
    let grant = grantOf({ depthLeft: 2 });
    const seen = [grant.depthLeft];
    while (!depthIsSpent(grant)) {
      grant = childGrant(grant, orchestrator('a'), 1_000, 0);
      seen.push(grant.depthLeft);
    }
    expect(seen).toEqual([2, 1, 0]);
    expect(depthIsSpent(grantOf({ depthLeft: -1 }))).toBe(true);
  });
});

describe('reserves are small, and never above a quarter of the window', () => {
  it('for planning, for the synthesis, for the hand-off', () => {
    fc.assert(
      fc.property(grants, (grant) => {
        const { issuedAt, deadline, reserveMs } = grant;
        const quarter = (deadline - issuedAt) / 4 + 1e-3;
        const kept = [
          deadline - joinDeadline(grant),
          planDeadline(grant) - issuedAt,
          deadline - handOff(issuedAt, deadline),
        ];
        for (const ms of kept) expect(ms).toBeLessThanOrEqual(quarter);
        expect(kept[0]).toBeLessThanOrEqual(reserveMs + 1e-3);
        expect(kept[1]).toBeLessThanOrEqual(20_000 + 1e-3);
        expect(kept[2]).toBeLessThanOrEqual(100 + 1e-3);
      }),
    );
  });
  it('they do not compound: the sixth tier of 8 minutes still has over 7', () => {
    let grant = grantOf({ deadline: 480_000 });
    for (let tier = 1; tier <= 6; tier++)
      grant = childGrant(grant, orchestrator('a'), joinDeadline(grant), grant.issuedAt);
    expect(grant.deadline).toBe(480_000 - 6 * 200);
  });
});

test('a child is given its own sources, tools and reserve, and the authority of its parent', () => {
  const grant = grantOf({ tools: ['search'], budget: { usd: 2 }, maxChildren: 7, sources: ['all'] });
  const child = childGrant(
    grant,
    orchestrator('a', { reserveMs: 20_000, sources: ['gdp'], tools: ['files'] }),
    900,
    10,
  );
  expect(child).toEqual({
    depthLeft: 8,
    issuedAt: 10,
    deadline: 800,
    reserveMs: 20_000,
    budget: { usd: 2 },
    maxChildren: 7,
    sources: ['gdp'],
    tools: ['files'],
  });
  expect(childGrant(grant, leaf('a'), 900, 10)).toMatchObject({ reserveMs: 100, sources: [], tools: [] });
});
