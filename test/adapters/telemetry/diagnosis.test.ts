/** What went wrong is planted; the metrics alone say where, and so does the review of the stored run. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import { defineDomain, defineLeaf, defineScenario, type Synthesizer } from '../../../src/index.ts';
import { reviewOf } from '../../../src/runtime/record/review.ts';
import { draft, world, type World } from '../../support/world.ts';
import { recorder, type Recorder } from './recorder.ts';

type Planted = {
  /** ms of every leaf of this domain; by default 100. */
  leafMs?: Record<string, number>;
  /** ms of the synthesis of this domain, or of the root; by default 50. */
  synthesisMs?: Record<string, number>;
  /** Who keeps only its first finding. */
  lossy?: string;
  concurrency?: number;
};
const DOMAINS = ['macro', 'sector', 'company'];

/** Three runs of a root over three domains of four leaves. */
async function planted({ leafMs = {}, synthesisMs = {}, lossy, concurrency = 12 }: Planted) {
  const record = recorder();
  const store = memoryStore();
  const worlds: World[] = [];
  const wait = async (ms: number): Promise<void> => void (await worlds.at(-1)?.clock.sleep(ms));
  const synthesizerOf = (name: string): Synthesizer => {
    return async ({ children }) => {
      await wait(synthesisMs[name] ?? 50);
      const findings = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
      const dispositions = findings.map(({ id }, i) =>
        name === lossy && i > 0 ? { id, as: 'dropped' as const, why: 'no room' } : { id, as: 'kept' as const },
      );
      return { narrative: '', dispositions };
    };
  };
  const domains = DOMAINS.map((name) =>
    defineDomain({
      name,
      charter: '',
      synthesize: synthesizerOf(name),
      children: ['a', 'b', 'c', 'd'].map((leaf) =>
        defineLeaf({
          name: `${name}-${leaf}`,
          run: async ({ task }) => (await wait(leafMs[name] ?? 100), draft(task.path)),
        }),
      ),
    }),
  );
  const limits = { concurrency, maxDepth: 2 };
  const scenario = defineScenario({
    name: 'planted',
    thesis: 'It holds',
    domains,
    limits,
    synthesize: synthesizerOf('root'),
  });
  for (const runId of ['one', 'two', 'three']) {
    const run = world(scenario, {}, { telemetry: record.telemetry, store, runId });
    worlds.push(run);
    await run.run();
  }
  return { ...record, review: reviewOf(store.nodes('one')) };
}

const greatest = (sums: Record<string, number>): string | undefined =>
  Object.entries(sums).sort(([, a], [, b]) => b - a)[0]?.[0];
/** As a dashboard would: the tier with most of the critical path, and whom its joins waited for most. */
async function bottleneckIn({ points }: Pick<Recorder, 'points'>) {
  const critical: Record<string, number> = {};
  for (const { attributes, value } of await points('espalier.critical_path')) {
    const tier = attributes['espalier.phase'] === 'slot' ? 'slot' : String(attributes['espalier.tier']);
    critical[tier] = (critical[tier] ?? 0) + Number(value);
  }
  const waits: Record<string, number> = {};
  for (const { attributes, value } of await points('espalier.join.wait')) {
    const name = String(attributes['gen_ai.agent.name']);
    waits[name] = (waits[name] ?? 0) + (typeof value === 'number' ? 0 : (value.sum ?? 0));
  }
  return { tier: greatest(critical), waitedFor: greatest(waits) };
}
const tierOf = (level: string | undefined): string | undefined => level?.replace(/ at depth \d+$/, '');

describe('metrics alone name the bottleneck, as the review does', () => {
  it.each<[string, Planted, { tier: string; waitedFor: string }]>([
    ['slow leaves of one domain', { leafMs: { sector: 9_000 } }, { tier: 'leaf', waitedFor: 'sector' }],
    ['a slow synthesis of one domain', { synthesisMs: { macro: 9_000 } }, { tier: 'domain', waitedFor: 'macro' }],
  ])('%s', async (_, plant, expected) => {
    const { points, review } = await planted(plant);
    expect(await bottleneckIn({ points })).toEqual(expected);
    expect(tierOf(review.bottleneck?.level)).toBe(expected.tier);
    expect(tierOf(review.divided[0]?.to)).toBe(expected.tier);
    expect(review.waits[0]?.slowest).toBe(`root/${expected.waitedFor}`);
  });

  it('a slow root', async () => {
    const { points, review } = await planted({ synthesisMs: { root: 9_000 } });
    expect((await bottleneckIn({ points })).tier).toBe('root');
    expect(review.bottleneck?.path).toBe('root');
  });

  it('too few slots', async () => {
    const { points, review } = await planted({ concurrency: 1 });
    expect((await bottleneckIn({ points })).tier).toBe('slot');
    expect(review.divided[0]?.to).toBe('slot');
  });
});

