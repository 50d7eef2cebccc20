/**
 * One statechart for root, domain and sub-domain: the role is the position. No IO, no clock, no actor refs in context.
 *  1. At most one invoked actor at a time, under a fixed id: `plan`, `gather`, `synthesize` or `execute`.
 *  2. Each ends by the `deadline` in its input, because its host makes it; the statechart itself never waits.
 *  3. Every path ends in `reported` with an outcome; no error leaves the machine.
 *  4. With depth spent nothing is gathered, whatever the plan says.
 *  5. A root ends in a report, never in a token.
 */
import {
  assign,
  enqueueActions,
  sendTo,
  setup,
  type ActorLogic,
  type ActorSystem,
  type ActorSystemInfo,
  type AnyEventObject,
  type Snapshot,
} from 'xstate';
import type { Ended, PlanInput, SynthesizeInput } from '../ports/activities.ts';
import { Decision, type ChildSpec } from '../protocol/decision.ts';
import type { FailureStatus } from '../protocol/failure-status.ts';
import type { Finding } from '../protocol/finding.ts';
import { depthOf } from '../protocol/path.ts';
import type { Report, UnsealedOutcome } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { RunEventBody } from '../protocol/run-event.ts';
import type { Task } from '../protocol/task.ts';
import { readAnswer } from './answer.ts';
import { CANCELLED, faultOf, faultOfEnd, tokenOf } from './fault.ts';
import { depthIsSpent, joinDeadline, planDeadline, stageDeadline } from './grant.ts';
import { isOutcomeOf, type Joined } from './join.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import { executedReport, reportOf, rootReport, NO_DECISION, type Gathered } from './report.ts';
import { laterIn, type Claimant } from './budget.ts';
import { grown, mayAskAgain, needsFault, notGrown, roundAfter, widthFault } from './decision-check.ts';
import { checkSynthesis, type Checked } from './synthesis-check.ts';

export type GatherInput = {
  task: Task;
  stage: number;
  children: readonly ChildSpec[];
  quorum?: number | undefined;
  /** Children that a later stage needs: no quorum closes over them. */
  required?: readonly string[];
  deadline: number;
  /** What earlier stages ended with. */
  before: readonly Ended[];
  /** Of the orchestrator: what an interim report is held against. */
  decision?: Decision;
  /** What of the budget is not for this stage: the claim of later ones, and of the synthesis. */
  later?: Claimant;
};
export type ExecuteInput = { task: Task; deadline: number };
/** What travels up, one hop at a time: findings of the subtree, critical ones at once. */
export type Upward = {
  type: 'espalier.up';
  from: string;
  findings: readonly Finding[];
  /** Ids of what has been taken back: said by an attempt that failed, and not critical. */
  retracted?: readonly string[];
};
/** The latest interim report of a node that still runs. It is not its end. */
export type InterimUpward = { type: 'espalier.interim'; from: string; report: Report };

type Context = {
  task: Task;
  decision: Decision | undefined;
  stage: number;
  ended: readonly Ended[];
  isCancelled: boolean;
  /** Which synthesis this is, from 1, and why the one before was rejected. */
  syntheses: number;
  rejection: Fault | undefined;
  outcome: UnsealedOutcome | undefined;
};
const MOST_SYNTHESES = 2;
const ASKED_AGAIN: ReadonlySet<FailureStatus> = new Set(['invalid', 'error', 'silent', 'refused']);

type Stub<Input, Output> = ActorLogic<Snapshot<Output>, AnyEventObject, Input, ActorSystem<ActorSystemInfo>>;
const unprovided = <Input, Output>(): Stub<Input, Output> => ({
  transition: (snapshot) => snapshot,
  getPersistedSnapshot: (snapshot) => snapshot,
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
});

