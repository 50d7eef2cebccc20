/**
 * A leaf as one invocation: the leaf reducer, told what came of each step by the journal.
 *  1. What an attempt said is fed to the reducer from the journal, in the order said: a replay takes the same path.
 *  2. An attempt that was at work when its process died begins again; what it had said by then stands.
 *  3. Its first slot is the one it was called with; for each further attempt it asks itself, and holds none between.
 *  4. Asked to conclude it answers at once, with what it has, and has told the ledger all of it.
 */
import type { RestatePromise } from '@restatedev/restate-sdk';
import type { Fault } from '../../protocol/fault.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { UnsealedOutcome } from '../../protocol/report.ts';
import type { Task } from '../../protocol/task.ts';
import type { AttemptIo } from '../../ports/activities.ts';
import { CLOSED, eventsOf, HELD_TOO_LONG, NEVER_BEGUN } from '../../tier/attempt.ts';
import { backOffMs, outlasting } from '../../tier/back-off.ts';
import { failedEvent, verdictEvent } from '../../tier/leaf-answers.ts';
import { CANCELLED } from '../../tier/fault.ts';
import { isCriticalDraft } from '../../tier/leaf-output.ts';
import { beginLeaf, leafStep, type LeafEffect, type LeafEvent, type LeafState } from '../../tier/leaf-logic.ts';
import { enrichmentFor } from '../../tier/recovery.ts';
import { OpenCalls } from '../open-calls.ts';
import { systemClock } from '../system-clock.ts';
import type { Node, SliceWord } from './node.ts';
import { isLimited, leftFor, takeLeaf, type Purse } from './purse.ts';
import { perform, type Performed } from './perform.ts';
import { askForSlot, giveBack } from './slot-calls.ts';
import type { NodeAnswer } from './wire.ts';
import type { Means } from './work.ts';

/** `isDemoted`: it stands in an orchestrator's place, where it came without a slot. `slot`: the one it begins in. */
export type LeafRun = {
  task: Task;
  slot?: string | undefined;
  estimateMs: number | undefined;
  isDemoted: boolean;
  startedAt: number;
  purse: Purse;
};
/** What an orchestrator needs to know of the leaf that it was itself. */
export type LeafEnd = Omit<NodeAnswer, 'outcome' | 'events'> & { outcome: UnsealedOutcome };

