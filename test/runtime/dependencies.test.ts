/** Reads that were not declared: refused, or observed and counted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inMemorySources } from '../../src/adapters/sources/in-memory.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, LeafRun, LeafSpec, ScenarioSpec } from '../../src/define/spec.ts';
import { check } from '../../src/check/check.ts';
import { nameOf, parentOf } from '../../src/protocol/path.ts';
import { verifyRun } from '../../src/runtime/record/verify.ts';
import { observeReads } from '../../src/testing/observe-reads.ts';
import { interruptedAt, resumed, slowWorld } from '../support/interrupted.ts';
import { draft, tree, world } from '../support/world.ts';

const says: LeafRun = ({ task }) => draft(task.path);
const leaf = (name: string, over: Partial<LeafSpec> = {}): Child => defineLeaf({ name, run: says, ...over });
const domain = (name: string, children: Child[], needs?: string[]): Child =>
  defineDomain({ name, charter: name, children, ...(needs && { needs }) });
const sources = inMemorySources([{ id: 'jobs', title: 'Jobs', unit: '', values: [['2008-01-01', 1]] }]);
const scenarioOver = (domains: Child[], over: Partial<ScenarioSpec> = {}) =>
  defineScenario({ name: 'reads', thesis: 'It holds', domains, sources, ...over });

/** Reads what the domain before it found and kept, and a source; declares none of it. */
const nosy: LeafRun = async ({ task, prior, artifacts, sources }) => {
  const given = prior('root/x/a');
  const bytes = artifacts.read('root/x/a#notes');
  const series = await sources.series('jobs');
  return draft(task.path, { value: (given?.findings.length ?? 0) + bytes.length + series.observations.length });
};
const keeper: LeafRun = ({ task, artifacts }) => {
  artifacts.keep('notes', 'abc');
  return draft(task.path);
};
const planted = (over: Partial<ScenarioSpec> = {}) =>
  scenarioOver([domain('x', [leaf('a', { run: keeper })]), domain('y', [leaf('b', { run: nosy })], ['x'])], over);
const PLANTED = [
  { on: 'jobs', path: 'root/y/b', via: 'source' },
  { on: 'root/x/a', path: 'root/y/b', via: 'artifact' },
  { on: 'root/x/a', path: 'root/y/b', via: 'report' },
];

describe('a scenario that observes', () => {
  it('lets them pass, and counts each once in events and brief', async () => {
    const w = world(planted({ dependencies: 'observe' }));
    const { brief, status } = await w.run();
    expect(status).toBe('complete');
    expect(brief.findings.find(({ path }) => path === 'root/y/b')?.value).toBe(5);
    expect(brief.run?.dependencies).toEqual(expect.arrayContaining(PLANTED));
    expect(brief.run?.dependencies).toHaveLength(3);
    expect(w.eventsOf('dependency.observed')).toHaveLength(3);
  });

  it('has an empty list when there were none', async () => {
    const { brief } = await world(scenarioOver([leaf('a')], { dependencies: 'observe' })).run();
    expect(brief.run?.dependencies).toEqual([]);
  });

  it('counts a report that was not there yet, too: whether it was is chance', async () => {
    const early = leaf('early', { run: ({ task, prior }) => draft(task.path, { value: prior('late') ? 1 : 0 }) });
    const { brief } = await slowWorld(scenarioOver([early, leaf('late')], { dependencies: 'observe' })).run();
    expect(brief.run?.dependencies).toEqual([{ on: 'root/late', path: 'root/early', via: 'report' }]);
  });

  it('has them in a brief whose root died', async () => {
    const w = world(planted({ dependencies: 'observe' }), {}, { faults: ['root=hang'] });
    expect((await w.run()).brief.run?.dependencies).toHaveLength(3);
  });

  it('remembers those of an interrupted run', async () => {
    const scenario = planted({ dependencies: 'observe' });
    const whole = await slowWorld(scenario).run();
    const last = domain('z', [leaf('c')], ['y']);
    const longer = defineScenario({ ...scenario, domains: [...scenario.domains, last], limits: {} });
    const interrupted = await interruptedAt(25, longer);
    expect(interrupted.ended).toContain('root/y');
    const { outcome } = await resumed(interrupted, longer);
    expect(outcome.brief.run?.dependencies).toEqual(whole.brief.run?.dependencies);
    expect(verifyRun(interrupted.store, 'run').problems).toEqual([]);
  });
});

