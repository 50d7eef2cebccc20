/** Whatever a planner answers: the root reports, and nothing is left. */
import { describe, expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Decision } from '../../src/protocol/decision.ts';
import { draft, MINUTES_8, never, NOTHING_LEFT, reportOf, tree, world, type Script } from '../support/world.ts';

const boom = (): never => {
  throw new Error('boom');
};
const leaf = (name: string, over: object = {}): object => ({ name, role: 'leaf', ...over });
const decision = (over: object): unknown => ({
  by: 'test',
  mode: 'divide',
  stages: [],
  skipped: [],
  estimates: { leaves: 0, criticalPathMs: 0 },
  ...over,
});
/** For nodes that the scenario does not define. */
const anywhere: Script = {
  attempt: async ({ task }) => draft(task.path),
  attemptsOf: () => 1,
  estimateOf: () => 1,
  verify: () => undefined,
};

const failing: Record<string, [() => Promise<unknown>, string]> = {
  rejects: [() => Promise.reject(new Error('boom')), 'error: plan: boom'],
  throws: [boom, 'error: plan: boom'],
  hangs: [never, 'timeout: plan: '],
  'answers nothing': [async () => undefined, 'silent: plan: '],
  'answers null': [async () => null, 'silent: plan: '],
  'answers nonsense': [async () => ({ mode: 'dance' }), 'invalid: plan: '],
  'answers a getter that throws': [
    async () => ({
      get mode() {
        return boom();
      },
    }),
    'invalid: plan: ',
  ],
  'names two children alike': [async () => decision({ stages: [[leaf('a')], [leaf('a')]] }), 'invalid: plan: '],
  'names a child that is a path': [async () => decision({ stages: [[leaf('a/b')]] }), 'invalid: plan: '],
  'needs what nobody brings': [async () => decision({ stages: [[leaf('a', { needs: ['x'] })]] }), 'invalid: plan: '],
  'needs what comes later': [
    async () => decision({ stages: [[leaf('a', { needs: ['b'] })], [leaf('b')]] }),
    'invalid: plan: ',
  ],
  'needs a sibling of its own stage': [
    async () => decision({ stages: [[leaf('a'), leaf('b', { needs: ['a'] })]] }),
    'invalid: plan: ',
  ],
  'has more children than the grant allows': [
    async () => decision({ stages: [[leaf('a'), leaf('b'), leaf('c'), leaf('d')]] }),
    'refused: plan: ',
  ],
};
const small = tree([1], { scenario: { limits: { maxDepth: 1, maxChildren: 3 } } });
const nested = tree([2, 2], { scenario: { limits: { maxDepth: 2, maxChildren: 3 } } });

