import { describe, expect, it } from 'vitest';
import type { History } from '../../src/activities/history.ts';
import { staticDecision } from '../../src/activities/plan.ts';
import { lengthOf, registryOf, type Entry } from '../../src/activities/registry.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafSpec, Scenario } from '../../src/define/spec.ts';

const leaf = (name: string, spec: Partial<LeafSpec> = {}) =>
  defineLeaf({ name, run: () => ({ statement: name }), ...spec });
const asked = () => ({ narrative: '', dispositions: [] });
const knows = (ms: Record<string, number>, times = 2): History =>
  new Map(Object.entries(ms).map(([path, one]) => [path, { medianMs: one, greatestMs: one, times }]));

const scenario: Scenario = defineScenario({
  name: 's',
  thesis: 't',
  domains: [
    defineDomain({
      name: 'macro',
      charter: 'c',
      children: [leaf('jobs'), leaf('rates', { estimate: '4s' }), leaf('regime', { needs: ['jobs', 'rates'] })],
      synthesize: asked,
    }),
    defineDomain({ name: 'sector', charter: 'c', children: [leaf('chips')], estimate: '1m' }),
  ],
});
const entryOf = (history: History, path: string, concurrency = Infinity): Entry => {
  const entry = registryOf(scenario, 't', { history, concurrency }).get(path);
  if (!entry) throw new Error(path);
  return entry;
};

describe('expected durations', () => {
  const all = { 'root/macro/jobs': 9_000, 'root/macro/rates': 2_000, 'root/macro/regime': 30, 'root/macro': 700 };
  it('add up, stage by stage, and the synthesis', () => {
    expect(entryOf(knows(all), 'root/macro').estimateMs).toBe(9_000 + 30 + 700);
    expect(entryOf(knows(all), 'root/macro', 1).estimateMs).toBe(9_000 + 2_000 + 30 + 700);
    expect(entryOf(new Map(), 'root/macro').estimateMs).toBe(4_000 + 1_000 + 20_000);
  });
  it('an author is believed of a domain until each of its leaves has been measured', () => {
    expect(entryOf(knows(all), 'root/sector').estimateMs).toBe(60_000);
    expect(entryOf(knows({ 'root/sector/chips': 5 }), 'root/sector').estimateMs).toBe(105);
  });
  it('a leaf that nobody knows is taken for one like those that are known', () => {
    const history = knows({ 'root/macro/jobs': 9_000, 'root/macro/regime': 30, 'root/macro': 5 });
    expect(entryOf(history, 'root/sector/chips')).toMatchObject({ estimateMs: 4_515, estimateFrom: 'nobody' });
    expect(entryOf(knows({ 'root/macro': 5 }), 'root/sector/chips').estimateMs).toBe(1_000);
  });
  it('and goes before the others in the queue, but not in a scenario that nobody has run', () => {
    const lengths = (history: History) => {
      const registry = registryOf(scenario, 't', { history });
      const areOthersMeasured = (registry.get('root')?.measured ?? 0) > 0;
      return ['jobs', 'rates', 'regime'].map((name) => {
        const entry = registry.get(`root/macro/${name}`);
        return entry && lengthOf(entry, areOthersMeasured);
      });
    };
    expect(lengths(knows({ 'root/macro/jobs': 9_000 }))).toEqual([9_000, 4_000, undefined]);
    expect(lengths(new Map())).toEqual([1_000, 4_000, 1_000]);
  });
});

describe('reserves', () => {
  it('are learned for every orchestrator, and travel in the decision', () => {
    const history = knows({ root: 3_000, 'root/macro': 400, 'root/sector': 0 });
    const registry = registryOf(scenario, 't', { history });
    expect(['root', 'root/macro', 'root/sector'].map((path) => registry.get(path)?.reserveMs)).toEqual([
      4_500, 1_000, 100,
    ]);
    const [stage = []] = staticDecision(registry, 'root').stages;
    expect(stage.map(({ reserveMs }) => reserveMs)).toEqual([1_000, 100]);
    const [first = []] = staticDecision(registryOf(scenario, 't'), 'root').stages;
    expect(first.map(({ reserveMs }) => reserveMs)).toEqual([20_000, 100]);
  });
});

describe('stages', () => {
  const sizes = (history: History, concurrency = Infinity) =>
    staticDecision(registryOf(scenario, 't', { history, concurrency }), 'root/macro').stages.map((stage) =>
      stage.map(({ estimateMs }) => estimateMs),
    );
  it('are sized by what was measured, never by less than without', () => {
    const history = knows({ 'root/macro/jobs': 9_000, 'root/macro/rates': 10, 'root/macro/regime': 0 });
    expect(sizes(new Map())).toEqual([[1_000, 4_000], [1_000]]);
    expect(sizes(history)).toEqual([[9_000, 4_000], [1_000]]);
  });
  it('have room for the wait for a slot', () => {
    const history = knows({ 'root/macro/jobs': 9_000, 'root/macro/rates': 7_000, 'root/macro/regime': 0 });
    expect(sizes(history, 1)).toEqual([[16_000, 16_000], [1_000]]);
  });
});
