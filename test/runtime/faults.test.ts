/** Every fault at every place: what is lost is named, what had finished is used, nobody else is touched. */
import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { RunOutcome } from '../../src/runtime/run.ts';
import { CRITICAL, draft, json, MINUTES_8, NOTHING_LEFT, world, type World } from '../support/world.ts';

const WIDTHS = [3, 3];
/** l0 takes a second, l1 two, l2 three; the first of each domain says something critical. */
function rehearsal(faults: readonly string[]): World {
  const w: World = world(
    WIDTHS,
    {
      attempt: async ({ task }, { abortSignal }) => {
        const nth = Number(task.path.at(-1));
        await w.clock.sleep((nth + 1) * 1_000, abortSignal);
        return draft(task.path, nth === 0 ? CRITICAL : {});
      },
    },
    { faults, concurrency: 9 },
  );
  return w;
}
const rehearsed = async (...faults: string[]): Promise<World & RunOutcome & { endedAt: number }> => {
  const w = rehearsal(faults);
  const outcome = await w.run();
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  return { ...w, ...outcome, endedAt: w.clock.now() };
};
const healthy = rehearsed();
const pathsOf = ({ brief }: RunOutcome): string[] => brief.findings.map((finding) => finding.path).sort();
const under = (prefix: string) => (path: string) => path.startsWith(`${prefix}/`);

/** The siblings' reports say the same as those of a run without faults, to the byte. */
async function expectUntouched(w: World, paths: readonly string[]): Promise<void> {
  const without = await healthy;
  for (const path of paths) {
    const { timing: _, ...content } = json(w.endOf(path)) as Record<string, unknown>;
    const { timing: __, ...expected } = json(without.endOf(path)) as Record<string, unknown>;
    expect(content).toEqual(expected);
  }
}

const STATUS = { hang: 'timeout', throw: 'error', silent: 'silent', invalid: 'invalid' } as const;
const kinds = Object.entries(STATUS);

describe.each(kinds)('a leaf: %s', (kind, status) => {
  it('ends as a token, and the rest is as it would have been', async () => {
    const run = await rehearsed(`root/d1/l1=${kind}`);
    expect(run.endOf('root/d1/l1')).toMatchObject({ kind: 'failure', tier: 'leaf', status });
    expect(run.endOf('root/d1')).toMatchObject({ kind: 'report', status: 'partial' });
    const gap = { path: 'root/d1/l1', kind: 'token', why: expect.stringMatching(`^${status}: `), status };
    const needsHuman = kind !== 'hang' && { needsHuman: true };
    expect(run.gaps).toEqual([{ ...gap, ...needsHuman }]);
    expect(run.status).toBe('partial');
    expect(pathsOf(run)).toEqual(pathsOf(await healthy).filter((path) => path !== 'root/d1/l1'));
    await expectUntouched(run, ['root/d0', 'root/d2', 'root/d1/l0', 'root/d1/l2', 'root/d0/l1', 'root/d2/l1']);
  });
});

describe.each(kinds)('a domain: %s', (kind, status) => {
  const gap = (why: string) => ({ path: 'root/d1', kind: 'token', why: expect.stringContaining(why), status });
  const others = ['root/d0', 'root/d2', 'root/d0/l2', 'root/d2/l0'];

  it('as a whole, after its first child has ended', async () => {
    const run = await rehearsed(`root/d1=${kind}`);
    const token = run.endOf('root/d1');
    expect(token).toMatchObject({ kind: 'failure', tier: 'domain', status, partial: { status: 'partial' } });
    expect(run.gaps).toEqual([gap(`${status}: `)]);
    // one that hangs does not answer; what its other children said until it was closed passes up all the same
    const isHeard = (path: string): boolean => kind === 'hang' || !/d1.l[12]/.test(path);
    expect(pathsOf(run)).toEqual(pathsOf(await healthy).filter(isHeard));
    expect(run.escalations).toEqual((await healthy).escalations);
    await expectUntouched(run, [...others, 'root/d1/l0']);
  });

  it('while it plans', async () => {
    const run = await rehearsed(`root/d1:plan=${kind}`);
    expect(run.endOf('root/d1')).toMatchObject({ kind: 'failure', status });
    expect(run.gaps).toEqual([gap(`${status}: plan: `)]);
    expect(run.status).toBe('partial');
    expect(pathsOf(run).filter(under('root/d1'))).toEqual([]);
    await expectUntouched(run, others);
  });

  it('while it gathers', async () => {
    const run = await rehearsed(`root/d1:gather=${kind}`);
    expect(run.endOf('root/d1')).toMatchObject({ kind: 'failure', status, partial: { status: 'partial' } });
    expect(run.gaps).toEqual([gap(`${status}: `)]);
    expect(run.status).toBe('partial');
    expect(pathsOf(run).filter(under('root/d1'))).toEqual(['root/d1/l0']);
    await expectUntouched(run, [...others, 'root/d1/l0']);
  });

  it('while it synthesizes: replaced, and nothing is lost', async () => {
    const run = await rehearsed(`root/d1:synthesize=${kind}`);
    expect(run.endOf('root/d1')).toMatchObject({ kind: 'report', status: 'partial', madeBy: 'deterministic' });
    expect(run.gaps).toEqual([
      { path: 'root/d1', kind: 'synthesis', why: expect.stringMatching(`^${status}: .*; replaced by`), status },
    ]);
    expect(run.status).toBe('partial');
    expect(pathsOf(run)).toEqual(pathsOf(await healthy));
    await expectUntouched(run, [...others, 'root/d1/l0', 'root/d1/l1', 'root/d1/l2']);
  });
});

