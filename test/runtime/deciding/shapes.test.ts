import { describe, expect, it } from 'vitest';
import { byComplexity } from '../../../src/define/by-complexity.ts';
import { defineDomain } from '../../../src/define/define-domain.ts';
import { defineLeaf } from '../../../src/define/define-leaf.ts';
import { defineScenario } from '../../../src/define/define-scenario.ts';
import type { Decider, DeciderContext, Shape } from '../../../src/define/shape.ts';
import type { Child, DomainSpec, LeafSpec, Scenario } from '../../../src/define/spec.ts';
import { plan } from '../../../src/runtime/plan.ts';
import { testScenario } from '../../../src/testing/test-scenario.ts';
import { askedFor, interruptedAt, resumed, slowWorld } from '../../support/interrupted.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, reportOf, world, type World } from '../../support/world.ts';

const leaf = (name: string, over: Partial<LeafSpec> = {}): Child =>
  defineLeaf({ name, run: ({ task }) => draft(task.path), ...over });
const leaves = (names: string): Child[] => names.split(' ').map((name) => leaf(name));
const over = (decide: Decider, children: readonly Child[], more: Partial<DomainSpec> = {}, maxDepth = 3): Scenario =>
  defineScenario({
    name: 'deciding',
    thesis: 'It holds',
    domains: [defineDomain({ name: 'd', charter: 'of d', children, decide, ...more }), leaf('beside')],
    limits: { maxDepth, deadline: 60_000 },
  });
const execute: DomainSpec['execute'] = ({ task }) => draft(task.path, { statement: 'All of it by one' });
const says =
  (shape: Shape): Decider =>
  () =>
    shape;
const started = ({ eventsOf }: World): string[] => eventsOf('node.started').map(({ path }) => path);
const ranWith = async (scenario: Scenario) => {
  const w = world(scenario);
  const { brief } = await w.run();
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  return { w, brief, decision: reportOf(w.endOf('root/d')).decision };
};
const TWO: Shape = {
  shape: 'divide',
  groups: [
    { name: 'first', members: ['a', 'b'], charter: 'of the first' },
    { name: 'second', members: ['c', 'd'], question: 'And these?' },
  ],
  reasons: ['there are two kinds'],
};

describe('a decider chooses the shape', () => {
  it('to execute: one leaf, with the reasons in the record', async () => {
    const shape: Shape = { by: 'me', shape: 'execute', reasons: ['it is little'] };
    const { w, brief, decision } = await ranWith(over(says(shape), leaves('a b'), { execute }));
    expect(started(w)).toEqual(['root', 'root/d', 'root/beside']);
    expect(decision).toMatchObject({ by: 'me', mode: 'execute', stages: [], reasons: ['it is little'] });
    expect(brief.status).toBe('complete');
    expect(brief.gaps).toEqual([]);
    expect(brief.findings.map(({ id }) => id)).toEqual(['root/d#said', 'root/beside#said']);
  });

  it('to fan out over some, the others skipped with reason and score', async () => {
    const shape: Shape = {
      shape: 'fan-out',
      children: ['a', 'b'],
      skipped: [{ name: 'c', why: 'far off', score: 0.1 }],
      reasons: ['two are enough'],
    };
    const children = [...leaves('a b c'), leaf('e', { needs: ['c'] }), leaf('f')];
    const { w, brief, decision } = await ranWith(over(says(shape), children));
    expect(started(w)).toEqual(['root', 'root/d', 'root/beside', 'root/d/a', 'root/d/b']);
    expect(decision).toMatchObject({
      by: 'decider',
      reasons: ['two are enough'],
      skipped: [
        { name: 'c', why: 'far off', score: 0.1 },
        { name: 'f', why: 'not among the children chosen' },
        { name: 'e', why: expect.any(String) },
      ],
    });
    expect(brief.gaps.map(({ kind, path }) => [kind, path])).toEqual([
      ['skipped', 'root/d/c'],
      ['skipped', 'root/d/f'],
      ['skipped', 'root/d/e'],
    ]);
  });

  it('to divide: sub-domains that nobody declared, with charter, question, join and synthesis', async () => {
    const synthesized: string[] = [];
    const scenario = over(says(TWO), [...leaves('a b c d'), leaf('e')], {
      synthesize({ task, children }) {
        synthesized.push(task.path);
        const ids = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
        return { narrative: task.charter, dispositions: ids.map(({ id }) => ({ id, as: 'kept' })) };
      },
      join: { quorum: 4 },
    });
    const { w, brief } = await ranWith(scenario);
    expect(started(w)).toEqual([
      'root',
      'root/d',
      'root/beside',
      'root/d/first',
      'root/d/second',
      'root/d/e',
      'root/d/first/a',
      'root/d/first/b',
      'root/d/second/c',
      'root/d/second/d',
    ]);
    expect(synthesized.toSorted()).toEqual(['root/d', 'root/d/first', 'root/d/second']);
    const [first, second] = ['root/d/first', 'root/d/second'].map((path) => reportOf(w.endOf(path)));
    expect(first).toMatchObject({ tier: 'domain', depth: 2, narrative: 'of the first', decision: { quorum: 4 } });
    expect(second).toMatchObject({ question: 'And these?', narrative: 'of d' });
    const leafTask = w.eventsOf('node.started').find(({ path }) => path === 'root/d/first/a');
    expect(leafTask).toMatchObject({ charter: 'of the first', depth: 3 });
    expect(brief.findings).toHaveLength(6);
    expect(brief.run).toMatchObject({ observedDepth: 3, demotions: [] });
  });

  it('is told all that is known of its children, and of the room they have', async () => {
    let told: DeciderContext | undefined;
    const children = [
      leaf('a', { sources: ['x', 'y'], estimate: '4s' }),
      leaf('b', { sources: ['y'], needs: ['a'], question: 'Why?' }),
      defineDomain({ name: 'below', charter: 'of below', children: leaves('c') }),
    ];
    const decide: Decider = (context) => ((told = context), { shape: 'fan-out', reasons: [] });
    await ranWith(over(decide, children, { execute }));
    expect(told).toMatchObject({
      task: { path: 'root/d' },
      depthLeft: 2,
      canExecute: true,
      sources: 2,
      timeLeftMs: expect.closeTo(59_700, -3),
      expected: { executeMs: 6_000, fanOutMs: expect.closeTo(5_100, -2) },
    });
    expect(told?.children).toMatchObject([
      { name: 'a', kind: 'leaf', sources: ['x', 'y'], needs: [], leaves: 1, tiers: 1, estimateMs: 4_000, measured: 0 },
      { name: 'b', question: 'Why?', needs: ['a'] },
      { name: 'below', kind: 'domain', charter: 'of below', tiers: 2 },
    ]);
    expect(Object.isFrozen(told?.task)).toBe(true);
  });
});

