import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, Scenario, Synthesizer } from '../../src/define/spec.ts';
import type { Duration, Store } from '../../src/ports/store.ts';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { childPath, ROOT } from '../../src/protocol/path.ts';
import { expectedTime, type Work } from '../../src/runtime/expected-time.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import { plan } from '../../src/runtime/plan.ts';
import { incomingOf } from '../../src/tier/synthesis-check.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const leaf = (name: string, ownMs: number, over: Partial<Work> = {}): Work => ({
  name,
  ownMs,
  estimateMs: ownMs,
  needs: [],
  ...over,
});
const over = (ownMs: number, stages: Work[][], more: Partial<Work> = {}): Work => ({
  name: 'root',
  ownMs,
  estimateMs: undefined,
  needs: [],
  stages,
  ...more,
});

describe('the expected time', () => {
  it.each([
    { cap: 1, ms: 65 },
    { cap: 2, ms: 35 }, // 30 | 20 + 10
    { cap: 3, ms: 35 },
  ])('at $cap at once is $ms ms', ({ cap, ms }) => {
    expect(expectedTime(over(5, [[leaf('a', 10), leaf('b', 20), leaf('c', 30)]]), cap)).toBe(ms);
  });
  it('is stage after stage', () => {
    expect(expectedTime(over(0, [[leaf('a', 10), leaf('b', 20)], [leaf('c', 30)]]), 9)).toBe(50);
  });
  it('knows that an unknown leaf goes first', () => {
    const leaves = [leaf('a', 10), leaf('b', 20), leaf('c', 30, { estimateMs: undefined })];
    expect(expectedTime(over(0, [leaves]), 2)).toBe(30);
    const last = [leaf('a', 10), leaf('b', 20), leaf('c', 30, { estimateMs: 1 })];
    expect(expectedTime(over(0, [last]), 2)).toBe(40);
  });
  it('ends a stage with its quorum, but not before those that a later one needs', () => {
    const [a, b, c] = [leaf('a', 10), leaf('b', 20), leaf('c', 30)];
    expect(expectedTime(over(0, [[a, b, c]], { quorum: 1 }), 9)).toBe(10);
    expect(expectedTime(over(0, [[a, b, c], [leaf('d', 5, { needs: ['b'] })]], { quorum: 1 }), 9)).toBe(25);
  });
  it('gives back the slots of those that a quorum cuts off', () => {
    const domain = over(0, [[leaf('a', 10), leaf('b', 100)]], { name: 'd', quorum: 1 });
    const tree = over(0, [
      [domain, leaf('c', 60)],
      [leaf('d', 50), leaf('e', 50)],
    ]);
    expect(expectedTime(tree, 2)).toBe(60 + 10 + 50);
  });
  it('of nothing is the synthesis', () => {
    expect(expectedTime(over(7, []), 1)).toBe(7);
    expect(expectedTime(over(7, [[], [leaf('a', 1)]]), 1)).toBe(8);
  });
});

type LeafCase = { ms: number };
type OrchestratorCase = LeafCase & { isStaged: boolean; hasQuorum: boolean; children: (LeafCase | OrchestratorCase)[] };
const DEEPEST = 3;
const ms = fc.integer({ min: 0, max: 5_000 });
const orchestratorAt = (depth: number): fc.Arbitrary<OrchestratorCase> =>
  fc.record({
    ms,
    isStaged: fc.boolean(),
    hasQuorum: fc.integer({ min: 0, max: 3 }).map((one) => one === 0),
    children: fc.array(
      depth + 1 === DEEPEST ? fc.record({ ms }) : fc.oneof(fc.record({ ms }), orchestratorAt(depth + 1)),
      { minLength: 1, maxLength: 5 },
    ),
  });

/** A scenario that takes these times, and a store that has seen it take them twice. */
function build(root: OrchestratorCase, clock: VirtualClock): { scenario: Scenario; store: Store } {
  const durations: Duration[] = [];
  const took = (path: string, one: number): void => {
    for (const at of [2, 1]) durations.push({ scenario: 's', path, ms: one, at });
  };
  const orchestrator = (path: string, { ms, isStaged, hasQuorum, children }: OrchestratorCase) => {
    took(path, ms);
    const synthesize: Synthesizer = async ({ children }) => {
      if (ms > 0) await clock.sleep(ms);
      return { narrative: '', dispositions: incomingOf(children).map(({ id }) => ({ id, as: 'kept' })) };
    };
    const below = children.map((child, i): Child => {
      const name = `n${i}`;
      const needs = isStaged && i >= 2 ? [`n${i - 2}`] : [];
      const at = childPath(path, name);
      if ('children' in child) return defineDomain({ name, charter: '', needs, ...orchestrator(at, child) });
      const ms = Math.max(1, child.ms);
      took(at, ms);
      return defineLeaf({ name, needs, run: async () => (await clock.sleep(ms), { statement: at }) });
    });
    return { children: below, synthesize, ...(hasQuorum && { join: { quorum: 1 } }) };
  };
  const { children: domains, ...rest } = orchestrator(ROOT, root);
  const limits = { maxDepth: DEEPEST, deadline: '24h' };
  const scenario = defineScenario({ name: 's', thesis: 't', domains, ...rest, limits });
  return { scenario, store: { ...memoryStore(), durations: () => durations } };
}

describe('the expected time of a run whose durations are known', () => {
  it('is the time it takes, to the millisecond, for any tree and any cap', async () => {
    await fc.assert(
      fc.asyncProperty(orchestratorAt(0), fc.integer({ min: 1, max: 5 }), async (root, concurrency) => {
        const clock = new VirtualClock();
        const { scenario, store } = build(root, clock);
        const { expectedMs } = plan(scenario, { store, concurrency });
        await clock.run(run(scenario, { store, clock, concurrency }));
        expect(clock.now()).toBe(expectedMs);
      }),
      { numRuns: 300 },
    );
  });
});