describe.each(kinds)('the root: %s', (kind, status) => {
  const gap = (why: string) => ({ path: 'root', kind: 'token', why: expect.stringContaining(why), status });
  /** Made by rules, over what each domain ended with: those that were at work are cut off, with what they had said. */
  const expectSynthesized = ({ brief }: RunOutcome, ...cutOff: string[]): void => {
    expect(brief).toMatchObject({ madeBy: 'deterministic', run: { observedDepth: 2, maxDepth: 2 } });
    expect(brief.children.map(({ path }) => path)).toEqual(['root/d0', 'root/d1', 'root/d2']);
    expect(brief.assessment?.conviction).toBeGreaterThan(0);
    expect(brief.narrative).toMatch(/^\d+ findings came in/);
    expect(brief.decision?.stages.flat()).toHaveLength(3);
    const why = 'cancelled: cut off: the node above it had ended';
    const tokens = cutOff.map((path) => ({ path, kind: 'token', why, status: 'cancelled' }));
    expect(brief.gaps).toEqual([...tokens, gap(`${status}: `)]);
  };

  it('as a whole: the brief is made of what its domains ended with', async () => {
    const run = await rehearsed(`root=${kind}`);
    expect(run.brief).toMatchObject({ kind: 'report', path: 'root', tier: 'root', status: 'partial' });
    expectSynthesized(run);
    expect(run.brief.usage.subtree).toMatchObject({ nodes: 13, leaves: 9 });
    expect(run.brief.assessment).toEqual((await healthy).brief.assessment);
    expect(pathsOf(run)).toEqual(expect.arrayContaining(['root/d0/l0', 'root/d0/l1', 'root/d0/l2']));
    expect(run.escalations).toEqual((await healthy).escalations);
  });

  it('while it plans: it still reports', async () => {
    const run = await rehearsed(`root:plan=${kind}`);
    expect(run.brief).toMatchObject({ status: 'failed', findings: [], children: [], run: { maxDepth: 2 } });
    expect(run.gaps).toEqual([gap(`${status}: plan: `)]);
  });

  it('while it gathers: the brief is made of what its domains ended with, and had said', async () => {
    const run = await rehearsed(`root:gather=${kind}`);
    expect(run.status).toBe('partial');
    expectSynthesized(run, 'root/d1', 'root/d2');
    expect(pathsOf(run)).toEqual(expect.arrayContaining(['root/d0/l0', 'root/d0/l1', 'root/d0/l2']));
    expect(run.escalations).toEqual((await healthy).escalations);
  });

  it('while it synthesizes: replaced, and nothing is lost', async () => {
    const run = await rehearsed(`root:synthesize=${kind}`);
    const why = expect.stringMatching(`^${status}: .*; replaced by`);
    expect(run.gaps).toEqual([{ path: 'root', kind: 'synthesis', why, status }]);
    expect(run.status).toBe('partial');
    expect(pathsOf(run)).toEqual(pathsOf(await healthy));
    expect(run.brief.assessment).toEqual((await healthy).brief.assessment);
    await expectUntouched(run, ['root/d0', 'root/d1', 'root/d2']);
  });
});

it('the root, in a later stage: the brief is made over all stages', async () => {
  const same = { measure: 'level', value: 7, source: { kind: 'series', ref: 'the same' } };
  const leaf = (name: string) => defineLeaf({ name, run: ({ task }) => draft(task.path, same) });
  const scenario = defineScenario({
    name: 'staged',
    thesis: 'It holds',
    domains: [
      defineDomain({ name: 'first', charter: '', children: [leaf('a'), leaf('b')] }),
      defineDomain({ name: 'second', charter: '', needs: ['first'], children: [leaf('c')] }),
    ],
  });
  // the first domain is cut off, which is no end that breaks the gather; the second ends
  const w = world(scenario, {}, { faults: ['root/first=hang', 'root:gather=throw'] });
  const { brief } = await w.run();
  expect(brief.retention).toMatchObject({ incoming: 3, kept: 0, merged: 3, dropped: 0 });
  expect(brief.findings.map(({ path, from }) => [path, from?.length])).toEqual([['root', 3]]);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
});