describe('a decider that cannot be followed leaves the declared shape standing, and the record says why', () => {
  const group = (name: string, ...members: string[]) => ({ name, members });
  const divide = (...groups: ReturnType<typeof group>[]): Decider => says({ shape: 'divide', groups, reasons: [] });
  it.each<[string, Decider, RegExp]>([
    ['throws', () => { throw new Error('no idea'); }, /failed \(no idea\)/], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('no idea')), /failed \(no idea\)/],
    ['never answers', never, /failed \(no answer in time\)/],
    ['answers rubbish', () => ({ shape: 'round' }) as never, /wrong shape/],
    ['answers nothing', () => undefined as never, /wrong shape/],
    ['executes what has no execute', says({ shape: 'execute', reasons: ['so'] }), /has no execute/],
    ['names a child that is none', says({ shape: 'fan-out', children: ['z'], reasons: [] }), /no child "z"/],
    ['groups a child that is none', divide(group('g', 'a', 'z')), /no child "z"/],
    ['gives two groups one name', divide(group('g', 'a', 'b'), group('g', 'c')), /"g" is the name of two/],
    ['gives a group the name of a child', divide(group('a', 'b', 'c')), /"a" is the name of two/],
    ['tears apart who need each other', divide(group('g', 'n'), group('h', 'a')), /"g" needs one outside/],
    ['takes away whom another needs', divide(group('g', 'a')), /"n" needs one that a group holds/],
  ])('%s', async (_, decide, why) => {
    const { w, decision, brief } = await ranWith(over(decide, [...leaves('a b c'), leaf('n', { needs: ['a'] })]));
    expect(decision?.reasons?.join()).toMatch(why);
    expect(decision?.reasons?.join()).toMatch(/as declared$/);
    expect(decision?.stages.map((stage) => stage.map(({ name }) => name))).toEqual([['a', 'b', 'c'], ['n']]);
    expect(started(w)).toHaveLength(7);
    expect(brief.status).toBe('complete');
  });

  it('wants a tier for which no depth is left: it fans out', async () => {
    const { w, decision, brief } = await ranWith(over(says(TWO), leaves('a b c d'), {}, 2));
    expect(started(w).filter((path) => path.startsWith('root/d/'))).toHaveLength(4);
    expect(decision?.reasons).toEqual([
      'there are two kinds',
      'a tier between needs depth 2, and 1 is left: as declared',
    ]);
    expect(brief.run).toMatchObject({ observedDepth: 2, demotions: [] });
  });

  it('wants a tier that would cost declared domains below their own', async () => {
    const below = defineDomain({ name: 'a', charter: 'of a', children: leaves('x') });
    const { brief } = await ranWith(over(says(TWO), [below, ...leaves('b c d')], {}, 3));
    expect(brief.run).toMatchObject({ observedDepth: 3, demotions: [] });
    expect(brief.findings.map(({ path }) => path)).toContain('root/d/a/x');
  });

  it('is not asked where depth is spent', async () => {
    let asked = 0;
    const decide: Decider = () => (asked++, TWO);
    const { brief } = await ranWith(over(decide, leaves('a b c d'), { execute }, 1));
    expect(asked).toBe(0);
    expect(brief.run?.demotions).toEqual(['root/d']);
  });
});

