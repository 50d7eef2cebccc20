/** Random trees with random deciders, on virtual time: what holds of every run holds of these too. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byComplexity } from '../../src/define/by-complexity.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Decider, Shape } from '../../src/define/shape.ts';
import type { Child, Leaf, Scenario } from '../../src/define/spec.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { interruptedAt, resumed, slowWorld } from '../support/interrupted.ts';
import * as invariants from '../support/invariants.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, world } from '../support/world.ts';

const DEADLINE = 20_000;
type Answers = 'nothing' | 'complexity' | 'execute' | 'some' | 'halves' | 'rubbish' | 'throws' | 'never' | 'late';
type Node = {
  kind: 'leaf' | 'domain';
  ms: number;
  hangs: boolean;
  stance: number;
  isCritical: boolean;
  answers: Answers;
  executes: boolean;
  isLazy: boolean;
  rounds: 0 | 1 | 2 | 3;
  spare: number;
  children: Node[];
};
type Case = { root: Node; maxDepth: number; concurrency: number };

const node = (depth: number): fc.Arbitrary<Node> =>
  fc.record({
    kind:
      depth === 0
        ? fc.constant('domain')
        : depth === 3
          ? fc.constant('leaf')
          : fc.constantFrom('leaf', 'leaf', 'domain'),
    ms: fc.constantFrom(0, 10, 300, 4_000),
    hangs: fc.constantFrom(false, false, false, false, false, false, true),
    stance: fc.constantFrom(-1, 0.5, 1),
    isCritical: fc.boolean(),
    answers: fc.constantFrom<Answers[]>(
      'nothing',
      'complexity',
      'execute',
      'some',
      'halves',
      'halves',
      'rubbish',
      'throws',
      'never',
      'late',
    ),
    executes: fc.boolean(),
    isLazy: fc.boolean(),
    rounds: fc.constantFrom<(0 | 1 | 2 | 3)[]>(0, 1, 2, 3),
    spare: fc.constantFrom(0, 0, 1, 4),
    children:
      depth === 3 ? fc.constant([]) : fc.array(node(depth + 1), { minLength: 1, maxLength: depth === 1 ? 7 : 4 }),
  });
const cases: fc.Arbitrary<Case> = fc.record({
  root: node(0),
  maxDepth: fc.constantFrom(0, 1, 2, 3, 4, 5),
  concurrency: fc.constantFrom(1, 3, 10),
});

function decider(answers: Answers, clock: VirtualClock): Decider | undefined {
  const halves: Decider = ({ children, round }): Shape => {
    const names = children.map(({ name }) => name);
    if (round > 1) return { shape: 'fan-out', children: names.slice(0, 2), reasons: ['more'] };
    const middle = Math.ceil(names.length / 2);
    const groups = [
      { name: 'left', members: names.slice(0, middle) },
      { name: 'right', members: names.slice(middle) },
    ];
    return { shape: 'divide', groups, reasons: ['two halves'] };
  };
  switch (answers) {
    case 'nothing':
      return undefined;
    case 'complexity':
      return byComplexity({ fewest: 1, most: 2 });
    case 'execute':
      return () => ({ shape: 'execute', reasons: ['by itself'] });
    case 'some':
      return ({ children }) => ({
        shape: 'fan-out',
        children: children.slice(0, Math.ceil(children.length / 2)).map(({ name }) => name),
        reasons: ['half of them'],
      });
    case 'halves':
      return halves;
    case 'rubbish':
      return () => 7 as never;
    case 'throws':
      return () => {
        throw new Error('no');
      };
    case 'never':
      return never;
    case 'late':
      return async (context) => {
        await clock.sleep(500, context.abortSignal);
        return halves(context);
      };
  }
}

function scenarioOf({ root, maxDepth, concurrency }: Case, clock: VirtualClock): Scenario {
  const leafOf = (name: string, { ms, hangs, stance, isCritical }: Node): Leaf =>
    defineLeaf({
      name,
      estimate: Math.max(1, ms),
      attempts: 1,
      run: async ({ task, abortSignal }) => {
        if (ms > 0) await clock.sleep(ms, abortSignal);
        if (hangs) return never();
        return draft(task.path, { stance, statement: `${task.path} names n1`, ...(isCritical && CRITICAL) });
      },
    });
  const adaptive = (of: Node) => {
    const decide = decider(of.answers, clock);
    const leaves = Array.from({ length: of.spare }, (_, i) => leafOf(`s${i}`, { ...of, hangs: false }));
    const mayLook = of.rounds > 0 && (decide !== undefined || of.spare > 0);
    return {
      ...(decide && { decide }),
      ...(of.isLazy && { relevance: ({ child }: { child: { name: string } }) => (child.name === 'n1' ? 0 : 1) }),
      ...(mayLook && { reinvestigate: { dissentAbove: -1, rounds: of.rounds, ...(of.spare > 0 && { leaves }) } }),
      ...(of.executes && { execute: () => draft('by itself') }),
    };
  };
  const childrenOf = ({ children }: Node): Child[] =>
    children.map((child, i) =>
      child.kind === 'leaf'
        ? leafOf(`n${i}`, child)
        : defineDomain({ name: `n${i}`, charter: `of n${i}`, children: childrenOf(child), ...adaptive(child) }),
    );
  return defineScenario({
    name: 'any-decision',
    thesis: 'It holds',
    domains: childrenOf(root),
    limits: { maxDepth, concurrency, deadline: DEADLINE },
    ...adaptive(root),
  });
}

const SEED = Number(process.env['FC_SEED'] ?? 20_081_115);
const RUNS = Number(process.env['FC_RUNS'] ?? 150);

it('of any tree and any deciders: depth is kept, paths are unique, the root is never late, nothing is left', () =>
  fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const clock = new VirtualClock();
      const w = world(scenarioOf(drawn, clock), {}, { clock });
      const { brief } = await w.run();
      expect(w.leftovers()).toEqual(NOTHING_LEFT);
      invariants.expectValidEvents(w.events);
      invariants.expectEachEndsOnce(w.events);
      invariants.expectNobodyLate(w.events);
      invariants.expectDepthKept(w.events, brief);
      invariants.expectOneBodyPerId(w.events);
      invariants.expectBooksKept(w.events);
      invariants.expectHonestStatus(w.events);
      invariants.expectProven(w.events, brief);
      invariants.expectCriticalsKept(w.events, brief, []);

      const again = new VirtualClock();
      const second = await world(scenarioOf(drawn, again), {}, { clock: again }).run();
      expect(second.brief.digest).toBe(brief.digest);
    }),
    { seed: SEED, numRuns: RUNS },
  ));

/** Time has no say here: what is resumed has more of it. */
const withoutWaiting = (of: Node): Node => ({
  ...of,
  ms: 0,
  hangs: false,
  answers: of.answers === 'never' || of.answers === 'late' ? 'halves' : of.answers,
  children: of.children.map(withoutWaiting),
});

it('interrupted at any moment and resumed: the same findings, and no decision is lost', () =>
  fc.assert(
    fc.asyncProperty(cases, fc.integer({ min: 0, max: 900 }), async (drawn, ms) => {
      const still = (): Scenario => scenarioOf({ ...drawn, root: withoutWaiting(drawn.root) }, new VirtualClock());
      const latency = (path: string): number => 10 + 10 * (path.charCodeAt(path.length - 1) % 7);
      const whole = await slowWorld(still(), latency).run();
      const took = whole.brief.timing.endedAt - whole.brief.timing.startedAt;
      fc.pre(took > 1);
      const interrupted = await interruptedAt(ms % took, still(), latency);
      const { second, outcome } = await resumed(interrupted, still(), latency);
      expect(outcome.brief.digest).toBe(whole.brief.digest);
      expect(second.leftovers()).toEqual(NOTHING_LEFT);
    }),
    { seed: SEED, numRuns: RUNS },
  ));