export const orchestratorMachine = setup({
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- XState reads the types off the assertion
  types: {} as {
    context: Context;
    input: Task;
    output: UnsealedOutcome;
    events: { type: 'cancel' } | Upward | InterimUpward;
  },
  actors: {
    plan: unprovided<PlanInput, unknown>(),
    gather: unprovided<GatherInput, Joined>(),
    synthesize: unprovided<SynthesizeInput, unknown>(),
    execute: unprovided<ExecuteInput, UnsealedOutcome>(),
  },
  actions: {
    /** Hosts write them to the run's events. */
    record: (_, _events: readonly RunEventBody[]) => {},
    forward: enqueueActions(({ enqueue, event, self }) => {
      if (event.type !== 'espalier.up' || !self._parent) return;
      enqueue.sendTo(self._parent, { ...event, from: self.id });
    }),
    forwardInterim: enqueueActions(({ enqueue, event, self }) => {
      if (event.type !== 'espalier.interim' || !self._parent) return;
      enqueue.sendTo(self._parent, { type: 'espalier.interim', from: self.id, report: event.report });
    }),
    closeGather: sendTo('gather', { type: 'gather.cancel' }),
    cancelExecute: sendTo('execute', { type: 'leaf.cancel' }),
  },
}).createMachine({
  id: 'orchestrator',
  context: ({ input }) => ({
    // a copy that nobody can alter whom it is shown to; without input in a tool that only draws the chart
    task: deepFreeze({ ...input, grant: { ...input?.grant } }),
    decision: undefined,
    stage: 0,
    ended: [],
    isCancelled: false,
    syntheses: 1,
    rejection: undefined,
    outcome: undefined,
  }),
  initial: 'planning',
  on: { 'espalier.up': { actions: 'forward' }, 'espalier.interim': { actions: 'forwardInterim' } },
  states: {
    planning: {
      invoke: {
        src: 'plan',
        id: 'plan',
        input: ({ context: { task } }) => ({ task, deadline: planDeadline(task.grant) }),
        onDone: { target: 'deciding', actions: assign(({ context, event }) => decide(context, event.output)) },
        onError: {
          target: 'reported',
          actions: assign(({ context, event }) => planFailed(context, faultOf(event.error))),
        },
      },
      on: { cancel: { target: 'reported', actions: assign(({ context }) => planFailed(context, CANCELLED)) } },
    },
    deciding: {
      entry: { type: 'record', params: ({ context }) => decisionEvents(context) },
      always: [
        { guard: ({ context }) => context.outcome !== undefined, target: 'reported' },
        { guard: ({ context }) => context.decision?.mode === 'execute', target: 'executing' },
        { target: 'gathering' },
      ],
    },
    gathering: {
      invoke: {
        src: 'gather',
        id: 'gather',
        input: ({ context: { task, decision, stage, ended } }) => ({
          task,
          stage,
          children: decision?.stages[stage] ?? [],
          quorum: decision?.quorum,
          required:
            decision?.stages.slice(stage + 1).flatMap((later) => later.flatMap(({ needs }) => needs ?? [])) ?? [],
          deadline: stageDeadline(task.grant, decision ?? NO_DECISION, stage),
          before: ended,
          decision: decision ?? NO_DECISION,
          later: laterIn(decision ?? NO_DECISION, stage),
        }),
        onDone: [
          {
            guard: ({ event }) => !Array.isArray((event.output as Partial<Joined> | undefined)?.ended),
            target: 'reported',
            actions: assign(({ context, event }) => gatherFailed(context, faultOfEnd(event.output))),
          },
          {
            guard: ({ context }) => context.isCancelled,
            target: 'reported',
            actions: assign(({ context, event }) => conclude(withEnded(context, event.output), CANCELLED)),
          },
          {
            guard: ({ context: { stage, decision } }) => stage + 1 < (decision?.stages.length ?? 0),
            target: 'gathering',
            reenter: true,
            actions: assign(({ context, event }) => ({
              ended: withEnded(context, event.output).ended,
              stage: context.stage + 1,
            })),
          },
          {
            guard: ({ context: { decision } }) => mayAskAgain(decision),
            target: 'replanning',
            actions: assign(({ context, event }) => ({ ended: withEnded(context, event.output).ended })),
          },
          {
            target: 'synthesizing',
            actions: assign(({ context, event }) => ({ ended: withEnded(context, event.output).ended })),
          },
        ],
        onError: {
          target: 'reported',
          actions: assign(({ context, event }) => gatherFailed(context, faultOf(event.error))),
        },
      },
      on: { cancel: { actions: [assign({ isCancelled: true }), 'closeGather'] } },
    },
    /** A further round: the same decision, with at most one stage more. */
    replanning: {
      invoke: {
        src: 'plan',
        id: 'plan',
        input: ({ context: { task, decision, ended } }) => ({
          task,
          deadline: joinDeadline(task.grant),
          again: { round: roundAfter(decision), decision: decision ?? NO_DECISION, ended },
        }),
        onDone: {
          target: 'redeciding',
          actions: assign(({ context, event }) => ({ decision: grown(context, event.output) })),
        },
        onError: {
          target: 'redeciding',
          actions: assign(({ context, event }) => ({ decision: notGrown(context, faultOf(event.error).message) })),
        },
      },
      on: { cancel: { target: 'reported', actions: assign(({ context }) => conclude(context, CANCELLED)) } },
    },
    redeciding: {
      entry: { type: 'record', params: ({ context }) => decisionEvents(context) },
      always: [
        {
          guard: ({ context: { stage, decision } }) => stage + 1 < (decision?.stages.length ?? 0),
          target: 'gathering',
          actions: assign(({ context }) => ({ stage: context.stage + 1 })),
        },
        { target: 'synthesizing' },
      ],
    },
    synthesizing: {
      invoke: {
        src: 'synthesize',
        id: 'synthesize',
        input: ({ context: { task, decision, ended, syntheses, rejection } }) => ({
          task,
          decision: decision ?? NO_DECISION,
          ended,
          deadline: task.grant.deadline,
          attempt: syntheses,
          ...(rejection && { fault: rejection }),
        }),
        onDone: {
          target: 'judging',
          actions: assign(({ context, event }) => judge(context, checkSynthesis(event.output, context))),
        },
        onError: {
          target: 'judging',
          actions: assign(({ context, event }) => judge(context, { fault: faultOf(event.error) })),
        },
      },
      on: { cancel: { target: 'reported', actions: assign(({ context }) => conclude(context, CANCELLED)) } },
    },
    judging: {
      entry: { type: 'record', params: ({ context }) => rejectionEvents(context) },
      always: [
        { guard: ({ context }) => context.outcome === undefined, target: 'synthesizing' },
        { target: 'reported' },
      ],
    },
    executing: {
      invoke: {
        src: 'execute',
        id: 'execute',
        input: ({ context: { task } }) => ({ task, deadline: task.grant.deadline }),
        onDone: {
          target: 'reported',
          actions: assign(({ context, event }) => executed(context, event.output)),
        },
        onError: {
          target: 'reported',
          actions: assign(({ context, event }) => executed(context, tokenOf(context.task, faultOf(event.error), 1))),
        },
      },
      on: { cancel: { actions: 'cancelExecute' } },
    },
    reported: { type: 'final' },
  },
  output: ({ context: { task, outcome } }) => {
    const ended = outcome ?? tokenOf(task, { status: 'error', message: 'ended without an outcome' }, 1);
    return task.path.includes('/') ? ended : rootReport(task, ended);
  },
});

