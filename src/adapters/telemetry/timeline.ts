/**
 * What the nodes of a run are doing and for how long, from the run's events alone. Telemetry's signals each keep one.
 *  1. A node is in one phase at a time, so its phases add up to its time.
 *  2. Times are the events' own. Nothing here reads a clock. Workers' clocks may differ: no time is below 0.
 *  3. Its own books are in order before an observer is told, who may throw.
 *  4. A node is forgotten when it has ended; a parent still knows the child it waited for, until its stage is closed.
 */
import type { Decision } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import { depthOf, nameOf, parentOf } from '../../protocol/path.ts';
import type { Outcome, Tier } from '../../protocol/report.ts';
import type { Phase } from '../../protocol/review.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { TIERS } from './names.ts';

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;
const PHASES: readonly Phase[] = ['planning', 'slot', 'work', 'recovery', 'synthesis'];
type Doing = Phase | 'gathering';

/** A node from its start to its end. Times in ms. */
export class LiveNode {
  readonly name: string;
  readonly path: string;
  readonly tier: Tier;
  readonly depth: number;
  readonly startedAt: number;
  /** A sub-domain that a decision made. */
  readonly isMade: boolean;
  readonly ms: Record<Doing, number> = { planning: 0, slot: 0, work: 0, recovery: 0, gathering: 0, synthesis: 0 };
  doing: Doing;
  since: number;
  endedAt = 0;
  hasPlanned = false;
  attempts = 0;
  decision: Decision | undefined;
  /** Sub-domains below it that its decision made. */
  made: ReadonlySet<string> | undefined;
  /** The stage whose children are waited for, and how many have not ended. */
  stage = -1;
  left = 0;
  /** Of the present stage: who ended last, who before that. */
  last: LiveNode | undefined;
  next: LiveNode | undefined;
  isCancelled = false;
  /** What the children of the present stage did, each in its own time. */
  childrenMs = 0;
  /** What it and all below it would have taken, had nobody had to wait for a slot. */
  busyMs = 0;
  /** Its gathering before the child began that it waited for, and after that child's end: its own doing. */
  readonly idleMs = { planning: 0, synthesis: 0 };
  /** What lies below it on the critical path, by tier and phase: see `criticalPathOf`. */
  below: number[] | undefined;

  constructor({ path, tier, at }: Of<'node.started'>, isMade: boolean) {
    this.name = nameOf(path);
    this.path = path;
    this.tier = tier;
    this.depth = depthOf(path);
    this.startedAt = this.since = at;
    this.isMade = isMade;
    this.doing = tier === 'leaf' ? 'slot' : 'planning';
  }

  turnTo(doing: Doing, at: number): void {
    this.ms[this.doing] += Math.max(0, at - this.since);
    this.doing = doing;
    this.since = at;
  }
}

/** A stage that has been waited for. */
export type Gathered = {
  stage: number;
  children: number;
  ms: number;
  /** What its children would have taken one after another, less what they took side by side; never below 0. */
  savedMs: number;
  /** The child that was waited for, and how long after all others had ended. */
  slowest: LiveNode | undefined;
  waitMs: number;
  /** Not all had ended when its owner did. */
  isCutOff: boolean;
};

export type TimelineObserver = {
  started?(node: LiveNode, event: Of<'node.started'>): void;
  planned?(node: LiveNode, from: number, at: number, decision: Decision | undefined): void;
  gathering?(node: LiveNode, at: number): void;
  gathered?(node: LiveNode, at: number, gathered: Gathered): void;
  attempting?(node: LiveNode, event: Of<'attempt.started'>): void;
  attempted?(node: LiveNode, event: Of<'attempt.failed' | 'attempt.backed-off'>): void;
  /** `outcome`: how its node ended with it, or why it was rejected. */
  synthesized?(node: LiveNode, from: number, at: number, outcome: Outcome | Fault): void;
  ended?(node: LiveNode, outcome: Outcome, at: number): void;
};

export type Timeline = {
  apply(event: RunEvent): void;
  readonly live: ReadonlyMap<string, LiveNode>;
};

