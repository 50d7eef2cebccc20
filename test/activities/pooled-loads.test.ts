import { describe, expect, it } from 'vitest';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LimitsSpec } from '../../src/define/spec.ts';
import type { SourceAdapter } from '../../src/ports/sources.ts';
import { inMemorySources } from '../../src/adapters/sources/in-memory.ts';
import { draft, never, NOTHING_LEFT, world, type World, type WorldOptions } from '../support/world.ts';

const ids = Array.from({ length: 12 }, (_, i) => `s${i}`);
const memory = inMemorySources(ids.map((id) => ({ id, values: [['2008-01-01', 1]] })));

type Served = { at: number[]; most: number };
/** One leaf per series. `answer`: what the host does with the nth load, before the series is handed out. */
function reading(
  answer: (w: World, nth: number, io: { abortSignal: AbortSignal }) => Promise<void>,
  limits: LimitsSpec = {},
  poolOf: SourceAdapter['poolOf'] = () => 'source:example.org',
  options: WorldOptions = {},
): { w: World; loads: Served } {
  const loads: Served = { at: [], most: 0 };
  let present = 0;
  const sources: SourceAdapter = {
    poolOf,
    async load(id, io) {
      loads.at.push(w.clock.now());
      loads.most = Math.max(loads.most, ++present);
      try {
        await answer(w, loads.at.length, io);
      } finally {
        present--;
      }
      return memory.load(id, io);
    },
  };
  const leafOf = (id: string) =>
    defineLeaf({
      name: id,
      sources: [id],
      run: async ({ task, sources }) => (await sources.series(id), draft(task.path)),
    });
  const scenario = defineScenario({ name: 'reading', thesis: 'x', domains: ids.map(leafOf), sources, limits });
  const w: World = world(scenario, {}, { random: () => 0, ...options });
  return { w, loads };
}
const slow = async (w: World, _: number, io: { abortSignal: AbortSignal }): Promise<void> =>
  w.clock.sleep(100, io.abortSignal);

describe('loads of a source', () => {
  it.each<[string, LimitsSpec, number]>([
    ['four at once by default', {}, 4],
    ['as many as limits.pools says', { pools: { 'source:example.org': 2 } }, 2],
  ])('%s', async (_, limits, most) => {
    const { w, loads } = reading(slow, limits);
    const { brief } = await w.run();
    expect(loads.most).toBe(most);
    expect(brief.status).toBe('complete');
    expect(w.clock.now()).toBe((12 / most) * 100);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
  it('each host by itself; a series without one is not capped', async () => {
    const { w, loads } = reading(slow, { concurrency: 12 }, (id) =>
      Number(id.slice(1)) < 5 ? undefined : `source:${Number(id.slice(1)) % 2}`,
    );
    await w.run();
    expect(loads.at.filter((at) => at === 0)).toHaveLength(12);
  });
  it('that are refused lower their host alone, and their leaves try again without spending an attempt', async () => {
    const { w, loads } = reading(async (world, nth, io) => {
      await slow(world, nth, io);
      if (nth === 1) throw Object.assign(new Error('429'), { status: 429, retryAfterMs: 500 });
    });
    const { brief } = await w.run({ concurrency: 12 });
    expect(brief.status).toBe('complete');
    expect(brief.usage.subtree.attempts).toBe(12);
    expect(w.eventsOf('slots.changed')[0]).toMatchObject({ pool: 'source:example.org', limit: 2 });
    expect(new Set(w.eventsOf('slots.changed').map(({ pool }) => pool))).toEqual(new Set(['source:example.org']));
    expect(loads.at.slice(0, 6)).toEqual([0, 0, 0, 0, 600, 600]);
  });
  it('that hang while others wait lose their place; whoever is deaf does not keep it', async () => {
    const { w } = reading(async (_, nth) => (nth <= 4 ? never() : undefined), { deadline: '8m' });
    const { brief } = await w.run({ concurrency: 12 });
    expect(brief.status).toBe('complete'); // those that lost theirs had another attempt
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
  it.each([0, 50, 100, 150])('leave nothing when the run is cancelled at %i ms', async (at) => {
    const { w } = reading(async (world, nth, io) => (nth % 3 === 0 ? never() : slow(world, nth, io)));
    const handle = w.start();
    w.clock.setTimeout(() => handle.cancel(), at);
    await w.clock.run(handle.result);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
  it('in a pool that is none of a source are refused in a sentence', async () => {
    const { w } = reading(slow, {}, () => 'build');
    const { brief } = await w.run();
    expect(brief.gaps[0]?.why).toBe(
      'error: The pool of the source "s0" is the text "build", says its adapter. Begin the name with "source:".',
    );
  });
});