type Part = Partial<Context>;

function decide({ task }: Context, answer: unknown): Part {
  const read = readAnswer(Decision, answer);
  if (!('value' in read)) {
    const message = `the plan has the wrong shape: ${read.why}`;
    return planFault(task, { status: 'invalid', message });
  }
  const decision = read.value;
  const fault = needsFault(decision) ?? widthFault(decision, task.grant);
  if (fault) return planFault(task, fault);
  if (decision.mode === 'execute' || !depthIsSpent(task.grant)) return { decision };
  const demoted = decision.stages.flat().map((child) => child.name);
  return { decision: { ...decision, mode: 'execute', stages: [], demoted } };
}

const planFault = (task: Task, { status, message }: Fault): Part => ({
  outcome: tokenOf(task, { status, message: `plan: ${message}` }, 1),
});
const planFailed = ({ task }: Context, fault: Fault): Part => planFault(task, fault);

const withEnded = (context: Context, joined: Joined): Context => ({
  ...context,
  ended: [...context.ended, ...joined.ended],
});

const gatheredOf = ({ task, decision, ended }: Context): Gathered => ({
  task,
  decision: decision ?? NO_DECISION,
  ended,
});

/** Ends with what was gathered, without asking for a synthesis. */
const conclude = (context: Context, fault: Fault): Part => ({ outcome: reportOf(gatheredOf(context), { fault }) });

/** The stage's children are lost with their gather; what they had said is with the one who waits for this node. */
function gatherFailed(context: Context, { status, message }: Fault): Part {
  const partial = context.ended.length > 0 ? reportOf(gatheredOf(context), { fault: { status, message } }) : undefined;
  return { outcome: tokenOf(context.task, { status, message: `gather: ${message}` }, 1, partial) };
}

function executed({ task, decision }: Context, output: unknown): Part {
  const outcome = isOutcomeOf(output, task.path) ? output : tokenOf(task, faultOfEnd(output), 1);
  return { outcome: executedReport(task, decision ?? NO_DECISION, outcome) };
}

/** Accepts, asks once more with the fault explained, or replaces by the deterministic synthesis. */
function judge(context: Context, checked: Checked): Part {
  if (!('fault' in checked)) return { rejection: undefined, outcome: reportOf(gatheredOf(context), checked) };
  const { fault } = checked;
  const mayRetry = context.syntheses < MOST_SYNTHESES && ASKED_AGAIN.has(fault.status);
  if (mayRetry) return { rejection: fault, syntheses: context.syntheses + 1 };
  return { rejection: fault, outcome: reportOf(gatheredOf(context), { fault }) };
}

function decisionEvents({ task: { path, grant }, decision }: Context): RunEventBody[] {
  if (!decision) return [];
  const planned: RunEventBody = { type: 'node.planned', path, decision };
  const { demoted } = decision;
  if (!demoted) return [planned];
  const maxDepth = depthOf(path) + grant.depthLeft;
  return [planned, { type: 'depth.refused', path, maxDepth, children: demoted }];
}

function rejectionEvents({ task: { path }, rejection, outcome, syntheses }: Context): RunEventBody[] {
  if (!rejection) return [];
  const willRetry = outcome === undefined;
  const attempt = willRetry ? syntheses - 1 : syntheses;
  return [{ type: 'synthesis.rejected', path, attempt, fault: rejection, willRetry }];
}