export function createTimeline(observer: TimelineObserver): Timeline {
  const live = new Map<string, LiveNode>();

  const open = (node: LiveNode, at: number): void => {
    const { decision } = node;
    node.stage++;
    node.left = decision?.stages[node.stage]?.length ?? 0;
    node.last = node.next = undefined;
    node.childrenMs = 0;
    node.turnTo('gathering', at);
    observer.gathering?.(node, at);
    if (node.left === 0) close(node, at);
  };
  const close = (node: LiveNode, at: number): void => {
    const { stage, last, decision, left } = node;
    const before = node.next?.endedAt ?? 0;
    const ms = Math.max(0, at - node.since);
    const goesOn = left === 0 && stage + 1 < (decision?.stages.length ?? 0);
    const next = goesOn || (left === 0 && decision?.mayGrow) ? 'planning' : 'synthesis';
    if (last) {
      node.below = addedUp(node.below, last);
      node.idleMs.planning += Math.max(0, last.startedAt - node.since);
    }
    node.idleMs[next] += Math.max(0, at - (last?.endedAt ?? node.since));
    node.busyMs += Math.min(ms, node.childrenMs);
    const gathered: Gathered = {
      stage,
      children: decision?.stages[stage]?.length ?? 0,
      ms,
      savedMs: Math.max(0, node.childrenMs - ms),
      slowest: last,
      waitMs: last ? Math.max(0, last.endedAt - Math.max(last.startedAt, before)) : 0,
      isCutOff: left > 0,
    };
    node.last = node.next = undefined;
    if (!goesOn) node.turnTo(next, at);
    observer.gathered?.(node, at, gathered);
    if (goesOn) open(node, at);
  };
  const planned = (node: LiveNode, { decision, at }: Of<'node.planned'>): void => {
    const { since } = node;
    const isFirst = !node.hasPlanned;
    node.decision = decision;
    node.made = madeBy(decision);
    node.hasPlanned = true;
    node.turnTo(decision.mode === 'execute' ? 'slot' : 'synthesis', at);
    observer.planned?.(node, since, at, decision);
    if (decision.mode !== 'execute' && (isFirst || node.stage + 1 < decision.stages.length)) open(node, at);
  };
  /** `child` is undefined when it never began, or had ended before a resumed run did. */
  const childEnded = (path: string, at: number, child?: LiveNode): void => {
    const parent = live.get(parentOf(path));
    if (!parent || parent.doing !== 'gathering') return;
    parent.left--;
    if (child) {
      parent.childrenMs += child.busyMs;
      const isLast = !parent.last || child.endedAt > parent.last.endedAt || !isCutOffBy(parent.last, child);
      if (isLast) {
        parent.next = parent.last;
        parent.last = child;
      } else if (!parent.next || child.endedAt >= parent.next.endedAt) parent.next = child;
    }
    if (parent.left === 0) close(parent, at);
  };
  const ended = (outcome: Outcome, { path, at }: RunEvent): void => {
    const node = live.get(path);
    if (!node) return childEnded(path, at);
    live.delete(path);
    if (node.doing === 'gathering') close(node, at);
    const { doing, since } = node;
    node.turnTo(doing, at);
    node.endedAt = at;
    node.isCancelled = outcome.status === 'cancelled';
    settle(node, outcome);
    // Who ended without a plan was not heard of since its start: it failed to plan, or is a guest.
    if (doing === 'planning' && (node.hasPlanned || isFailure(outcome))) observer.planned?.(node, since, at, undefined);
    if (doing === 'synthesis' && (at > since || isSynthesis(outcome))) observer.synthesized?.(node, since, at, outcome);
    observer.ended?.(node, outcome, at);
    childEnded(path, at, node);
  };

  return {
    live,
    apply(event) {
      const { path, at } = event;
      switch (event.type) {
        case 'node.started': {
          const node = new LiveNode(event, live.get(parentOf(path))?.made?.has(nameOf(path)) ?? false);
          live.set(path, node);
          return observer.started?.(node, event);
        }
        case 'node.reused':
          return childEnded(path, at);
        case 'node.reported':
          return ended(event.report, event);
        case 'node.failed':
          return ended(event.token, event);
        default:
      }
      const node = live.get(path);
      if (!node) return;
      switch (event.type) {
        case 'node.planned':
          return planned(node, event);
        case 'attempt.started':
          node.turnTo('work', at);
          node.attempts++;
          return observer.attempting?.(node, event);
        case 'attempt.failed':
        case 'attempt.backed-off':
          if (node.doing === 'work') node.turnTo('recovery', at);
          return observer.attempted?.(node, event);
        case 'synthesis.rejected': {
          const { since } = node;
          if (node.doing !== 'synthesis') return;
          node.turnTo('synthesis', at);
          return observer.synthesized?.(node, since, at, event.fault);
        }
        default:
      }
    },
  };
}

/** The time of a node that has ended as its parent waited for it, by tier and phase; of what lies below, what it waited for. */
export function criticalPathOf(node: LiveNode): { tier: Tier; phase: Phase; ms: number }[] {
  const sums = addedUp(undefined, node);
  return TIERS.flatMap((tier, t) =>
    PHASES.flatMap((phase, p) => {
      const ms = sums[t * PHASES.length + p] ?? 0;
      return ms > 0 ? [{ tier, phase, ms }] : [];
    }),
  );
}

function addedUp(to: number[] | undefined, { tier, ms, idleMs, below }: LiveNode): number[] {
  const sums = to ?? Array.from({ length: TIERS.length * PHASES.length }, () => 0);
  below?.forEach((one, i) => (sums[i] = (sums[i] ?? 0) + one));
  const first = TIERS.indexOf(tier) * PHASES.length;
  PHASES.forEach((phase, p) => {
    const idle = phase === 'planning' || phase === 'synthesis' ? idleMs[phase] : 0;
    sums[first + p] = (sums[first + p] ?? 0) + ms[phase] + idle;
  });
  return sums;
}

/** Puts down what only the end tells. */
function settle(node: LiveNode, outcome: Outcome): void {
  const { ms, tier } = node;
  if (tier === 'leaf' && node.attempts === 0 && outcome.status !== 'timeout' && outcome.status !== 'cancelled') {
    ms.work += ms.slot; // logic of the caller's own: it makes no attempts and asks for no slot
    ms.slot = 0;
  }
  if (tier !== 'leaf' && !node.hasPlanned && !isFailure(outcome)) {
    ms.work += ms.planning;
    ms.planning = 0;
  }
  node.busyMs += ms.planning + ms.work + ms.recovery + ms.synthesis;
}

const isFailure = ({ kind, status }: Outcome): boolean => kind === 'failure' || status === 'failed';

const isSynthesis = (outcome: Outcome): boolean => outcome.kind === 'report' && outcome.retention !== undefined;

/** Those that a join cut off end with the one that closed it, and are not what it waited for. */
const isCutOffBy = (last: LiveNode, child: LiveNode): boolean => child.isCancelled && !last.isCancelled;

function madeBy({ stages }: Decision): ReadonlySet<string> | undefined {
  const names = stages.flatMap((stage) => stage.flatMap(({ name, members }) => (members ? [name] : [])));
  return names.length > 0 ? new Set(names) : undefined;
}
