/** Whatever a run was like, and wherever it was cut off: its spans make one tree, and its metrics say what `show` says. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { reviewOf } from '../../src/runtime/record/review.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { idOf, parentIdOf, pathOf, recorder, traceOf, type Recorder } from '../adapters/telemetry/recorder.ts';
import { randomRun, runCase, type RunCase } from '../support/random-runs.ts';
import { world } from '../support/world.ts';

const sense = ({ spans }: Recorder) => {
  const nameOf = new Map(spans().map((span) => [idOf(span), `${span.name} ${pathOf(span)}`]));
  return spans().map(({ name, attributes, startTime, endTime, status, parentSpanContext }) => {
    return { name, attributes, startTime, endTime, status, parent: nameOf.get(parentSpanContext?.spanId ?? '') };
  });
};

async function checkRun(drawn: RunCase): Promise<void> {
  const clock = new VirtualClock(1_000_000);
  const store = memoryStore();
  const { scenario, faults } = randomRun(drawn, clock);
  const { concurrency, cut } = drawn;
  const [record, replayed] = [recorder(), recorder()];
  const { telemetry } = record;
  const w = world(
    scenario,
    {},
    {
      clock,
      store,
      faults,
      concurrency,
      telemetry,
      onEvent() {
        if ('event' in cut && w.events.length === cut.event) handle.stop();
      },
    },
  );
  const handle = w.start();
  const timer = 'at' in cut ? clock.setTimeout(() => handle.stop(), cut.at) : undefined;
  const outcome = await clock.run(handle.result.catch(() => undefined));
  clock.clearTimeout(timer);

  expect(record.nodes().map(pathOf).sort()).toEqual(
    ['', ...w.eventsOf('node.started').map(({ path }) => path)].sort().slice(w.events.length === 0 ? 1 : 0),
  );
  expect(new Set(record.spans().map(traceOf)).size).toBeLessThanOrEqual(1);
  const ids = new Set(record.spans().map(idOf));
  const orphans = record.spans().filter((span) => !ids.has(parentIdOf(span) ?? ''));
  expect(orphans.length).toBeLessThanOrEqual(1);
  for (const { duration, ended } of record.spans()) {
    expect(ended).toBe(true);
    expect(duration[0]).toBeGreaterThanOrEqual(0);
  }
  const active = Object.values(await record.values('espalier.node.active', 'espalier.tier'));
  expect(active.every((count) => count === 0)).toBe(true);
  if (!outcome) return;

  for (const event of w.events) replayed.telemetry.onEvent(event);
  expect(sense(replayed)).toEqual(sense(record));

  const review = reviewOf(store.nodes('run'));
  const told = new Map<string, number>();
  for (const { attributes, value } of await record.points('espalier.critical_path')) {
    const isSlot = attributes['espalier.phase'] === 'slot';
    const to = isSlot ? 'slot' : String(attributes['espalier.tier']);
    told.set(to, (told.get(to) ?? 0) + 1_000 * Number(value));
  }
  const shown = new Map<string, number>();
  for (const { to, ms } of review.divided) {
    const tier = to.replace(/ at depth \d+$/, '');
    shown.set(tier, (shown.get(tier) ?? 0) + ms);
  }
  for (const to of ['root', 'domain', 'leaf', 'slot']) {
    expect({ to, ms: told.get(to) ?? 0 }).toEqual({ to, ms: expect.closeTo(shown.get(to) ?? 0, 3) });
  }
  const lost = Object.values(await record.values('espalier.synthesis.lost', 'espalier.tier'));
  const lostShown = review.retention.tiers.reduce((sum, tier) => sum + tier.lost, 0);
  expect(lost.reduce((sum, one) => sum + one, 0)).toBeCloseTo(lostShown, 6);
}

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

it('is one tree, the same when replayed, and measures what the review measures', async () => {
  const seed = Number(process.env['FC_SEED'] ?? 20_081_115);
  await fc.assert(fc.asyncProperty(runCase, checkRun), { seed, numRuns: Number(process.env['FC_RUNS'] ?? 60) });
});
