/** How invoked actors answer the statechart, and what a further round may be answered with. */
import type { Decision } from '../../src/protocol/decision.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import type { UnsealedOutcome } from '../../src/protocol/report.ts';
import { errorOf } from '../../src/tier/fault.ts';
import { criticalOf, decisionOf, leaf, reportOf, tokenOf } from './samples.ts';

export const done = (id: string, output: unknown) => ({ type: `xstate.done.actor.${id}`, output, actorId: id });
export const failed = (id: string, error: unknown) => ({ type: `xstate.error.actor.${id}`, error, actorId: id });
export const TIMEOUT = errorOf({ status: 'timeout', message: 'no answer' });

export const said = (path: string): Finding => criticalOf(path);
export const reported = (path: string): UnsealedOutcome => reportOf(path, [said(path)]);
export const broken = (path: string, hasSpoken: boolean): UnsealedOutcome =>
  tokenOf(path, hasSpoken ? { partial: reportOf(path, [said(path)], { status: 'partial' }) } : {});

/** One stage more, once; or none, or one that cannot be. */
export function roundAnswers(
  decision: Decision = decisionOf([]),
): (readonly [name: string, event: object, by: 'work' | 'timer'])[] {
  const { mayGrow: _, ...enough } = decision;
  const more = { ...decision, stages: [...decision.stages, [leaf('x')]] };
  return [
    ...(decision.round === undefined ? [['grows', done('plan', more), 'work'] as const] : []),
    ['has enough', done('plan', enough), 'work'],
    ['changes its mind', done('plan', { ...more, stages: [[leaf('y')], [leaf('x')]] }), 'work'],
    ['grows too much', done('plan', { ...more, stages: [...more.stages, [leaf('y')]] }), 'work'],
    ['round fails', failed('plan', new Error('x')), 'work'],
    ['round hangs', failed('plan', TIMEOUT), 'timer'],
    ['round lies', done('plan', 7), 'work'],
  ];
}
