/** The core, broken once per invariant. A walk that does not see it proves nothing. */
import type { Bounds } from './bounds.ts';
import { core as sound, type Core, type Stepped } from './core.ts';

export type Mutant = {
  readonly name: string;
  readonly core: Partial<Core>;
  /** What a walk says of it. */
  readonly seen: RegExp;
  readonly bounds?: Bounds;
};

const { joinStep, openJoin, leafStep, beginLeaf, beginChart, chartStep, childGrant } = sound;
type Action = Stepped[1][number];
const spawned = ({ type, params }: Action, src: string): boolean =>
  type === 'xstate.spawnChild' && (params as { src: string }).src === src;

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a join that stops nobody',
    core: { joinStep: (join, event) => joinStep(join, event).filter(({ type }) => type !== 'stop') },
    seen: /an orphan/,
  },
  {
    name: 'a join that takes a second answer',
    core: {
      joinStep(join, event) {
        if (event.type === 'ended' && !join.closedBy) join.ended.delete(event.name);
        return joinStep(join, event);
      },
    },
    seen: /ended twice/,
  },
  {
    name: 'a join that takes an answer after its close',
    core: {
      joinStep(join, event) {
        const { closedBy } = join;
        if (event.type !== 'ended' || !closedBy) return joinStep(join, event);
        join.closedBy = undefined;
        join.ended.delete(event.name);
        const effects = joinStep(join, event).filter(({ type }) => type !== 'close');
        join.closedBy = closedBy;
        return effects;
      },
    },
    seen: /heeded after its join had closed/,
  },
  {
    name: 'a join that waits until everybody has reported',
    core: {
      joinStep(join, event) {
        const effects = joinStep(join, event);
        if (join.closedBy !== 'all' || join.reported === join.children.size) return effects;
        join.closedBy = undefined;
        return effects.filter(({ type }) => type !== 'close');
      },
    },
    seen: /no progress without timers/,
  },
  {
    name: 'a join that does not listen',
    core: { joinStep: (join, event) => joinStep(Object.assign(join, { heard: () => [] }), event) },
    seen: /a critical was lost/,
  },
  {
    name: 'a quorum that cuts off what a later stage needs',
    core: { openJoin: (input) => openJoin({ ...input, required: [] }) },
    seen: /which a quorum cut off/,
    bounds: { tiers: [[2, 1]], quorum: 1 },
  },
  {
    name: 'a quorum that is reached by being cancelled',
    core: {
      joinStep: (join, event) =>
        event.type === 'cancelling' ? joinStep(join, { type: 'cancelled', at: 1 }) : joinStep(join, event),
    },
    seen: /closed before its cutoff/,
    bounds: { tiers: [[2]], quorum: 1 },
  },
  {
    name: 'a leaf that forgets what a failed attempt said',
    core: {
      leafStep(state, event) {
        const effects = leafStep(state, event);
        if (state.phase === 'recovering') state.said = undefined;
        return effects;
      },
    },
    seen: /ended without its critical/,
  },
  {
    name: 'a leaf with an attempt too many',
    core: { beginLeaf: (task, most) => beginLeaf(task, most + 1) },
    seen: /attempt 3 of 2/,
  },
  {
    name: 'a leaf that is asked the same again',
    core: {
      leafStep(state, event) {
        const { task } = state;
        const effects = leafStep(state, event);
        state.task = task;
        return effects.map((effect) => (effect.type === 'execute' ? { ...effect, task } : effect));
      },
    },
    seen: /0 enrichments more after recovered/,
  },
  {
    name: 'a leaf that can end again',
    core: {
      leafStep(state, event) {
        if (state.phase === 'reported') state.phase = 'executing';
        return leafStep(state, event);
      },
    },
    seen: /heeded after its end/,
  },
  {
    name: 'a leaf that takes the answer of an attempt that is over',
    core: {
      leafStep(state, event) {
        if (state.phase === 'recovering' && event.type === 'executed') state.phase = 'executing';
        return leafStep(state, event);
      },
    },
    seen: /heeded while recovering/,
  },
  {
    name: 'a leaf that heeds a hedge that has failed',
    core: {
      leafStep(state, event) {
        const isOver = state.hedge?.goesOn === 'first' && event.type === 'executed';
        return leafStep(state, isOver ? { ...event, isHedge: false } : event);
      },
    },
    seen: /heeded of the execution that is over/,
    bounds: { tiers: [[1]], hedges: true },
  },
  {
    name: 'a leaf that is deaf to its back-off',
    core: { leafStep: (state, event) => (event.type === 'backed-off' ? [] : leafStep(state, event)) },
    seen: /no progress without timers while backing-off/,
  },
  {
    name: 'a grant that passes its depth on whole',
    core: { childGrant: (...given) => ({ ...childGrant(...given), depthLeft: given[0].depthLeft }) },
    seen: /depth breach/,
  },
  {
    name: 'a statechart that does not mind that depth is spent',
    core: {
      beginChart: (task) => beginChart({ ...task, grant: { ...task.grant, depthLeft: task.grant.depthLeft || 1 } }),
    },
    seen: /depth breach/,
    bounds: { tiers: [[2], [2]], maxDepth: 1 },
  },
  {
    name: 'a statechart that is deaf to its plan',
    core: { chartStep: deafTo('xstate.error.actor.plan') },
    seen: /fails to plan: goes nowhere/,
  },
  {
    name: 'a statechart that is deaf to its gather',
    core: { chartStep: deafTo('xstate.done.actor.gather') },
    seen: /no progress without timers/,
  },
  {
    name: 'a statechart that is deaf to a cancel',
    core: { chartStep: deafTo('cancel') },
    seen: /its gather was not told/,
  },
  {
    name: 'a statechart that invokes two at once',
    core: {
      chartStep(snapshot, event) {
        const [next, actions] = chartStep(snapshot, event);
        return [next, actions.flatMap((action) => (spawned(action, 'synthesize') ? [action, action] : action))];
      },
    },
    seen: /invokes synthesize beside synthesize/,
  },
  {
    name: 'a statechart that spawns all stages at once',
    core: {
      chartStep(snapshot, event) {
        const [next, actions] = chartStep(snapshot, event);
        const children = next.context.decision?.stages.flat();
        const hasty = (action: Action): Action => {
          const { params } = action as { params: { input: object } };
          return { ...action, params: { ...params, input: { ...params.input, children } } };
        };
        return [next, actions.map((action) => (spawned(action, 'gather') ? hasty(action) : action))];
      },
    },
    seen: /begins before l0, which it needs/,
    bounds: { tiers: [[1, 1]] },
  },
  {
    name: 'a synthesis that can drop a critical',
    core: {
      chartStep(snapshot, event) {
        const [next, actions] = chartStep(snapshot, event);
        const { outcome } = next.context;
        if (outcome?.kind !== 'report' || outcome.escalations.length === 0) return [next, actions];
        const forgetful = { ...next.context, outcome: { ...outcome, escalations: [] } };
        return [Object.create(next, { context: { value: forgetful } }) as typeof next, actions];
      },
    },
    seen: /ended without the critical/,
  },
  {
    name: 'a run that ends in a token',
    core: { rootReport: (_, outcome) => outcome as never },
    seen: /the run ended in a token/,
  },
];

function deafTo(type: string): Core['chartStep'] {
  return (snapshot, event) => ((event as { type: string }).type === type ? [snapshot, []] : chartStep(snapshot, event));
}
