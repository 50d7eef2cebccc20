/** What the statechart itself holds, whoever plans. */
import { expect, it } from 'vitest';
import type { ChildSpec, Decision } from '../../../src/protocol/decision.ts';
import { NOTHING_LEFT, tree, world } from '../../support/world.ts';

const child = (name: string): ChildSpec => ({ name, role: 'leaf' });
/** A root over three leaves of which the plan takes the first, and what it then answers to each further round. */
const planned = async (again: (before: Decision, round: number) => unknown) => {
  const first: Decision = {
    by: 'script',
    mode: 'divide',
    stages: [[child('l0')]],
    skipped: [],
    estimates: { criticalPathMs: 1, leaves: 1 },
    mayGrow: true,
  };
  const w = world(tree([9], { scenario: { limits: { maxDepth: 1, maxChildren: 8 } } }), {
    plan: async (input) => (input.again ? again(input.again.decision, input.again.round) : first),
  });
  const { brief } = await w.run();
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  expect(brief.status).toBe('complete');
  return { stages: brief.decision?.stages.map((stage) => stage.map(({ name }) => name)), decision: brief.decision };
};

it.each<[string, (before: Decision) => unknown, RegExp]>([
  ['changes a stage', (before) => ({ ...before, stages: [[child('l1')]] }), /changes what was decided/],
  ['takes a stage away', (before) => ({ ...before, stages: [] }), /changes what was decided/],
  ['adds two', (before) => ({ ...before, stages: [...before.stages, [child('l1')], [child('l2')]] }), /changes what/],
  ['executes', (before) => ({ ...before, mode: 'execute' }), /changes what was decided/],
  ['names one twice', (before) => ({ ...before, stages: [...before.stages, [child('l0')]] }), /wrong shape/],
  [
    'needs nobody',
    (before) => ({ ...before, stages: [...before.stages, [{ ...child('l1'), needs: ['x'] }]] }),
    /need "x"/,
  ],
  ['is too wide', (before) => ({ ...before, stages: [...before.stages, 'bcdefghi'.split('').map(child)] }), /allows 8/],
  ['is rubbish', () => 7, /wrong shape/],
  ['throws', () => { throw new Error('no idea'); }, /no idea/], // prettier-ignore
])('a further round that %s is refused, and what was decided stands', async (_, again, why) => {
  const { stages, decision } = await planned(again);
  expect(stages).toEqual([['l0']]);
  expect(decision?.reasons?.join()).toMatch(/^round 2 refused: /);
  expect(decision?.reasons?.join()).toMatch(why);
  expect(decision).not.toHaveProperty('mayGrow');
});

it('a plan that grows for ever is not asked for ever', async () => {
  const rounds: number[] = [];
  const { stages } = await planned((before, round) => {
    rounds.push(round);
    return { ...before, stages: [...before.stages, [child(`l${round}`)]], round: 2 };
  });
  expect(rounds).toEqual([2, 3, 4, 5]);
  expect(stages).toHaveLength(5);
});
