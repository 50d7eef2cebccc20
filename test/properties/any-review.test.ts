/** Whatever a run was like, and wherever it was cut off or taken up again, its review adds up. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import type { Store } from '../../src/ports/store.ts';
import { Review } from '../../src/protocol/review.ts';
import { reviewOf } from '../../src/runtime/record/review.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { DEADLINE, randomRun, runCase, type RunCase } from '../support/random-runs.ts';
import { json, world } from '../support/world.ts';

type Sum = { ms: number; share: number };
const total = (parts: readonly Sum[], of: keyof Sum): number => parts.reduce((sum, part) => sum + part[of], 0);

function expectSound(store: Store, until?: number): void {
  const nodes = [...store.nodes('run')];
  const review = reviewOf(nodes, until);
  // A number that is none, or below 0, is none of the schema's; nor would it survive as JSON.
  expect(Review.parse(json(review))).toEqual(review);
  const { criticalPath, divided, elapsedMs, bottleneck, phases, states } = review;
  expect(total(criticalPath, 'ms')).toBe(elapsedMs);
  expect(total(divided, 'ms')).toBe(elapsedMs);
  const root = nodes.find(({ path }) => path === 'root');
  if (root?.endedAt !== undefined) expect(elapsedMs).toBe(root.endedAt - root.startedAt);
  if (elapsedMs > 0) {
    expect(total(criticalPath, 'share')).toBeCloseTo(1);
    expect(total(divided, 'share')).toBeCloseTo(1);
  }
  const longest = Math.max(0, ...criticalPath.map(({ ms }) => ms));
  if (longest > 0) expect(bottleneck?.ms).toBeGreaterThanOrEqual(longest);
  else expect(bottleneck).toBeUndefined();
  for (const [phase, ms] of Object.entries(phases)) {
    const critical = criticalPath.filter((one) => one.phase === phase);
    expect(ms).toBeGreaterThanOrEqual(total(critical, 'ms'));
  }
  expect(Object.values(states).reduce((sum, n) => sum + n, 0)).toBe(nodes.length);
}

async function checkRun(drawn: RunCase): Promise<void> {
  const clock = new VirtualClock(1_000_000);
  const store = memoryStore();
  const { scenario, faults } = randomRun(drawn, clock);
  const { concurrency, cut } = drawn;
  const w = world(
    scenario,
    {},
    {
      clock,
      store,
      faults,
      concurrency,
      onEvent() {
        if ('event' in cut && w.events.length === cut.event) handle.stop();
      },
    },
  );
  const handle = w.start();
  const timer = 'at' in cut ? clock.setTimeout(() => handle.stop(), cut.at) : undefined;
  const outcome = await clock.run(handle.result.catch(() => undefined));
  clock.clearTimeout(timer);
  expectSound(store);
  if (outcome || !store.run('run')) return;
  expectSound(store, clock.now());
  await clock.advance(2 * DEADLINE);
  await w.run({ resume: 'run' });
  expectSound(store);
}

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

it('adds up: whole, cut off, and resumed', async () => {
  const seed = Number(process.env['FC_SEED'] ?? 20_081_115);
  await fc.assert(fc.asyncProperty(runCase, checkRun), { seed, numRuns: Number(process.env['FC_RUNS'] ?? 200) });
});
