/**
 * The waiting rule over a stage's children. Owns its state and mutates it (an immutable copy per event is quadratic
 * in the width); does no IO, reads no clock.
 *  1. Every child ends exactly once; later messages about it are ignored and named.
 *  2. `close` is answered exactly once; after it every event is ignored.
 *  3. At close, `ended` holds one sealed outcome per declared child, in declared order.
 *  4. What a child's subtree was heard to say and has not taken back, and what it spent, is in its outcome, whatever
 *     became of the child.
 */
import { seal } from '../protocol/digest.ts';
import type { Finding } from '../protocol/finding.ts';
import { childPath } from '../protocol/path.ts';
import type { Outcome, Tier, UnsealedOutcome } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Ended } from '../ports/activities.ts';
import { CANCELLED, faultOf, faultOfEnd, tokenOf } from './fault.ts';
import { withHeard, withSpent } from './partial.ts';
import type { Spent } from './usage.ts';

type Heard = (name: string) => Iterable<Finding>;
export type JoinEvent =
  | { type: 'ended'; name: string; output: unknown; at: number }
  /** `attempts`: how many it had begun. Default 1. */
  | { type: 'crashed'; name: string; error: unknown; attempts?: number; at: number }
  /** How it had ended before the run was interrupted: sealed already. */
  | { type: 'reused'; name: string; outcome: Outcome; at: number }
  /** The children are being asked to conclude: what they now end with counts towards no quorum. */
  | { type: 'cancelling' }
  | { type: 'expired'; at: number }
  /** `isCutOff`: by the end of the node above, and not with the whole run. */
  | { type: 'cancelled'; at: number; isCutOff?: true };
export type JoinEffect =
  | { type: 'sealed'; name: string; outcome: Outcome }
  | { type: 'stop'; name: string }
  | { type: 'ignored'; name: string; why: 'late' | 'duplicate' | 'unknown' }
  | { type: 'close'; joined: Joined };
export type Joined = { closedBy: 'all' | 'quorum' | 'deadline' | 'cancel'; ended: Ended[] };

export type JoinInput = {
  readonly runId: string;
  readonly path: string;
  /** In declared order. */
  readonly children: readonly { readonly name: string; readonly tier: Tier }[];
  /** Close when this many children have reported; at most the width counts. */
  readonly quorum?: number | undefined;
  /** Names of children that a later stage needs: no quorum closes over them. */
  readonly required?: readonly string[] | undefined;
  readonly startedAt: number;
  /** What each child's subtree has said so far. */
  readonly heard: Heard;
  /** What each child has spent, beside what it says itself. */
  readonly spent?: (name: string) => Spent | undefined;
};
export type Join = Omit<JoinInput, 'children' | 'quorum'> & {
  quorum: number | undefined;
  readonly children: ReadonlyMap<string, Tier>;
  readonly ended: Map<string, Ended>;
  reported: number;
  closedBy: Joined['closedBy'] | undefined;
};
const NOTHING: readonly JoinEffect[] = [];

export function openJoin({ children, quorum, ...rest }: JoinInput): [Join, readonly JoinEffect[]] {
  const join: Join = {
    ...rest,
    quorum,
    children: new Map(children.map(({ name, tier }) => [name, tier])),
    ended: new Map(),
    reported: 0,
    closedBy: undefined,
  };
  return [join, children.length === 0 ? close(join, 'all', join.startedAt) : NOTHING];
}

/** A copy to branch from in a search. */
export const cloneJoin = (join: Join): Join => ({ ...join, ended: new Map(join.ended) });