describe.each(Object.entries(failing))('a plan that %s', (_, [plan, why]) => {
  const [status] = why.split(':');

  it('of the root: the brief says why', async () => {
    const w = world(small, { ...anywhere, plan });
    const { brief } = await w.run();
    expect(brief).toMatchObject({ status: 'failed', path: 'root', findings: [], children: [] });
    expect(brief.gaps).toEqual([{ path: 'root', kind: 'token', why: expect.stringContaining(why), status }]);
    expect(w.clock.now()).toBeLessThan(MINUTES_8);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('of a domain: a token, and its sibling untouched', async () => {
    const w = world(nested, (own) => ({
      plan: (input, io) => (input.task.path === 'root/d0' ? plan() : own.plan(input, io)),
    }));
    const { brief } = await w.run();
    expect(w.endOf('root/d0')).toMatchObject({ kind: 'failure', status, attempts: 1 });
    expect(reportOf(w.endOf('root/d1'))).toMatchObject({ status: 'complete' });
    expect(brief.gaps).toEqual([{ path: 'root/d0', kind: 'token', why: expect.stringContaining(why), status }]);
    expect(brief).toMatchObject({ status: 'partial', children: [{ path: 'root/d0' }, { status: 'complete' }] });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a plan that', () => {
  const runWith = async (over: object) => {
    const w = world(small, { ...anywhere, plan: async () => decision(over) });
    const outcome = await w.run();
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
    return { ...w, ...outcome };
  };

  it('names children __proto__ and constructor gets them', async () => {
    const { brief, status } = await runWith({ stages: [[leaf('__proto__'), leaf('constructor')]] });
    expect(status).toBe('complete');
    expect(brief.findings.map(({ path }) => path).sort()).toEqual(['root/__proto__', 'root/constructor']);
  });

  it.each([
    ['no stages', [], []],
    ['an empty stage', [[]], []],
    ['empty stages around one child', [[], [leaf('a')], []], ['root/a']],
  ])('has %s reports over what there is', async (_, stages, paths) => {
    const { brief } = await runWith({ stages });
    expect(brief.children.map(({ path }) => path)).toEqual(paths);
    expect(brief.status).toBe(paths.length > 0 ? 'complete' : 'failed');
  });

  it('executes makes the root a leaf', async () => {
    const { brief, calls } = await runWith({ mode: 'execute' });
    expect(brief).toMatchObject({ madeBy: 'leaf', tier: 'root', status: 'complete', children: [] });
    expect(brief.findings).toMatchObject([{ id: 'root#said' }]);
    expect(brief.gaps).toEqual([]); // nobody was refused: it was so decided
    expect(calls).toEqual(['plan root', 'attempt root']);
  });

  it('says why it skips is believed, and the brief stays complete', async () => {
    const skipped = [{ name: 'b', why: 'not worth it', score: 0.1 }];
    const { brief } = await runWith({ stages: [[leaf('a')]], skipped });
    expect(brief).toMatchObject({
      status: 'complete',
      gaps: [{ path: 'root/b', kind: 'skipped', why: 'not worth it' }],
    });
    expect(brief.decision).toMatchObject({ by: 'test', skipped });
  });

  it('asks for a node that nothing defines gets a token for it', async () => {
    const w = world(small, { plan: async () => decision({ stages: [[leaf('l0'), leaf('unheard-of')]] }) });
    const { brief } = await w.run();
    expect(brief.children).toMatchObject([{ status: 'complete' }, { path: 'root/unheard-of', status: 'error' }]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('makes an orchestrator of what is defined as a leaf costs that child', async () => {
    const w = world(tree([2], { scenario: { limits: { maxDepth: 2 } } }), (own) => ({
      plan: async (input, io) =>
        input.task.path === 'root'
          ? decision({ stages: [[{ name: 'l0', role: 'orchestrator' }, leaf('l1')]] })
          : own.plan(input, io),
    }));
    const { brief } = await w.run();
    expect(brief.children.map(({ status }) => status)).toEqual(['error', 'complete']);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is altered after it was given changes nothing', async () => {
    const plan = decision({ stages: [[leaf('a')]] }) as Decision;
    const w = world(small, {
      ...anywhere,
      plan: async () => plan,
      attempt: async ({ task }) => {
        plan.stages[0]?.push({ name: 'b', role: 'leaf' });
        return draft(task.path);
      },
    });
    const { brief } = await w.run();
    expect(brief.decision?.stages).toMatchObject([[{ name: 'a' }]]);
    expect(brief.children).toHaveLength(1);
  });
});

describe('domains that the run chooses', () => {
  const needing = defineScenario({
    name: 'needing',
    thesis: 'It holds',
    domains: ['a', 'b', 'c'].map((name, i) =>
      defineDomain({
        name,
        charter: name,
        ...(i > 0 && { needs: [['a', 'b'][i - 1] ?? ''] }),
        children: [defineLeaf({ name: 'x', run: ({ task }) => draft(task.path) })],
      }),
    ),
  });

  it('run; the others are skipped with why, which is no loss', async () => {
    const w = world([3, 1]);
    const { brief, status } = await w.run({ domains: ['d2', 'd0'] });
    expect(status).toBe('complete');
    expect(brief.children.map(({ path }) => path)).toEqual(['root/d0', 'root/d2']);
    expect(brief.gaps).toEqual([{ path: 'root/d1', kind: 'skipped', why: 'not among the domains chosen' }]);
  });

  it('are skipped too when they need one that is', async () => {
    const { brief } = await world(needing).run({ domains: ['a', 'c'] });
    expect(brief.children.map(({ path }) => path)).toEqual(['root/a']);
    expect(brief.gaps.map(({ path, why }) => [path, why])).toEqual([
      ['root/b', 'not among the domains chosen'],
      ['root/c', 'needs "b", which is skipped'],
    ]);
  });

  it.each([[['d9']], [[]]])('%j cannot be read', (domains) => {
    expect(() => world([3, 1]).start({ domains })).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});
