/**
 * An orchestrator with its subtree: the statechart and the join by their pure functions, over children that are parts.
 *  - A message in flight is a child that has ended but was not delivered.
 *  - Every timer may fire at any moment at which it exists, or never. Anybody may be cancelled at any moment.
 *  - What is said live is heard at once by every join above.
 */
import type { Ended } from '../../src/ports/activities.ts';
import type { ChildSpec, Decision } from '../../src/protocol/decision.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import { childPath, depthOf, nameOf } from '../../src/protocol/path.ts';
import type { Task } from '../../src/protocol/task.ts';
import { cloneJoin, type Join, type Joined, type JoinEvent } from '../../src/tier/join.ts';
import type { GatherInput } from '../../src/tier/orchestrator-machine.ts';
import { bodyOf } from '../../src/tier/synthesis-check.ts';
import { reportOf } from '../tier/samples.ts';
import { done, failed, planAnswers, synthesisAnswers, TIMEOUT } from './answers.ts';
import type { ChartSnapshot, Core, Stepped } from './core.ts';
import { labelOf } from './bounds.ts';
import {
  interning,
  summaryOf,
  viewAt,
  viewOf,
  type Move,
  type Must,
  type Part,
  type State,
  type Tally,
} from './part.ts';

export type TierBounds = {
  readonly decision: Decision;
  readonly isSymmetric: boolean;
  readonly maxDepth: number;
  /** Gathers may break or end with rubbish. */
  readonly hostFaults: boolean;
  /** What a child's place is taken by. */
  child(spec: ChildSpec, task: Task): Part;
  /** What works in the orchestrator's place when depth is spent. */
  execute(task: Task): Part;
};
type Kid = {
  readonly name: string;
  readonly part: Part;
  readonly state: State;
  readonly at: 'live' | 'delivered' | 'stopped';
};
/** `heard`: the criticals that its closed joins had heard. `isCutting`: its children have been told to cancel. */
type TierNode = State & {
  readonly snapshot: ChartSnapshot;
  readonly invoked: string | undefined;
  readonly join: Join | undefined;
  readonly kids: readonly Kid[];
  readonly heard: readonly Finding[];
  readonly isCutting: boolean;
};
type Draft = Omit<TierNode, 'id' | 'view'>;

const INVOKED = new Set(['plan', 'gather', 'synthesize', 'execute']);