export function joinStep(join: Join, event: JoinEvent): readonly JoinEffect[] {
  if (event.type === 'cancelling') {
    join.quorum = undefined;
    return NOTHING;
  }
  if (event.type === 'expired' || event.type === 'cancelled') {
    if (join.closedBy) return NOTHING;
    if (event.type === 'expired') return close(join, 'deadline', event.at);
    return close(join, 'cancel', event.at, event.isCutOff ? CUT_OFF : CANCELLED);
  }
  const { name, at } = event;
  const tier = join.children.get(name);
  if (tier === undefined) return [{ type: 'ignored', name, why: 'unknown' }];
  if (join.closedBy) return [{ type: 'ignored', name, why: 'late' }];
  if (join.ended.has(name)) return [{ type: 'ignored', name, why: 'duplicate' }];

  const isReused = event.type === 'reused';
  const ended = isReused
    ? { name, outcome: event.outcome }
    : end(join, name, tier, at, outcomeOf(join, name, tier, event));
  join.ended.set(name, ended);
  const sealed: JoinEffect[] = isReused ? [] : [{ type: 'sealed', name, outcome: ended.outcome }];
  if (ended.outcome.kind === 'report' && ended.outcome.status !== 'failed') join.reported++;
  if (join.ended.size === join.children.size) return [...sealed, ...close(join, 'all', at)];
  const isEnough = join.reported >= (join.quorum ?? Infinity);
  if (isEnough && (join.required ?? []).every((one) => join.ended.has(one) || !join.children.has(one)))
    return [...sealed, ...close(join, 'quorum', at)];
  return sealed;
}

type Ending = Extract<JoinEvent, { type: 'ended' | 'crashed' }>;
function outcomeOf(join: Join, name: string, tier: Tier, event: Ending): UnsealedOutcome {
  const path = childPath(join.path, name);
  const at = { runId: join.runId, path, tier };
  if (event.type === 'crashed') return tokenOf(at, faultOf(event.error), event.attempts ?? 1);
  const { output } = event;
  return isOutcomeOf(output, path) ? output : tokenOf(at, faultOfEnd(output), 1);
}

function end(join: Join, name: string, tier: Tier, at: number, outcome: UnsealedOutcome, notNeeded = false): Ended {
  const heard = withHeard(outcome, join.heard(name));
  const sealed = seal(withSpent(heard, join.spent?.(name)), { startedAt: join.startedAt, endedAt: at });
  return { name, outcome: sealed, ...(notNeeded && { notNeeded: true as const }) };
}

function close(join: Join, by: Joined['closedBy'], at: number, fault = FAULT_BY[by]): JoinEffect[] {
  const effects: JoinEffect[] = [];
  for (const [name, tier] of join.children) {
    if (join.ended.has(name)) continue;
    const token = tokenOf({ runId: join.runId, path: childPath(join.path, name), tier }, fault, 1);
    const ended = end(join, name, tier, at, token, by === 'quorum');
    join.ended.set(name, ended);
    const { outcome } = ended;
    effects.push({ type: 'stop', name }, { type: 'sealed', name, outcome });
  }
  join.closedBy = by;
  const ended = Array.from(join.children.keys(), (name) => join.ended.get(name)).filter((one) => one !== undefined);
  effects.push({ type: 'close', joined: { closedBy: by, ended } });
  return effects;
}
export const NOT_NEEDED: Fault = { status: 'cancelled', message: 'not needed: the quorum was reached' };
const CUT_OFF: Fault = { status: 'cancelled', message: 'cut off: the node above it had ended' };
const FAULT_BY: Record<Joined['closedBy'], Fault> = {
  all: CANCELLED, // never used: nobody is missing
  cancel: CANCELLED,
  deadline: { status: 'timeout', message: 'no answer by the join deadline' },
  quorum: NOT_NEEDED,
};

/** A cheap check for outcomes of our own logic. What other logic ended with has been parsed in full before. */
export function isOutcomeOf(output: unknown, path: string): output is UnsealedOutcome {
  if (typeof output !== 'object' || output === null) return false;
  const outcome: Partial<UnsealedOutcome> = output;
  return outcome.path === path && (outcome.kind === 'report' || outcome.kind === 'failure');
}
