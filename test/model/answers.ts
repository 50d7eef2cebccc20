/** How what a statechart invokes may answer it. */
import type { Decision } from '../../src/protocol/decision.ts';
import { errorOf } from '../../src/tier/fault.ts';
import { leaf } from '../tier/samples.ts';
import type { ChartSnapshot } from './core.ts';
import type { Move } from './part.ts';

type Answer = readonly [name: string, event: object, by: Move['by']];

export const done = (id: string, output: unknown) => ({ type: `xstate.done.actor.${id}`, output, actorId: id });
export const failed = (id: string, error: unknown) => ({ type: `xstate.error.actor.${id}`, error, actorId: id });
export const TIMEOUT = errorOf({ status: 'timeout', message: 'no answer' });
const BROKEN = new Error('it broke');

export function planAnswers({ value, context }: ChartSnapshot, decision: Decision): Answer[] {
  if (value === 'replanning') return roundAnswers(context.decision ?? decision);
  return [
    ['plans', done('plan', decision), 'work'],
    ['fails to plan', failed('plan', BROKEN), 'work'],
    ['hangs as it plans', failed('plan', TIMEOUT), 'timer'],
    ['lies about its plan', done('plan', { mode: 7 }), 'work'],
  ];
}

/** One stage more, once; or none, or one that cannot be. */
function roundAnswers(decision: Decision): Answer[] {
  const { mayGrow: _, ...enough } = decision;
  const more = { ...decision, stages: [...decision.stages, [leaf('x')]] };
  return [
    ...(decision.round === undefined ? [['grows', done('plan', more), 'work'] as const] : []),
    ['has enough', done('plan', enough), 'work'],
    ['changes its mind', done('plan', { ...more, stages: [[leaf('y')], [leaf('x')]] }), 'work'],
    ['grows too much', done('plan', { ...more, stages: [...more.stages, [leaf('y')]] }), 'work'],
    ['fails at a round', failed('plan', BROKEN), 'work'],
    ['hangs at a round', failed('plan', TIMEOUT), 'timer'],
    ['lies about a round', done('plan', 7), 'work'],
  ];
}

export const synthesisAnswers = (): Answer[] => [
  ['synthesizes', done('synthesize', { narrative: '', dispositions: [] }), 'work'],
  ['fails to synthesize', failed('synthesize', BROKEN), 'work'],
  ['hangs as it synthesizes', failed('synthesize', TIMEOUT), 'timer'],
  ['lies about its synthesis', done('synthesize', null), 'work'],
];
