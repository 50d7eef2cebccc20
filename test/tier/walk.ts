/**
 * Walks every interleaving of a tree by the pure functions alone: no actors, no time.
 *  - A message in flight is a child that has ended but was not delivered.
 *  - Every timer may fire at any moment at which it exists, or never.
 *  - What is said live is heard at once by every join above.
 */
import { initialTransition, transition } from 'xstate';
import type { Ended } from '../../src/ports/activities.ts';
import type { Decision } from '../../src/protocol/decision.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import { isHole } from '../../src/protocol/gap.ts';
import { childPath, nameOf } from '../../src/protocol/path.ts';
import { UnsealedOutcome } from '../../src/protocol/report.ts';
import { cloneJoin, joinStep, openJoin, type Join, type JoinEvent } from '../../src/tier/join.ts';
import { orchestratorMachine, type GatherInput } from '../../src/tier/orchestrator-machine.ts';
import { bodyOf } from '../../src/tier/synthesis-check.ts';
import { decisionOf, grantOf, leaf, orchestrator, taskOf, tokenOf } from './samples.ts';
import { broken, done, failed, reported, roundAnswers, said, TIMEOUT } from './walk-answers.ts';

export type WalkOptions = {
  /** Takes siblings to be interchangeable: far fewer states. */
  symmetric?: boolean;
  /** Leaves stand in stages of one. */
  staged?: boolean;
  quorum?: number;
  /** Leaves may say their finding before they end. */
  speaks?: boolean;
  /** Gathers may break or end with rubbish. */
  hostFaults?: boolean;
  maxDepth?: number;
  /** The root may be asked for one stage more, and then for none. */
  grows?: boolean;
  limit?: number;
};
export type Tally = {
  states: number;
  edges: number;
  /** How often each way to end was reached. */
  outcomes: Record<string, number>;
  checks: number;
  problems: string[];
};

type Snapshot = ReturnType<typeof initialTransition<typeof orchestratorMachine>>[0];
type Actions = readonly { type: string; params?: unknown }[];
type LeafKid = { kind: 'leaf'; path: string; at: 'running' | 'ended' | 'delivered' | 'stopped'; hasSpoken: boolean } & {
  outcome?: UnsealedOutcome;
};
type NodeKid = { kind: 'node'; path: string; at: 'live' | 'delivered' | 'stopped'; node: Node };
type Kid = LeafKid | NodeKid;
/** An orchestrator with its subtree. `heard`: the criticals that its closed joins had heard. */
type Node = {
  key: string;
  path: string;
  widths: readonly number[];
  snapshot: Snapshot;
  invoked: string | undefined;
  join: Join | undefined;
  kids: readonly Kid[];
  heard: readonly Finding[];
};
/** `work` happens if all work ends sometime; `timer` and `cancel` may never come. */
type Move = { name: string; by: 'work' | 'timer' | 'cancel'; to: Node };

const INVOKED = new Set(['plan', 'gather', 'synthesize', 'execute']);
const step = (snapshot: Snapshot, event: object): [Snapshot, Actions] =>
  transition(orchestratorMachine, snapshot, event as never) as [Snapshot, Actions];

/** A node that stands for all of its symmetric siblings is told under the path of the one it stands for. */
const moved = <T>(value: T, from: string, to: string): T =>
  from === to ? value : (JSON.parse(JSON.stringify(value).replaceAll(from, to)) as T);

/** What those above have heard a child's subtree say. */
function heardFrom(kid: Kid): readonly Finding[] {
  if (kid.kind === 'node') return moved(heardIn(kid.node), kid.node.path, kid.path);
  const hasReported = kid.at === 'delivered' && (bodyOf(kid.outcome as never)?.findings.length ?? 0) > 0;
  return kid.hasSpoken || hasReported ? [said(kid.path)] : [];
}
const heardIn = (node: Node): readonly Finding[] =>
  node.snapshot.status === 'done' ? node.heard : [...node.heard, ...node.kids.flatMap(heardFrom)];

