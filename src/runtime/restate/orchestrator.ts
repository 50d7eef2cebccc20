/**
 * An orchestrator as one invocation: the same statechart, driven by its pure transition. The statechart has one effect
 * at a time, so that driving it is a plain loop; what each effect came to is in the journal.
 */
import { TerminalError } from '@restatedev/restate-sdk';
import { initialTransition, transition } from 'xstate';
import type { PlanInput, SynthesizeInput } from '../../ports/activities.ts';
import { Decision } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { UnsealedOutcome } from '../../protocol/report.ts';
import { isMaking } from '../../activities/sub-domains.ts';
import { EXPIRED, SILENT } from '../../tier/attempt.ts';
import { errorOf } from '../../tier/fault.ts';
import { orchestratorMachine, type ExecuteInput, type GatherInput } from '../../tier/orchestrator-machine.ts';
import { gather } from './gather.ts';
import { driveLeaf } from './leaf.ts';
import type { Node, SliceWord } from './node.ts';
import { perform } from './perform.ts';
import { isLimited, leftFor, Purse, settle } from './purse.ts';
import type { NodeInput } from './wire.ts';
import type { Means } from './work.ts';

export type OrchestratorEnd = { outcome: UnsealedOutcome; at: number; purse: Purse };

type Done = { output: unknown } | { fault: Fault } | 'cancelled';
/** What the statechart invokes, as a transition tells it. */
type Effect =
  | { id: 'plan'; input: PlanInput }
  | { id: 'gather'; input: GatherInput }
  | { id: 'synthesize'; input: SynthesizeInput }
  | { id: 'execute'; input: ExecuteInput };
type Action = { readonly type: string; readonly params?: unknown };

export async function driveOrchestrator(given: Node, { task }: NodeInput): Promise<OrchestratorEnd> {
  let node = given;
  const { kit, outbox } = node;
  const { activities } = kit;
  const purse = new Purse(task.grant.budget);
  let at = task.grant.issuedAt;
  let times = 0;

  /** What it has spent itself. */
  const book = (): void => {
    const spent = purse.takeUnbooked();
    if (isLimited(node) && spent) settle(node, { path: task.path, isOver: false, spent });
  };
  const step = async (
    name: string,
    deadline: number,
    start: (means: Means<SliceWord>) => Promise<unknown>,
  ): Promise<Done> => {
    const { path } = task;
    const done = await perform(node, {
      name: `${name} ${++times}`,
      purse,
      job: { path, deadline, start },
      hear(said) {
        for (const { at: when, told } of said) if (told.type === 'event') outbox.note(when, told.event);
        return true;
      },
    });
    at = Math.max(at, done.at);
    book();
    const { end } = done;
    if (!end || 'isAborted' in end) return 'cancelled';
    if ('isExpired' in end) return { fault: EXPIRED };
    if ('fault' in end) return { fault: end.fault };
    return end.value === null ? { fault: SILENT } : { output: end.value };
  };
  const performed = async (effect: Effect): Promise<Done> => {
    switch (effect.id) {
      case 'plan': {
        const { input } = effect;
        const done = await step('plan', input.deadline, (means) => activities.plan(input, means));
        if (typeof done === 'object' && 'output' in done) node = withMade(node, task.path, done.output);
        return done;
      }
      case 'synthesize': {
        const { input } = effect;
        if (isLimited(node)) purse.left = await leftFor(node, task.path);
        return step('synthesize', input.deadline, (means) => activities.synthesize(input, means));
      }
      case 'gather': {
        const joined = await gather(node, effect.input, { purse });
        return { output: joined };
      }
      case 'execute': {
        const leaf = { task: effect.input.task, estimateMs: undefined, isDemoted: true, startedAt: at, purse };
        const end = await driveLeaf(node, leaf);
        at = Math.max(at, end.at);
        book();
        return { output: end.outcome };
      }
    }
  };

  let [snapshot, actions] = initialTransition(orchestratorMachine, task);
  const send = (event: object): void => {
    [snapshot, actions] = transition(orchestratorMachine, snapshot, event as never);
  };
  while (snapshot.status === 'active') {
    for (const event of recordedIn(actions)) outbox.note(at, event);
    outbox.flush(at);
    const effect = effectIn(actions, JSON.stringify(snapshot.value));
    const { isAsked } = node.cancellation;
    const done = await performed(effect);
    const { id } = effect;
    if (done === 'cancelled') {
      send({ type: 'cancel' });
      continue;
    }
    if (node.cancellation.isAsked && !isAsked) send({ type: 'cancel' });
    if (snapshot.status !== 'active') break;
    if ('fault' in done) send({ type: `xstate.error.actor.${id}`, error: errorOf(done.fault), actorId: id });
    else send({ type: `xstate.done.actor.${id}`, output: done.output, actorId: id });
  }
  for (const event of recordedIn(actions)) outbox.note(at, event);
  if (!snapshot.output) throw new TerminalError(`the statechart of ${task.path} ended as ${snapshot.status}`);
  return { outcome: snapshot.output, at, purse };
}

function recordedIn(actions: readonly Action[]): RunEventBody[] {
  return actions.flatMap(({ type, params }) => (type === 'record' ? Object.values(params as RunEventBody[]) : []));
}

function effectIn(actions: readonly Action[], state: string): Effect {
  const invoked = actions.filter(({ type }) => type === 'xstate.spawnChild');
  if (invoked.length === 1) return invoked[0]?.params as Effect;
  throw new TerminalError(`${invoked.length} effects at once in ${state}; the statechart has one at a time`);
}

/** What a decision makes can be looked up from then on, by whoever works below it. */
function withMade(node: Node, path: string, answer: unknown): Node {
  if (!isMaking(answer)) return node;
  const { data } = Decision.safeParse(answer);
  if (!data) return node;
  const made = [...node.made.filter((one) => one.path !== path), { path, stages: data.stages }];
  node.kit.adopt(made);
  return { ...node, made };
}