describe('the critical path in metrics is that of the review', () => {
  const leaf = (name: string, needs: string[]) => defineLeaf({ name, needs, run: ({ task }) => draft(task.path) });
  const children = [leaf('a', []), leaf('b', ['a'])];
  const staged = defineScenario({
    name: 'staged',
    thesis: 'It holds',
    domains: [defineDomain({ name: 'd0', charter: '', children })],
  });
  it.each(['plan=hang', 'gather=hang', 'gather=slow:3000', 'gather=silent', 'synthesize=slow:3000', 'synthesize=hang'])(
    'with %s',
    async (fault) => {
      const { telemetry, points } = recorder();
      const store = memoryStore();
      await world(staged, {}, { telemetry, store, faults: [`root/d0:${fault}`] }).run();
      const review = reviewOf(store.nodes('run'));
      const told: Record<string, number> = {};
      for (const { attributes, value } of await points('espalier.critical_path')) {
        const to = String(attributes['espalier.phase'] === 'slot' ? 'slot' : attributes['espalier.tier']);
        told[to] = (told[to] ?? 0) + Math.round(1_000 * Number(value));
      }
      const shown = review.divided.filter(({ ms }) => ms > 0).map(({ to, ms }) => [tierOf(to), ms]);
      expect(told).toEqual(Object.fromEntries(shown));
      expect(review.elapsedMs).toBeGreaterThanOrEqual(fault === 'gather=silent' ? 0 : 3_000);
    },
  );
});

describe('metrics alone name who lost what, as the review does', () => {
  it.each([...DOMAINS, 'root'])('%s', async (lossy) => {
    const { values, points, review } = await planted({ lossy });
    const tier = lossy === 'root' ? 'root' : 'domain';
    expect(greatest(await values('espalier.synthesis.lost', 'espalier.tier'))).toBe(tier);
    expect(greatest(await values('espalier.synthesis.lost', 'gen_ai.agent.name'))).toBe(lossy);
    expect(tierOf(review.retention.worstTier?.level)).toBe(tier);
    expect(review.retention.worstNode?.path).toBe(lossy === 'root' ? 'root' : `root/${lossy}`);

    const dropped = (await points('espalier.synthesis.findings')).filter(
      ({ attributes }) => attributes['espalier.disposition'] === 'dropped',
    );
    expect(dropped.map(({ attributes }) => attributes['gen_ai.agent.name'])).toEqual([lossy]);
    const recalls = await points('espalier.synthesis.retention.recall');
    const worst = recalls.map(({ attributes, value }): [unknown, number] => [
      attributes['espalier.tier'],
      typeof value === 'number' ? 1 : (value.min ?? 1),
    ]);
    expect(worst.filter(([, least]) => least < 1).map(([tier]) => tier)).toEqual([tier]);
  });
});

describe("a tier's worth", () => {
  const worthOf = async (concurrency: number) => {
    const { values } = await planted({ concurrency });
    return { saved: await values('espalier.tier.saved', 'espalier.tier'), ...(await overheadOf(values)) };
  };
  const overheadOf = async (values: Recorder['values']) => ({
    overhead: await values('espalier.tier.overhead', 'espalier.tier'),
  });

  it('is what its children would have taken one after another, against its own planning and synthesis', async () => {
    const { saved, overhead } = await worthOf(12);
    // In each of three runs: four leaves of 100 ms side by side, in three domains of 150 ms side by side.
    expect(saved['domain']).toBeCloseTo(3 * 3 * 0.3, 6);
    expect(saved['root']).toBeCloseTo(3 * 2 * 0.15, 6);
    expect(overhead['domain']).toBeCloseTo(3 * 3 * 0.05, 6);
    expect(overhead['root']).toBeCloseTo(3 * 0.05, 6);
  });

  it('is none for waiting on others: with one slot nothing runs side by side but syntheses', async () => {
    const { saved } = await worthOf(1);
    expect(saved['domain'] ?? 0).toBe(0);
    expect(saved['root'] ?? 0).toBeLessThan(3 * 3 * 0.05);
  });
});

it('counts what breaks limits, and what stays within by demotion', async () => {
  const { telemetry, values } = recorder();
  await world([2, 2], {}, { telemetry, maxDepth: 1 }).run();
  expect(await values('espalier.demotions', 'espalier.tier')).toEqual({ domain: 2 });
  expect(await values('espalier.depth.breaches')).toEqual({});
});

it('counts tokens and money once of a node itself, and at every tier of what lies below', async () => {
  const { telemetry, values } = recorder();
  const spending = defineLeaf({
    name: 'model',
    run({ task, budget }) {
      budget.spend({ usd: 0.25, inputTokens: 100, outputTokens: 10 });
      return draft(task.path);
    },
  });
  const scenario = defineScenario({
    name: 'spending',
    thesis: 'It holds',
    domains: [defineDomain({ name: 'd', charter: '', children: [spending] })],
  });
  await world(scenario, {}, { telemetry }).run();
  expect(await values('espalier.cost.self', 'espalier.tier')).toEqual({ leaf: 0.25 });
  expect(await values('espalier.cost.subtree', 'espalier.tier')).toEqual({ leaf: 0.25, domain: 0.25, root: 0.25 });
  expect(await values('espalier.tokens.self', 'gen_ai.token.type')).toEqual({ input: 100, output: 10 });
  expect(await values('espalier.tokens.subtree', 'espalier.tier')).toEqual({ leaf: 110, domain: 110, root: 110 });
});