/** All of an outcome that a parent's further course depends on. */
function summaryOf(outcome: UnsealedOutcome): string {
  const body = bodyOf(outcome as never);
  const hasHole = body?.gaps.some(isHole) ? 'hole' : '';
  return `${outcome.kind}${outcome.kind === 'report' ? outcome.status : ''}${body?.escalations.length ?? '-'}${hasHole}`;
}

export function walk(
  widths: readonly number[],
  {
    symmetric = false,
    staged = false,
    quorum,
    speaks = false,
    hostFaults = false,
    maxDepth = 9,
    grows = false,
    limit = 5_000_000,
  }: WalkOptions = {},
): Tally {
  const tally: Tally = { states: 0, edges: 0, outcomes: {}, checks: 0, problems: [] };
  const must = (isSo: boolean, what: () => string): void => {
    tally.checks++;
    if (!isSo && tally.problems.length < 20) tally.problems.push(what());
  };
  const inOrder = (keys: string[]): string[] => (symmetric ? keys.sort() : keys);
  const endedKey = (ended: Iterable<Ended>): string =>
    inOrder(Array.from(ended, ({ name, outcome }) => (symmetric ? '' : name) + summaryOf(outcome))).join();
  const kidKey = (kid: Kid, isDeep: boolean): string => {
    const outcome = kid.kind === 'leaf' ? kid.outcome : kid.node.snapshot.output;
    const end = outcome ? summaryOf(outcome) : '';
    if (kid.kind === 'leaf') return `${kid.at}${kid.hasSpoken}${end}`;
    return `${kid.at}${isDeep ? kid.node.key : heardFrom(kid).length + end}`;
  };
  /** `isDeep` false: all that a join depends on when it closes, whatever goes on inside its children. */
  const keyOf = ({ snapshot, join, kids, path, widths, heard }: Omit<Node, 'key'>, isDeep: boolean): string => {
    const { stage, isCancelled, syntheses, ended, outcome, decision } = snapshot.context;
    const own = [
      snapshot.value,
      stage,
      decision?.stages.length,
      decision?.mayGrow,
      isCancelled,
      syntheses,
      endedKey(ended),
      outcome ? summaryOf(outcome) : 0,
    ];
    const below = [join ? endedKey(join.ended.values()) : 0, inOrder(kids.map((kid) => kidKey(kid, isDeep)))];
    return JSON.stringify([symmetric ? widths : path, own, below, heard.length]);
  };
  const interned = new Map<string, Node>();
  const intern = (node: Omit<Node, 'key'>): Node => {
    const key = keyOf(node, true);
    let known = interned.get(key);
    if (!known) interned.set(key, (known = { ...node, key }));
    return known;
  };

  /** orchestrator-machine 1: at most one invoked actor, under a fixed id. */
  const followInvoked = (node: Omit<Node, 'key'>, actions: Actions, at: string): string | undefined => {
    let { invoked } = node;
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
  const settle = (node: Omit<Node, 'key' | 'snapshot'>, [snapshot, actions]: [Snapshot, Actions]): Node => {
    const at = `${node.path} in ${JSON.stringify(snapshot.value)}`;
    const invoked = followInvoked({ ...node, snapshot }, actions, at);
    const hasEnded = snapshot.status === 'done';
    must(hasEnded || snapshot.status === 'active', () => `${at}: status ${snapshot.status}`);
    must(hasEnded === (invoked === undefined), () => `${at}: ${invoked} is invoked`);
    const next = { ...node, snapshot, invoked };
    const gather = actions.find(({ type, params }) => type === 'xstate.spawnChild' && (params as any).src === 'gather');
    return gather ? open(next, (gather.params as { input: GatherInput }).input) : intern(next);
  };
  const open = (node: Omit<Node, 'key'>, { task, children, quorum }: GatherInput): Node => {
    const named = children.map(({ name, role }) => ({ name, tier: role === 'leaf' ? role : ('domain' as const) }));
    const [join, effects] = openJoin({
      runId: task.runId,
      path: task.path,
      children: named,
      quorum,
      startedAt: 0,
      heard: () => [],
    });
    const kids = children.map(({ name, role }): Kid => {
      const path = childPath(node.path, name);
      return role === 'leaf'
        ? { kind: 'leaf', path, at: 'running', hasSpoken: false }
        : { kind: 'node', path, at: 'live', node: begin(path, node.widths.slice(1)) };
    });
    const [closed] = effects.flatMap((effect) => (effect.type === 'close' ? effect.joined : []));
    if (!closed) return intern({ ...node, join, kids });
    return settle({ ...node, join: undefined }, step(node.snapshot, done('gather', closed)));
  };
  const begin = (path: string, widths: readonly number[]): Node => {
    const depthLeft = maxDepth - (path.split('/').length - 1);
    const task = taskOf(path, { grant: grantOf({ depthLeft }), tier: path === 'root' ? 'root' : 'domain' });
    const started = initialTransition(orchestratorMachine, task) as [Snapshot, Actions];
    return settle({ path, widths, invoked: undefined, join: undefined, kids: [], heard: [] }, started);
  };
  const planFor = (widths: readonly number[], path: string): Decision => {
    const isLast = widths.length === 1;
    const specs = Array.from({ length: widths[0] ?? 0 }, (_, i) => (isLast ? leaf(`l${i}`) : orchestrator(`d${i}`)));
    const stages = staged && isLast ? specs.map((spec) => [spec]) : [specs];
    return decisionOf(stages, {
      ...(isLast && quorum !== undefined && { quorum }),
      ...(grows && path === 'root' && { mayGrow: true as const }),
    });
  };

  /** join 1 and 2: in whatever state a join is closed, nothing opens it again. */
  const checkClosed = (join: Join, kids: readonly Kid[], path: string): void => {
    must(
      kids.every(({ at }) => at === 'delivered' || at === 'stopped'),
      () => `${path}: closed with a live child`,
    );
    for (const name of join.children.keys()) {
      const [late, ...more] = joinStep(join, { type: 'ended', name, output: reported(childPath(path, name)), at: 9 });
      must(late?.type === 'ignored' && late.why === 'late' && more.length === 0, () => `${path}/${name}: late`);
    }
    must(joinStep(join, { type: 'expired', at: 9 }).length === 0, () => `${path}: expired after its close`);
  };
  const closings = new Map<string, Node>();
  const joined = (node: Node, event: JoinEvent, kidsBefore: readonly Kid[]): Node => {
    if (!node.join) throw new Error(`${node.path} has no join`);
    const closing = `${event.type}${keyOf({ ...node, kids: kidsBefore }, false)}`;
    const known = closings.get(closing);
    if (known) return known;
    const byName = new Map(kidsBefore.map((kid) => [nameOf(kid.path), kid]));
    const heard = (name: string): readonly Finding[] => heardFrom(byName.get(name) as Kid);
    const join: Join = { ...cloneJoin(node.join), heard };
    const effects = joinStep(join, event);
    const stopped = new Set(effects.flatMap((effect) => (effect.type === 'stop' ? effect.name : [])));
    const kids = kidsBefore.map((kid): Kid => (stopped.has(nameOf(kid.path)) ? { ...kid, at: 'stopped' } : kid));
    const [close] = effects.flatMap((effect) => (effect.type === 'close' ? effect.joined : []));
    if (!close) return intern({ ...node, join, kids });
    must(close.ended.length === join.children.size, () => `${node.path}: ${close.ended.length} ends at its close`);
    checkClosed(join, kids, node.path);
    const after = { ...node, join: undefined, kids: [], heard: [...node.heard, ...kidsBefore.flatMap(heardFrom)] };
    const next = settle(after, step(node.snapshot, done('gather', close)));
    closings.set(closing, next);
    return next;
  };

  const ownMoves = (node: Node): Move[] => {
    const send = (name: string, event: object, by: Move['by'] = 'work', heard = node.heard): Move => ({
      name,
      by,
      to: settle({ ...node, join: undefined, kids: [], heard }, step(node.snapshot, event)),
    });
    const { value, context } = node.snapshot;
    switch (node.invoked) {
      case 'plan':
        if (value === 'replanning') {
          return roundAnswers(context.decision).map(([name, event, by]) => send(name, event, by));
        }
        return [
          send('plans', done('plan', planFor(node.widths, node.path))),
          send('plan fails', failed('plan', new Error('x'))),
          send('plan hangs', failed('plan', TIMEOUT), 'timer'),
          send('plan lies', done('plan', { mode: 7 })),
        ];
      case 'synthesize':
        return [
          send('synthesizes', done('synthesize', { narrative: '', dispositions: [] })),
          send('synthesis fails', failed('synthesize', new Error('x'))),
          send('synthesis hangs', failed('synthesize', TIMEOUT), 'timer'),
          send('synthesis lies', done('synthesize', null)),
        ];
      case 'execute':
        return [
          send('executes', done('execute', reported(node.path)), 'work', [said(node.path)]),
          send('execute fails', done('execute', broken(node.path, false))),
          send('execute breaks', failed('execute', new Error('x'))),
          send('execute lies', done('execute', 7)),
        ];
      default:
        return hostFaults
          ? [send('gather breaks', failed('gather', new Error('x'))), send('gather lies', done('gather', 7))]
          : [];
    }
  };
  const kidMoves = (node: Node, kid: Kid, index: number): Move[] => {
    const { path } = kid;
    const name = nameOf(path);
    const put = (changed: Kid): readonly Kid[] => node.kids.map((old, i) => (i === index ? changed : old));
    const become = (what: string, changed: Kid, by: Move['by'] = 'work'): Move => ({
      name: `${path} ${what}`,
      by,
      to: intern({ ...node, kids: put(changed) }),
    });
    const deliver = (outcome: UnsealedOutcome, changed: Kid): Move => ({
      name: `deliver ${path}`,
      by: 'work',
      to: joined(node, { type: 'ended', name, output: outcome, at: 1 }, put(changed)),
    });
    if (kid.at === 'delivered') {
      const clone = cloneJoin(node.join as Join);
      const [again, ...more] = joinStep(clone, { type: 'ended', name, output: reported(path), at: 9 });
      must(again?.type === 'ignored' && again.why === 'duplicate' && more.length === 0, () => `${path}: duplicate`);
      must(clone.ended.get(name) === node.join?.ended.get(name), () => `${path}: a duplicate changed its end`);
      return [];
    }
    if (kid.kind === 'node') {
      const { output } = kid.node.snapshot;
      if (!output) return movesOf(kid.node).map(({ name, by, to }) => become(name, { ...kid, node: to }, by));
      return [deliver(moved(output, kid.node.path, path), { ...kid, at: 'delivered' })];
    }
    if (kid.at === 'ended') return [deliver(kid.outcome as UnsealedOutcome, { ...kid, at: 'delivered' })];
    const crashed: JoinEvent = { type: 'crashed', name, error: new Error('x'), at: 1 };
    const gone: Kid = { ...kid, at: 'delivered', outcome: broken(path, kid.hasSpoken) };
    return [
      become('reports', { ...kid, at: 'ended', outcome: reported(path) }),
      become('fails', { ...kid, at: 'ended', outcome: broken(path, kid.hasSpoken) }),
      { name: `${path} crashes`, by: 'work', to: joined(node, crashed, put(gone)) },
      ...(speaks && !kid.hasSpoken ? [become('speaks', { ...kid, hasSpoken: true })] : []),
    ];
  };
  const cancelled = (node: Node): Move => {
    const [snapshot, actions] = step(node.snapshot, { type: 'cancel' });
    const name = `${node.path} is cancelled`;
    if (node.join) {
      const to = joined({ ...node, snapshot }, { type: 'cancelled', at: 1 }, node.kids);
      return { name, by: 'cancel', to };
    }
    if (node.invoked !== 'execute') return { name, by: 'cancel', to: settle(node, [snapshot, actions]) };
    must(
      actions.some(({ type }) => type === 'xstate.sendTo'),
      () => `${node.path}: its execute was not told`,
    );
    const token = tokenOf(node.path, { status: 'cancelled', message: 'cancelled', retryable: false });
    return { name, by: 'cancel', to: settle({ ...node }, step(snapshot, done('execute', token))) };
  };

  const memo = new Map<string, readonly Move[]>();
  const movesOf = (node: Node): readonly Move[] => {
    const known = memo.get(node.key);
    if (known) return known;
    const moves: Move[] = [];
    memo.set(node.key, moves);
    if (node.snapshot.status !== 'active') {
      checkEnded(node);
      return moves;
    }
    if (!node.snapshot.context.isCancelled) moves.push(cancelled(node));
    if (node.join) {
      const expired: JoinEvent = { type: 'expired', at: 1 };
      moves.push({ name: `${node.path} expires`, by: 'timer', to: joined(node, expired, node.kids) });
      for (const [index, kid] of node.kids.entries()) moves.push(...kidMoves(node, kid, index));
    }
    moves.push(...ownMoves(node));
    // No deadlock, and none that only a timer or somebody's patience would end.
    must(
      moves.some(({ by }) => by === 'work'),
      () => `${node.path}: no progress without timers in ${node.key}`,
    );
    for (const { to, name } of moves) must(to.key !== node.key, () => `${name}: goes nowhere`);
    return moves;
  };
  const checkEnded = ({ snapshot, path }: Node): void => {
    const events = [
      { type: 'cancel' },
      done('gather', { closedBy: 'all', ended: [] }),
      failed('plan', new Error('x')),
      { type: 'espalier.up', from: 'x', findings: [] },
    ];
    for (const event of events) {
      const [after, actions] = step(snapshot, event);
      const isSame = after.context.outcome === snapshot.context.outcome && after.output === snapshot.output;
      must(isSame && actions.length === 0, () => `${path}: ${event.type} changed it after its end`);
    }
  };
  const checkRoot = ({ snapshot, heard, kids }: Node): void => {
    const outcome = snapshot.output as UnsealedOutcome;
    const { success, error } = UnsealedOutcome.safeParse(outcome);
    must(success, () => `the root ended with ${error?.message}`);
    must(kids.length === 0, () => 'the root ended with children');
    must(outcome.kind === 'report', () => 'the root ended in a token');
    if (outcome.kind !== 'report') return;
    const { status, madeBy, findings, escalations, gaps } = outcome;
    const label = `${status} ${madeBy}`;
    tally.outcomes[label] = (tally.outcomes[label] ?? 0) + 1;
    const due = findings.length === 0 ? 'failed' : gaps.some(isHole) ? 'partial' : 'complete';
    must(status === due, () => `${status} with ${findings.length} findings and ${JSON.stringify(gaps)}`);
    // every critical that a join heard before it closed, unchanged and once
    const [is, should] = [escalations, heard].map((all) => JSON.stringify(all.map(({ id }) => id).sort()));
    must(symmetric ? escalations.length === heard.length : is === should, () => `escalated ${is} of ${should}`);
  };

  const root = begin('root', widths);
  const seen = new Set([root.key]);
  for (let frontier = [root]; frontier.length > 0 && tally.states < limit;) {
    const next: Node[] = [];
    for (const node of frontier) {
      tally.states++;
      if (node.snapshot.status === 'done') checkRoot(node);
      for (const { to } of movesOf(node)) {
        tally.edges++;
        if (!seen.has(to.key)) next.push(to);
        seen.add(to.key);
      }
      memo.delete(node.key);
    }
    frontier = next;
  }
  must(tally.states < limit, () => `stopped at ${limit} states`);
  return tally;
}