describe('a scenario that refuses, which is the default', () => {
  it('gives no report and raises an alert', async () => {
    let given: unknown = 'untouched';
    const asking: LeafRun = ({ task, prior }) => {
      given = prior('a');
      return draft(task.path);
    };
    const w = world(scenarioOver([leaf('a'), leaf('b', { run: asking, needs: ['c'] }), leaf('c')]));
    const { brief } = await w.run();
    expect(given).toBeUndefined();
    expect(w.eventsOf('integrity.alert')).toMatchObject([{ kind: 'read', path: 'root/b' }]);
    expect(brief.run).not.toHaveProperty('dependencies');
  });

  it('says nothing of a sibling that is needed and failed', async () => {
    const failing = leaf('a', { attempts: 1, run: () => Promise.reject(new Error('no')) });
    const asking = leaf('b', {
      needs: ['a'],
      run: ({ task, prior }) => draft(task.path, { value: prior('a') ? 1 : 0 }),
    });
    const w = world(scenarioOver([failing, asking]));
    await w.run();
    expect(w.eventsOf('integrity.alert')).toEqual([]);
  });

  it('fails a leaf that reads a source or an artifact that it was not given', async () => {
    const { gaps } = await world(planted()).run();
    expect(gaps).toMatchObject([{ path: 'root/y/b', status: 'error' }]);
  });
});

describe('planted on random trees, they are found, and nothing else is', () => {
  const VIAS = ['report', 'artifact', 'source'] as const;
  type Planted = { on: string; path: string; via: (typeof VIAS)[number] };
  const planting = fc.record({
    domains: fc.integer({ min: 2, max: 4 }),
    leaves: fc.integer({ min: 1, max: 4 }),
    reads: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...VIAS)), { maxLength: 6 }),
    latencies: fc.array(fc.nat(50), { minLength: 16, maxLength: 16 }),
  });
  /** Leaves that keep an artifact each, and read what was planted; of some, nothing has ended or been kept by then. */
  const plant = ({
    domains,
    leaves,
    reads,
  }: {
    domains: number;
    leaves: number;
    reads: [number, number, Planted['via']][];
  }) => {
    const pathOf = (n: number): string => `root/d${n % domains}/l${Math.floor(n / domains) % leaves}`;
    const planted = new Map<string, Planted>();
    for (const [from, to, via] of reads) {
      const [path, on] = [pathOf(from), via === 'source' ? 'jobs' : pathOf(to)];
      if (path !== on) planted.set(`${path} ${via} ${on}`, { on, path, via });
    }
    const run: LeafRun = async ({ task, prior, artifacts, sources }) => {
      artifacts.keep('notes', task.path);
      artifacts.read(`${task.path}#notes`);
      for (const { on, path, via } of planted.values()) {
        if (path !== task.path) continue;
        if (via === 'report') prior(on);
        else if (via === 'source') await sources.series(on);
        else {
          try {
            artifacts.read(`${on}#notes`);
          } catch {
            // not kept yet
          }
        }
      }
      return draft(task.path);
    };
    const scenario = tree([domains, leaves], {
      leaf: { run },
      scenario: { dependencies: 'observe', limits: {}, sources },
    });
    return { scenario, planted: [...planted.values()] };
  };
  const said = (dependencies: readonly { on: string; path: string; via: string }[] = []): string[] =>
    dependencies.map(({ on, path, via }) => `${path} ${via} ${on}`).sort();

  it('by a run that observes, in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(planting, async (given) => {
        const { scenario, planted } = plant(given);
        const latency = (path: string): number => given.latencies[path.length + Number(path.at(-1))] ?? 0;
        const { brief } = await slowWorld(scenario, latency).run();
        expect(said(brief.run?.dependencies)).toEqual(said(planted));
      }),
      { numRuns: 100 },
    );
  });

  it('by a check after a rehearsal, before any run', async () => {
    await fc.assert(
      fc.asyncProperty(planting, async (given) => {
        const { scenario, planted } = plant(given);
        const remarks = check(scenario, { observed: await observeReads(scenario) });
        const where = (rule: string): string[] =>
          remarks.flatMap((one) => (one.rule === rule ? `${one.path} ${/"(.*?)"/.exec(one.message)?.[1]}` : []));
        const nameFor = (path: string, on: string): string => (parentOf(on) === parentOf(path) ? nameOf(on) : on);
        const hidden = planted
          .filter(({ via }) => via !== 'source')
          .map(({ on, path }) => `${path} ${nameFor(path, on)}`);
        expect(new Set(where('hidden-dependency'))).toEqual(new Set(hidden));
        const sourced = planted.filter(({ via }) => via === 'source').map(({ on, path }) => `${path} ${on}`);
        expect(new Set(where('undeclared-source'))).toEqual(new Set(sourced));
      }),
      { numRuns: 30 },
    );
  });
});