describe('sub-domains that nobody declared', () => {
  const scenario = (): Scenario => over(byComplexity({ most: 4 }), leaves('a b c d e f g h i'));
  const latency = (path: string): number =>
    path === 'root/beside' ? 10 : 10 * (1 + (path.charCodeAt(path.length - 1) % 9));

  it('are shown by the plan, which may differ in time alone', async () => {
    const shown = plan(scenario()).root.children[0];
    const { decision } = await ranWith(scenario());
    const bare = (given: typeof decision) =>
      given?.stages.flat().map(({ name, members, charter, question }) => ({ name, members, charter, question }));
    expect(bare(shown?.decision)).toEqual(bare(decision));
    expect(shown?.children.map(({ path }) => path)).toEqual(['root/d/a-c', 'root/d/d-f', 'root/d/g-i']);
    expect(shown?.children[0]?.children.map(({ path }) => path)).toEqual([
      'root/d/a-c/a',
      'root/d/a-c/b',
      'root/d/a-c/c',
    ]);
    expect(plan(scenario()).warnings).toEqual([]);
    const later = plan(over(async () => TWO, leaves('a b c d')));
    expect(later.warnings.join()).toMatch(/^root\/d decides when it runs/);
    expect(later.root.children[0]?.children).toHaveLength(4);
    const broken = plan(over(() => { throw new Error('no'); }, leaves('a b'))); // prettier-ignore
    expect(broken.root.children[0]?.decision?.reasons?.join()).toContain('failed (no)');
  });

  it('are resumed in the middle from the stored decision, which is not asked for again', async () => {
    const whole = await slowWorld(scenario(), latency).run();
    const interrupted = await interruptedAt(60, scenario(), latency);
    expect([...interrupted.ended].some((path) => path.split('/').length === 4)).toBe(true);
    expect(interrupted.ended).not.toContain('root/d');
    const { second, outcome } = await resumed(interrupted, scenario(), latency);
    expect(outcome.brief.digest).toBe(whole.brief.digest);
    expect(askedFor('attempt', second).filter((path) => interrupted.ended.has(path))).toEqual([]);
    expect(second.eventsOf('node.invalidated')).toEqual([]);
    expect(second.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('are rebuilt of a decision that its decider would not make twice', async () => {
    let asked = 0;
    const once = (): Scenario =>
      over(() => (asked++ === 0 ? TWO : { shape: 'fan-out', reasons: [] }), leaves('a b c d'));
    const interrupted = await interruptedAt(25, once(), latency);
    const { second, outcome } = await resumed(interrupted, once(), latency);
    expect(asked).toBe(1);
    expect(outcome.brief.status).toBe('complete');
    expect(started(second)).toContain('root/d/first');
    expect(outcome.brief.findings.map(({ path }) => path)).toContain('root/d/second/c');
    expect(second.eventsOf('node.reused').map(({ path }) => path)).toContain('root/d/second');
  });

  it('go with their decision when their domain has changed', async () => {
    const interrupted = await interruptedAt(60, scenario(), latency);
    const changed = over(byComplexity({ most: 99 }), leaves('a b c d e f g h i'));
    const { second, outcome } = await resumed(interrupted, changed, latency);
    expect(second.eventsOf('node.invalidated').map(({ path }) => path)).toContain('root/d/a-c');
    expect(outcome.brief.findings.map(({ path }) => path)).toContain('root/d/a');
    expect(outcome.brief.status).toBe('complete');
  });

  it('can be scripted and broken by path, and count as a tier', async () => {
    const { brief, eventsOf } = await testScenario(scenario(), {
      script: { runs: { 'root/d/d-f/e': ({ task }) => draft(task.path, { ...CRITICAL, statement: 'scripted' }) } },
      faults: ['root/d/g-i=throw', 'root/d/a-c/b=throw'],
    });
    expect(brief.escalations).toMatchObject([{ id: 'root/d/d-f/e#said', statement: 'scripted' }]);
    expect(brief.gaps.map(({ path }) => path)).toEqual(['root/d/a-c/b', 'root/d/g-i']);
    expect(eventsOf('node.started').filter(({ tier, depth }) => tier === 'domain' && depth === 2)).toHaveLength(3);
  });

  it('can be made by a plan of another kind', async () => {
    const w = world(over(says({ shape: 'fan-out', reasons: [] }), leaves('a b c')), (own) => ({
      async plan(input, io) {
        if (input.task.path !== 'root/d') return own.plan(input, io);
        const child = { name: 'made', role: 'orchestrator', members: ['a', 'c'] };
        return {
          by: 'script',
          mode: 'divide',
          stages: [[child]],
          skipped: [],
          estimates: { criticalPathMs: 1, leaves: 2 },
        };
      },
    }));
    const { brief } = await w.run();
    expect(brief.findings.map(({ path }) => path)).toEqual(['root/d/made/a', 'root/d/made/c', 'root/beside']);
  });
});