export async function driveLeaf(
  node: Node,
  { task, slot: given, estimateMs, isDemoted, startedAt, purse }: LeafRun,
): Promise<LeafEnd> {
  const { ctx, kit, outbox, cancellation } = node;
  const { activities } = kit;
  const { path } = task;
  const { deadline } = task.grant;
  const [leaf, first] = beginLeaf(task, activities.attemptsOf(path));
  let slot = given;
  /** Of a slot that it asked for itself; of the first its parent hears. */
  let revoked: RestatePromise<unknown> | undefined;
  let ended: 'well' | Fault | undefined;
  let begun = 0;
  let at = startedAt;
  let unwritten: Performed['write'];

  const release = (how: 'well' | Fault | undefined): void => {
    if (slot !== undefined)
      giveBack(node, { holder: path, at }, { id: slot, ...(how !== undefined && { ended: how }) });
    slot = undefined;
    revoked = undefined;
  };
  const closed = (fault: Fault): readonly LeafEffect[] => leafStep(leaf, { type: 'closed', fault, attempts: begun });
  const endOf = (end: Performed['end'], toEvent: (value: unknown) => LeafEvent): readonly LeafEffect[] => {
    if (!end || 'isAborted' in end) return closed(CANCELLED);
    if ('isExpired' in end) return closed(CLOSED);
    return leafStep(leaf, 'fault' in end ? { type: 'failed', fault: end.fault } : toEvent(end.value));
  };
  const note = (effects: readonly LeafEffect[], when: number): LeafEffect | undefined => {
    let main: LeafEffect | undefined;
    for (const effect of effects) {
      if (effect.type === 'say') for (const event of eventsOf(path, effect.finding)) outbox.note(when, event);
      else if (effect.type === 'give-up-attempt') {
        const { attempt, fault, willRetry } = effect;
        outbox.note(when, { type: 'attempt.failed', path, attempt, fault, willRetry });
        ended = fault;
      } else main = effect;
    }
    return main;
  };
  /** A step of the author's code, whose findings and events count as they come. */
  const step = async (
    name: string,
    start: (means: Means<SliceWord>) => Promise<unknown>,
    toEvent: (value: unknown) => LeafEvent,
    begun?: (when: number) => void,
  ): Promise<LeafEffect | undefined> => {
    let main: LeafEffect | undefined;
    const done = await perform(node, {
      name,
      purse,
      job: { path, deadline, start },
      mayBeAll: !isDemoted,
      until: revoked,
      ...(begun && { begun }),
      hear(said, isLast) {
        for (const { at: when, told } of said) {
          if (told.type === 'event') outbox.note(when, told.event);
          else if (!main) main = note(leafStep(leaf, told), when);
        }
        if (!isLast) outbox.flush(); // the answer may be long in coming
        return main === undefined;
      },
    });
    at = done.at;
    if (done.isCutShort) {
      slot = revoked = undefined;
      return note(closed(HELD_TOO_LONG), at);
    }
    if (cancellation.isAsked && leaf.phase !== 'reported') return note(closed(CANCELLED), at);
    unwritten = done.write;
    return main ?? note(endOf(done.end, toEvent), at);
  };

  let next: LeafEffect | undefined = first;
  if (isDemoted && isLimited(node)) {
    const { fault, events } = await takeLeaf(node, path);
    for (const event of events) outbox.note(at, event);
    if (fault) next = note(closed(fault), at);
    else purse.left = await leftFor(node, path);
  }
  for (;;) {
    if (cancellation.isAsked && next?.type !== 'end') next = note(closed(CANCELLED), at);
    const isChecked = next?.type === 'verify' && next.findings.length > 0 && kit.verifies(path);
    if (unwritten && next?.type !== 'end' && (next?.type !== 'verify' || isChecked)) {
      await unwritten();
      unwritten = undefined;
    }
    switch (next?.type) {
      case 'end': {
        const { outcome } = next;
        const isWell = outcome.kind === 'report';
        if (cancellation.isAsked) {
          outbox.flush(at); // whoever asked may not wait for the answer
          if (slot !== given) release(CANCELLED);
        }
        if (isDemoted) {
          release(isWell ? 'well' : (ended ?? CANCELLED));
          return { outcome, at };
        }
        const unbooked = purse.takeUnbooked();
        return {
          outcome,
          at,
          ...(purse.spent && { spent: purse.spent }),
          ...(unbooked && { unbooked }),
          ...(slot !== undefined && { leaves: { slot, ended: isWell ? 'well' : (ended ?? CANCELLED) } }),
        };
      }
      case 'execute': {
        if (slot === undefined) {
          outbox.flush(at);
          const ask = { id: path, estimateMs, pools: activities.poolsOf(path) };
          const asked = await askForSlot(node, ask, at, deadline - at);
          if (typeof asked === 'string') {
            next = note(closed(asked === 'cancelled' ? CANCELLED : begun > 0 ? CLOSED : NEVER_BEGUN), at);
            break;
          }
          ({ revoked } = asked);
          slot = path;
        }
        const { attempt, enrichment, task: enriched } = next;
        begun = attempt;
        ended = undefined;
        next = await step(
          `attempt ${attempt}.${leaf.refusals}`,
          (means) => activities.attempt({ task: enriched, attempt }, ioOf(path, means)),
          (output) => ({ type: 'executed', output }),
          (when) => {
            const told = enrichment !== undefined && { enrichment };
            outbox.note(when, { type: 'attempt.started', path, attempt, ...told });
          },
        );
        break;
      }
      case 'verify': {
        const { findings } = next;
        if (!isChecked) {
          next = note(leafStep(leaf, { type: 'verified' }), at);
          break;
        }
        release('well');
        outbox.flush(at);
        next = await step(`verify ${leaf.attempt}`, (means) => verified(node, leaf, findings, means), verdictIn);
        break;
      }
      case 'recover': {
        release(ended);
        const { fault } = next;
        if (!kit.recovers(path)) {
          next = note(leafStep(leaf, { type: 'recovered', enrichment: enrichmentFor(fault) }), at);
          break;
        }
        outbox.flush(at);
        next = await step(
          `recover ${leaf.attempt}`,
          async (means) => activities.recover({ task: leaf.task, attempt: leaf.attempt }, fault, means),
          (text) => ({ type: 'recovered', enrichment: String(text) }),
        );
        break;
      }
      case 'back-off': {
        const { attempt, fault, before } = next;
        release(fault);
        const left = Math.max(0, deadline - at);
        const tooLong = outlasting(fault, left);
        if (tooLong) {
          next = note(closed(tooLong), at);
          break;
        }
        const ms = backOffMs(before, fault, ctx.rand.random());
        outbox.note(at, { type: 'attempt.backed-off', path, attempt, fault, ms });
        outbox.flush(at);
        await cancellation.first([ctx.sleep(Math.min(ms, left))]);
        at += Math.min(ms, left);
        next = note(ms < left ? leafStep(leaf, { type: 'backed-off' }) : closed(CLOSED), at);
        break;
      }
      default:
        throw new Error(`unreachable: a leaf that does nothing and has not ended (${String(next?.type)})`);
    }
  }
}

function ioOf(path: string, means: Means<SliceWord>): AttemptIo {
  const { budget, tell, atEnd } = means;
  const calls = new OpenCalls(path, { clock: systemClock, emit: (event) => tell({ type: 'event', event }, false) });
  atEnd((status) => calls.breakOff(status));
  return {
    get abortSignal() {
      return means.abortSignal;
    },
    budget,
    reading: (source, isDeclared) => calls.reading(source, isDeclared),
    calling: (tool) => calls.calling(tool),
    report: (draft) => tell({ type: 'said', draft }, isCriticalDraft(draft)),
    kept: (artifact) => tell({ type: 'kept', artifact }, false),
    depend: () => {}, // nobody may read what it does not declare
    alert: (kind, message) => tell({ type: 'event', event: { type: 'integrity.alert', path, kind, message } }, false),
  };
}

const NOBODY_CHECKS = { ok: true };
async function verified(node: Node, leaf: LeafState, findings: readonly Finding[], means: Means<SliceWord>) {
  const { task, attempt } = leaf;
  return (await node.kit.activities.verify({ task, attempt }, findings, means)) ?? NOBODY_CHECKS;
}
function verdictIn(given: unknown): LeafEvent {
  try {
    return verdictEvent(given as Parameters<typeof verdictEvent>[0], false);
  } catch (error) {
    return failedEvent(error);
  }
}