export function tierPart(core: Core, task: Task, bounds: TierBounds, tally: Tally, must: Must): Part {
  const { path } = task;
  const { decision, isSymmetric, hostFaults } = bounds;
  const intern = interning<TierNode>(tally);
  const label = labelOf(decision, isSymmetric);
  const inOrder = (keys: string[]): string => (isSymmetric ? keys.sort() : keys).join();
  const endedKey = (ended: Iterable<Ended>): string =>
    inOrder(
      Array.from(ended, ({ name, outcome, notNeeded }) => {
        return `${label(name)}${notNeeded ? '-' : '='}${summaryOf(outcome as never, isSymmetric)}`;
      }),
    );
  const chartKey = onceFor(({ value, context }: ChartSnapshot): string => {
    const { stage, isCancelled, syntheses, ended, outcome, decision } = context;
    const plan = [decision?.stages.length, decision?.mayGrow, decision?.round];
    const end = outcome && summaryOf(outcome, isSymmetric);
    return JSON.stringify([value, stage, plan, isCancelled, syntheses, endedKey(ended), end]);
  });
  const joinKey = onceFor(
    ({ quorum, reported, ended }: Join): string => `${quorum} ${reported} ${endedKey(ended.values())}`,
  );
  const pathOf = ({ name, part }: Kid): string => (part.path === path ? path : childPath(path, name));
  const viewOfKid = (kid: Kid) => viewAt(kid.part, kid.state, pathOf(kid));
  /** `isDeep` false: all that a join depends on when it closes, whatever goes on inside its children. */
  const keyOf = ({ snapshot, join, kids, heard, isCutting }: Draft, isDeep: boolean): string => {
    const below = kids.map(({ name, at, state }) => {
      return `${label(name)}${at}${isDeep && at === 'live' ? state.id : state.view.key}`;
    });
    const said = isSymmetric ? heard.length : heard.map(({ id }) => id).join();
    return `${chartKey(snapshot)}|${join && joinKey(join)}|${inOrder(below)}|${said}|${isCutting}`;
  };
  const heardIn = ({ kids, heard }: Draft): readonly Finding[] => [
    ...heard,
    ...kids.flatMap((kid) => viewOfKid(kid).heard),
  ];
  const settled = (draft: Draft): TierNode =>
    intern(keyOf(draft, true), (id) => ({
      ...draft,
      id,
      view: viewOf(path, heardIn(draft), draft.snapshot.output, isSymmetric),
    }));

  /** orchestrator-machine 1: at most one invoked actor, under a fixed id. */
  const followInvoked = (before: string | undefined, actions: Stepped[1], at: string): string | undefined => {
    let invoked = before;
    for (const { type, params } of actions) {
      const { id, src } = (params ?? {}) as { id?: string; src?: string };
      if (type === 'xstate.stopChild') {
        must(id === invoked, () => `${at}: stops ${id} while ${invoked} is invoked`);
        invoked = undefined;
      } else if (type === 'xstate.spawnChild') {
        must(invoked === undefined, () => `${at}: invokes ${id} beside ${invoked}`);
        must(id !== undefined && id === src && INVOKED.has(id), () => `${at}: invokes ${src} as ${id}`);
        invoked = id;
      }
    }
    return invoked;
  };
  /** The statechart has made a step, and what it had invoked is over or stands. */
  const stepped = (node: Omit<Draft, 'snapshot'>, [snapshot, actions]: Stepped): TierNode => {
    const at = `${path} in ${JSON.stringify(snapshot.value)}`;
    const invoked = followInvoked(node.invoked, actions, at);
    const hasEnded = snapshot.status === 'done';
    must(hasEnded || snapshot.status === 'active', () => `${at}: status ${snapshot.status}`);
    must(hasEnded === (invoked === undefined), () => `${at}: ${invoked} is invoked`);
    must(invoked === 'gather' || node.kids.length === 0, () => `${at}: goes on beside its children`);
    if (hasEnded) checkEnd(snapshot, node.heard, at);
    const next: Draft = { ...node, snapshot, invoked };
    for (const { type, params } of actions) {
      if (type !== 'xstate.spawnChild') continue;
      const { src, input } = params as { src: string; input: GatherInput & { task: Task } };
      if (src === 'gather') return opened(next, input);
      if (src !== 'execute') continue;
      const part = bounds.execute(input.task);
      return settled({ ...next, kids: [{ name: nameOf(path), part, state: part.initial, at: 'live' }] });
    }
    return settled(next);
  };
  /** An orchestrator's own report has every critical in it; beside a token, whoever waits knows them. */
  const checkEnd = ({ output, context: { outcome } }: ChartSnapshot, heard: readonly Finding[], at: string): void => {
    must(output !== undefined && outcome !== undefined, () => `${at}: no outcome`);
    if (outcome?.kind !== 'report') return;
    const lost = heard.filter(({ id }) => !outcome.escalations.some((one) => one.id === id));
    must(lost.length === 0, () => `${at}: ended without the critical ${lost[0]?.id}`);
  };
  const opened = (node: Draft, { task, children, quorum, required, deadline, before }: GatherInput): TierNode => {
    const grants = children.map((child) => core.childGrant(task.grant, child, deadline, 0));
    for (const { depthLeft } of grants) {
      const isWithin = depthLeft >= 0 && depthOf(path) + 1 + depthLeft === bounds.maxDepth;
      must(isWithin, () => `${path}: depth breach, ${depthLeft} left below it of ${bounds.maxDepth}`);
    }
    checkNeeds(children, before);
    const named = children.map(({ name, role }) => ({ name, tier: role === 'leaf' ? role : ('domain' as const) }));
    const [join, effects] = core.openJoin({
      runId: task.runId,
      path: task.path,
      children: named,
      quorum,
      required,
      startedAt: 0,
      heard: () => [],
    });
    const kids = children.map((child, i): Kid => {
      const grant = grants[i];
      if (!grant) throw new Error('unreachable');
      const below = { ...task, path: childPath(path, child.name), grant };
      const part = bounds.child(child, { ...below, tier: child.role === 'leaf' ? 'leaf' : 'domain' });
      return { name: child.name, part, state: part.initial, at: 'live' };
    });
    const [closed] = effects.flatMap((effect) => (effect.type === 'close' ? effect.joined : []));
    if (!closed) return settled({ ...node, join, kids, isCutting: false });
    return stepped({ ...node, join: undefined, kids: [] }, core.chartStep(node.snapshot, done('gather', closed)));
  };
  const checkNeeds = (children: readonly ChildSpec[], before: readonly Ended[]): void => {
    for (const { name, needs = [] } of children) {
      const unmet = needs.find((need) => before.find((one) => one.name === need)?.notNeeded !== undefined);
      must(unmet === undefined, () => `${path}/${name}: needs ${unmet}, which a quorum cut off`);
      const absent = needs.find((need) => !before.some((one) => one.name === need));
      must(absent === undefined, () => `${path}/${name}: begins before ${absent}, which it needs`);
    }
  };

  const closings = new Map<string, TierNode>();
  const heardOf = onceFor((_: Join) => new Map<string, Join>());
  /** The join hears of something; when it closes, so does the gather. */
  const joined = (node: TierNode, event: JoinEvent, kids: readonly Kid[]): TierNode => {
    const { join } = node;
    if (!join) throw new Error(`${path} has no join`);
    const of = 'name' in event ? kids.find(({ name }) => name === event.name) : undefined;
    const hearing = `${event.type} ${of?.name} ${of?.state.id}`;
    const after = heardOf(join).get(hearing);
    if (after) return settled({ ...node, join: after, kids });
    const closing = `${event.type} ${of && label(of.name)}${keyOf({ ...node, kids }, false)}`;
    const closed = closings.get(closing);
    if (closed) return closed;
    const stepped = joinStepped(join, event, kids);
    const [close] = stepped.effects.flatMap((effect) => (effect.type === 'close' ? effect.joined : []));
    if (!close) {
      heardOf(join).set(hearing, stepped.join);
      return settled({ ...node, join: stepped.join, kids });
    }
    const next = closedBy({ ...node, kids }, stepped, close);
    closings.set(closing, next);
    return next;
  };
  const closedBy = (node: Draft, { join, effects }: ReturnType<typeof joinStepped>, close: Joined): TierNode => {
    const stopped = new Set(effects.flatMap((effect) => (effect.type === 'stop' ? effect.name : [])));
    for (const { name, at } of node.kids) {
      must((at === 'live') === stopped.has(name), () => `${path}/${name}: ${at} when its join closed: an orphan`);
    }
    must(close.ended.length === join.children.size, () => `${path}: ${close.ended.length} ends at its close`);
    checkClosed(join);
    const after = { ...node, join: undefined, kids: [], heard: heardIn(node), isCutting: false };
    return stepped(after, core.chartStep(node.snapshot, done('gather', close)));
  };
  const joinStepped = (before: Join, event: JoinEvent, kids: readonly Kid[]) => {
    const byName = new Map(kids.map((kid) => [kid.name, kid]));
    const heard = (name: string): readonly Finding[] => viewOfKid(byName.get(name) as Kid).heard;
    const join: Join = { ...cloneJoin(before), heard };
    const effects = core.joinStep(join, event);
    for (const effect of effects) {
      if (effect.type !== 'sealed') continue;
      const { name, outcome } = effect;
      must(!before.ended.has(name), () => `${path}/${name}: ended twice`);
      const standing = new Set(bodyOf(outcome)?.escalations.map((finding) => JSON.stringify(finding)));
      const isKept = heard(name).every((finding) => standing.has(JSON.stringify(finding)));
      must(isKept && standing.size === heard(name).length, () => `${path}/${name}: a critical was lost at its end`);
    }
    return { join, effects };
  };
  /** join 1 and 2: in whatever state a join is closed, nothing opens it again. */
  const checkClosed = (join: Join): void => {
    for (const name of join.children.keys()) {
      const output = reportOf(childPath(path, name));
      const [late, ...more] = core.joinStep(join, { type: 'ended', name, output, at: 9 });
      const isIgnored = late?.type === 'ignored' && late.why === 'late' && more.length === 0;
      must(isIgnored, () => `${path}/${name}: heeded after its join had closed`);
    }
    must(core.joinStep(join, { type: 'expired', at: 9 }).length === 0, () => `${path}: expired after its close`);
  };
  const checkDuplicates = onceFor((join: Join): true => {
    for (const name of join.ended.keys()) {
      const clone = cloneJoin(join);
      const output = reportOf(childPath(path, name));
      const [again, ...more] = core.joinStep(clone, { type: 'ended', name, output, at: 9 });
      const isIgnored = again?.type === 'ignored' && again.why === 'duplicate' && more.length === 0;
      must(isIgnored && clone.ended.get(name) === join.ended.get(name), () => `${path}/${name}: ended twice`);
    }
    return true;
  });

  const ownMoves = (node: TierNode): Move[] => {
    const { invoked, snapshot } = node;
    const heard = heardIn(node);
    const answered = ([name, event, by]: readonly [string, object, Move['by']]): Move => {
      const rest = { ...node, join: undefined, kids: [], heard, isCutting: false };
      return { name: `${path} ${name}`, by, to: stepped(rest, core.chartStep(snapshot, event)) };
    };
    if (invoked === 'plan') return planAnswers(snapshot, decision).map(answered);
    if (invoked === 'synthesize') return synthesisAnswers().map(answered);
    if (invoked !== 'gather' || !hostFaults) return [];
    return [answered(['breaks', failed('gather', TIMEOUT), 'fault']), answered(['lies', done('gather', 7), 'fault'])];
  };
  const kidMoves = (node: TierNode, kid: Kid, index: number): Move[] => {
    const { name, part, state, at } = kid;
    const to = pathOf(kid);
    const put = (changed: Kid): readonly Kid[] => node.kids.map((old, i) => (i === index ? changed : old));
    if (at !== 'live') return [];
    const moves = part.moves(state).map((move): Move => {
      return {
        name: `${to} ${move.name}`,
        by: move.by,
        to: settled({ ...node, kids: put({ ...kid, state: move.to }) }),
      };
    });
    const isOver = (kids: readonly Kid[], event: JoinEvent, instead: object): TierNode =>
      node.join
        ? joined(node, event, kids)
        : stepped({ ...node, kids: [], heard: heardIn(node) }, core.chartStep(node.snapshot, instead));
    const { outcome } = viewOfKid(kid);
    const delivered = put({ ...kid, at: 'delivered' });
    if (outcome) {
      const event: JoinEvent = { type: 'ended', name, output: outcome, at: 1 };
      moves.push({ name: `${to} is delivered`, by: 'work', to: isOver(delivered, event, done('execute', outcome)) });
    } else {
      const event: JoinEvent = { type: 'crashed', name, error: TIMEOUT, at: 1 };
      moves.push({ name: `${to} crashes`, by: 'fault', to: isOver(delivered, event, failed('execute', TIMEOUT)) });
    }
    return moves;
  };
  const chartCancelled = onceFor((snapshot: ChartSnapshot) => core.chartStep(snapshot, { type: 'cancel' }));
  const joinCancelling = onceFor((join: Join): Join => {
    const cutting = cloneJoin(join);
    must(core.joinStep(cutting, { type: 'cancelling' }).length === 0, () => `${path}: closed before its cutoff`);
    return cutting;
  });
  const cancelled = (node: TierNode): TierNode => {
    const { snapshot, join, kids } = node;
    const told = (): readonly Kid[] =>
      kids.map((kid) =>
        kid.at === 'live' && !kid.state.view.outcome ? { ...kid, state: kid.part.cancel(kid.state) } : kid,
      );
    const next = chartCancelled(snapshot);
    const isTold = next[1].some(({ type }) => type === 'xstate.sendTo');
    if (node.invoked === 'execute') {
      must(isTold, () => `${path}: its execute was not told`);
      return settled({ ...node, snapshot: next[0], kids: told() });
    }
    if (!join) return stepped(node, next);
    must(isTold, () => `${path}: its gather was not told`);
    return settled({ ...node, snapshot: next[0], join: joinCancelling(join), kids: told(), isCutting: true });
  };

  const movesOf = (node: TierNode): Move[] => {
    if (node.snapshot.status !== 'active') {
      checkEnded(node.snapshot);
      return [];
    }
    const moves: Move[] = [{ name: `${path} is cancelled`, by: 'cancel', to: cancelled(node) }];
    if (node.join) {
      checkDuplicates(node.join);
      moves.push({ name: `${path} expires`, by: 'timer', to: joined(node, { type: 'expired', at: 1 }, node.kids) });
      const event: JoinEvent = { type: 'cancelled', at: 1 };
      if (node.isCutting) moves.push({ name: `${path} cuts off`, by: 'work', to: joined(node, event, node.kids) });
    }
    for (const [index, kid] of node.kids.entries()) moves.push(...kidMoves(node, kid, index));
    moves.push(...ownMoves(node));
    // No deadlock, and none that only a timer or somebody's patience would end.
    must(
      moves.some(({ by, to }) => by === 'work' && to !== node),
      () => `${path}: no progress without timers in ${JSON.stringify(node.snapshot.value)}`,
    );
    // To be cancelled again may change nothing; every other answer must be heeded.
    for (const { name, by, to } of moves) must(by === 'cancel' || to !== node, () => `${name}: goes nowhere`);
    return moves.filter(({ to }) => to !== node);
  };
  const checkEnded = (snapshot: ChartSnapshot): void => {
    const joined = { closedBy: 'all', ended: [] };
    const up = { type: 'espalier.up', from: 'x', findings: [] };
    for (const event of [{ type: 'cancel' }, done('gather', joined), failed('plan', TIMEOUT), up]) {
      const [after, actions] = core.chartStep(snapshot, event);
      const isSame = after.context.outcome === snapshot.context.outcome && after.output === snapshot.output;
      must(isSame && actions.length === 0, () => `${path}: ${event.type} changed it after its end`);
    }
  };

  const began = core.beginChart(task);
  const empty = { invoked: undefined, join: undefined, kids: [], heard: [], isCutting: false };
  return {
    path,
    initial: stepped(empty, began),
    moves: (state) => movesOf(state as TierNode),
    cancel: (state) => cancelled(state as TierNode),
  };
}

/** Of the same object always the same: computed once. */
function onceFor<T extends object, Result>(compute: (of: T) => Result): (of: T) => Result {
  const known = new WeakMap<T, { result: Result }>();
  return (of) => {
    let kept = known.get(of);
    if (!kept) known.set(of, (kept = { result: compute(of) }));
    return kept.result;
  };
}
