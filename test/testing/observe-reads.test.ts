import { setTimeout as realTime } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { inMemorySources, type LeafContext, type LeafRun } from 'espalier';
import { observeReads } from 'espalier/testing';
import { domain, keepAll, leaf, scenario } from '../check/planted.ts';
import { never } from '../support/world.ts';

const sources = inMemorySources([
  { id: 'jobs/a', title: 'Jobs', unit: '', values: [['2008-01-01', 1]] },
  { id: 'jobs/b', title: 'Jobs', unit: '', values: [['2008-01-01', 1]] },
]);
const said = { statement: 'said' };
/** What the last of three leaves read, which needs the first. */
async function observed(run: LeafRun, options: object = {}) {
  const tree = scenario(
    [leaf('first'), leaf('second'), leaf('third', { needs: ['first'], sources: ['jobs/a'], run })],
    {
      sources,
    },
  );
  const reads = (await observeReads(tree, options)).get('root/third');
  return reads && { prior: [...reads.prior], sources: [...reads.sources], isWhole: reads.isWhole };
}

describe('what a node reads', () => {
  test.each<[what: string, run: LeafRun, prior: string[]]>([
    ['a report by name', ({ prior }) => ({ statement: prior('first')?.path ?? '' }), ['first']],
    ['one that it cannot do without', ({ need }) => ({ statement: need('first').path }), ['first']],
    ['one that it does not need', ({ prior }) => ({ statement: `${prior('second')?.path}` }), ['second']],
    ['all that it was given', ({ task }) => ({ statement: `${task.prior.length}` }), ['first']],
    ['through a copy of its context', (context) => other({ ...context }), ['first']],
    ['nothing', ({ task }) => ({ statement: task.path }), []],
  ])('%s', async (_, run, prior) => {
    expect(await observed(run)).toEqual({ prior, sources: [], isWhole: true });
  });

  test('series, declared or not', async () => {
    const run = async (context: LeafContext) => {
      await context.sources.series('jobs/a');
      await context.sources.series('jobs/b').catch(() => undefined);
      return said;
    };
    expect(await observed(run)).toEqual({ prior: [], sources: ['jobs/a', 'jobs/b'], isWhole: true });
  });

  test('a gap or a fault is no end from which one could tell', async () => {
    expect(await observed(({ gap }) => gap('stale', 'too old'))).toMatchObject({ isWhole: false });
    expect(await observed(() => Promise.reject(new Error('no')))).toMatchObject({ isWhole: false });
    const second: LeafRun = ({ attempt }) => (attempt === 1 ? Promise.reject(new Error('no')) : said);
    expect(await observed(second)).toMatchObject({ isWhole: true });
  });

  test('in a synthesis, and in an execute at the limit', async () => {
    const tree = scenario([
      leaf('first'),
      domain('then', [leaf('a')], {
        needs: ['first'],
        synthesize: (context) => (context.task.prior.length === 1 ? keepAll(context) : keepAll(context)),
        execute: ({ prior }) => ({ statement: `${prior('first')?.path} ${prior('x')?.path}` }),
      }),
    ]);
    expect([...((await observeReads(tree)).get('root/then')?.prior ?? [])]).toEqual(['first']);
    expect([...((await observeReads(tree, { maxDepth: 1 })).get('root/then')?.prior ?? [])]).toEqual(['first', 'x']);
  });

  test('what a node is given is what it is given in any run', async () => {
    const given: unknown[] = [];
    await observed(({ task, attempt, abortSignal, prior, gap }) => {
      given.push(Object.keys(task).includes('prior'), structuredClone(task).path, attempt, abortSignal.aborted);
      given.push(prior('first')?.path, gap('stale', 'old'));
      return said;
    });
    expect(given).toEqual([true, 'root/third', 1, false, 'root/first', { gap: 'stale', why: 'old' }]);
  });
});

const other = ({ prior }: LeafContext) => ({ statement: `${prior('first')?.path}` });

describe('time', () => {
  test('stands still while somebody is at work: nobody is late for being slow', async () => {
    const slow: LeafRun = async () => {
      await realTime(60);
      return said;
    };
    expect(await observed(slow, { deadline: 20 })).toMatchObject({ isWhole: true });
  });

  test('stands still for a slow verify too', async () => {
    const verify = async () => {
      await realTime(60);
      return { ok: true } as const;
    };
    let ended = 0;
    const last = leaf('last', { needs: ['a'], run: ({ task }) => ({ statement: `${(ended = task.prior.length)}` }) });
    await observeReads(scenario([leaf('a', { verify }), last]), { deadline: 20, patienceMs: 5_000 });
    expect(ended).toBe(1);
  });

  test('goes on without who takes longer than patience lasts, once for a stage', async () => {
    const hang = { run: (): Promise<never> => never() };
    const tree = scenario([
      leaf('a', hang),
      leaf('b', hang),
      leaf('c', { needs: ['a'], run: ({ prior }) => ({ statement: `${prior('a')?.path}` }) }),
      leaf('d', { needs: ['c'], ...hang }),
    ]);
    const from = performance.now();
    const reads = await observeReads(tree, { patienceMs: 100 });
    expect(performance.now() - from).toBeLessThan(1_500);
    expect([...reads].map(([path, { isWhole }]) => [path, isWhole])).toEqual([
      ['root/a', false],
      ['root/b', false],
      ['root/c', true],
      ['root/d', false],
    ]);
  });

  test('a scenario is misused as it is in a run', async () => {
    await expect(observeReads(scenario([leaf('a')]), { domains: ['x'] })).rejects.toThrow(/There is no domain "x"/);
  });
});