describe('all three domains', () => {
  it.each(kinds)('%s: the root still reports', async (kind, status) => {
    const run = await rehearsed(`root/d0=${kind}`, `root/d1=${kind}`, `root/d2=${kind}`);
    expect(run.brief.children.map((child) => child.status)).toEqual([status, status, status]);
    expect(run.gaps.map(({ path }) => path)).toEqual(['root/d0', 'root/d1', 'root/d2']);
    expect(run.brief).toMatchObject({ status: 'partial', madeBy: 'deterministic' });
    expect(pathsOf(run)).toEqual(expect.arrayContaining(['root/d0/l0', 'root/d1/l0', 'root/d2/l0']));
    expect(run.escalations).toEqual((await healthy).escalations);
  });

  it('hang while they plan: the root reports that nothing was found', async () => {
    const run = await rehearsed('root/d0:plan=hang', 'root/d1:plan=hang', 'root/d2:plan=hang');
    expect(run.status).toBe('failed');
    expect(run.gaps).toHaveLength(3);
  });
});

describe('a node whose children say nothing', () => {
  it('breaks all the same', async () => {
    const silent = world([1, 2], { attempt: async () => [] }, { faults: ['root/d0=throw'] });
    await silent.run();
    expect(silent.endOf('root/d0')).toMatchObject({ kind: 'failure', status: 'error' });
  });
});

describe('slow', () => {
  it.each(['root/d1/l1', 'root/d1', 'root/d1:plan', 'root/d1:gather', 'root/d1:synthesize', 'root', 'root:gather'])(
    '%s costs its time and nothing else',
    async (where) => {
      const isSynthesis = where.endsWith('synthesize');
      const run = await rehearsed(`${where}=slow:${isSynthesis ? 50 : 5_000}`);
      expect(run.status).toBe('complete');
      expect(run.endedAt).toBe({ 'root/d1/l1': 7_000, 'root/d1:synthesize': 3_050 }[where] ?? 8_000);
      expect(pathsOf(run)).toEqual(pathsOf(await healthy));
    },
  );

  it('beyond the deadline is a hang', async () => {
    const run = await rehearsed('root/d1/l1=slow:86400000');
    expect(run.endOf('root/d1/l1')).toMatchObject({ status: 'timeout' });
  });
});

describe('the root is never late', () => {
  const steps = ['', ':plan', ':gather', ':synthesize'];
  const places = ['root/d1/l1', ...steps.flatMap((step) => [`root/d1${step}`, `root${step}`])];
  const table = places.flatMap((place) =>
    ['hang', 'throw', 'silent', 'invalid', 'slow:1000', 'slow:470000', 'slow:479999', 'slow:86400000'].map((kind) => [
      `${place}=${kind}`,
    ]),
  );
  it.each(table)('%s', async (fault) => {
    const { brief, endedAt } = await rehearsed(fault);
    expect(endedAt).toBeLessThanOrEqual(MINUTES_8);
    expect(brief.timing.endedAt).toBe(endedAt);
    expect(brief).toMatchObject({ kind: 'report', path: 'root' });
  });

  it('with everything broken at once', async () => {
    const { brief, endedAt } = await rehearsed(
      'root/d0=hang',
      'root/d1:gather=hang',
      'root/d2/l1=hang',
      'root:synthesize=hang',
    );
    expect(endedAt).toBeLessThanOrEqual(MINUTES_8);
    expect(brief.status).toBe('partial');
  });

  it.each([1, 2, 10, 500])('with only %i ms to run', async (deadline) => {
    const w = rehearsal(['root/d1=hang', 'root:synthesize=hang']);
    const { brief } = await w.run({ deadline });
    expect(w.clock.now()).toBeLessThanOrEqual(deadline);
    expect(brief.kind).toBe('report');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('cancel during a rehearsed fault', () => {
  const table = ['root', 'root/d1'].flatMap((path) =>
    ['', ':plan', ':gather', ':synthesize'].flatMap((step) => [`${path}${step}=hang`, `${path}${step}=slow:400000`]),
  );
  it.each(table)('%s: delivers at once or in a moment, and leaves nothing', async (fault) => {
    const w = rehearsal([fault]);
    const handle = w.start();
    await w.clock.advance(5_000);
    handle.cancel();
    const { brief } = await w.clock.run(handle.result);
    const isDeaf = fault === 'root=hang' || fault === 'root:gather=hang';
    expect(w.clock.now()).toBe(isDeaf ? 5_100 : 5_000); // a moment is what a root that hangs is given to answer
    expect(brief.status).not.toBe('complete');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
  it.each(table)('%s: stop leaves nothing', async (fault) => {
    const w = rehearsal([fault]);
    const handle = w.start();
    await w.clock.advance(5_000);
    handle.stop();
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});
