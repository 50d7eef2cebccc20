/**
 * Stands between the tree and logic of the caller's own. The guest's parent is this actor, so nothing it sends or ends
 * with reaches a gather unparsed.
 *  1. Nothing here throws, whatever a guest sends. A guest that throws makes this actor fail, and no other.
 *  2. A guest's finding gets an id of our minting, under the guest's own path, and is reported once in its name.
 *  3. A guest is a leaf to us: what it says of its own children, usage or assessment is not taken over.
 */
import {
  createActor,
  type ActorLogic,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type Snapshot,
} from 'xstate';
import { Finding } from '../../protocol/finding.ts';
import { deepFreeze } from '../../protocol/freeze.ts';
import { isWithin, parentOf } from '../../protocol/path.ts';
import { UnsealedOutcome, UnsealedReport } from '../../protocol/report.ts';
import { readAnswer, type Answer } from '../../tier/answer.ts';
import { beginLeaf, leafStep, saidBy } from '../../tier/leaf-logic.ts';
import { adopt, MISATTRIBUTED, type Said } from '../../tier/minting.ts';
import type { ExecuteInput } from '../../tier/orchestrator-machine.ts';
import { emptyReport } from '../../tier/partial.ts';
import { isLive, noteLate, persisted, STOP, tell, type Host, type Scope } from './host.ts';

type GuestSnapshot = Snapshot<UnsealedOutcome> & {
  input: ExecuteInput;
  children: Record<string, AnyActorRef>;
  /** What the guest has said so far. */
  said: Said;
};

/** What XState keeps to itself. */
type Internal = AnyActorRef & { _send(event: AnyEventObject): void; _stop(): void };

export function guestActor(host: Host, guest: AnyActorLogic): ActorLogic<GuestSnapshot, AnyEventObject, ExecuteInput> {
  const { emit, interims } = host;

  const adoptAll = ({ input: { task }, said }: GuestSnapshot, findings: readonly Finding[]): Finding[] =>
    findings.flatMap((one) => {
      const { finding, isNew } = adopt(task.path, one, said);
      if (!isNew) return [];
      emit({ type: 'finding.reported', path: finding.path, finding });
      if (finding.flags.includes(MISATTRIBUTED)) {
        const message = `${one.id} of ${one.path} was sent by ${task.path}; it stands as ${finding.id}`;
        emit({ type: 'integrity.alert', path: task.path, kind: 'misattributed', message });
      }
      return [finding];
    });
  /** What it ended with, made safe; undefined when it is neither an outcome nor what a leaf would return. */
  const outcomeOf = (snapshot: GuestSnapshot, output: unknown): unknown => {
    if (output === undefined || output === null) return output;
    const outcome = valueOf(readAnswer(UnsealedOutcome, output));
    if (!outcome) return outcomeOfDrafts(snapshot, output);
    const { task } = snapshot.input;
    const { runId, path, tier } = task;
    if (outcome.path !== path) return 'the outcome of another node';
    const body = outcome.kind === 'report' ? outcome : outcome.partial;
    if (body) adoptAll(snapshot, [...body.findings, ...body.escalations]);
    const partial = body && reportOf(snapshot, body);
    if (outcome.kind === 'report') return partial;
    const { partial: _, ...token } = outcome;
    return { ...token, runId, path, tier, ...(partial && { partial }) };
  };
  const reportOf = ({ input: { task }, said }: GuestSnapshot, body: UnsealedReport): UnsealedReport => {
    const findings = [...said.values()];
    const { narrative, status, artifacts } = body;
    const gaps = body.gaps.filter((gap) => isWithin(gap.path, task.path));
    const escalations = findings.filter((finding) => finding.critical);
    return { ...emptyReport(task, 1), narrative, status, artifacts, gaps, findings, escalations };
  };
  const outcomeOfDrafts = (snapshot: GuestSnapshot, output: unknown): unknown => {
    const { task } = snapshot.input;
    const [leaf] = beginLeaf(task, 1);
    for (const finding of snapshot.said.values()) saidBy(leaf).set(finding.id, finding);
    for (const effect of leafStep(leaf, { type: 'executed', output })) {
      if (effect.type === 'say') adoptAll(snapshot, [effect.finding]);
      if (effect.type === 'end') return effect.outcome;
      if (effect.type !== 'verify') continue;
      const [end] = leafStep(leaf, { type: 'verified' });
      if (end?.type !== 'end' || end.outcome.kind !== 'report') return 'unreadable';
      return reportOf(snapshot, end.outcome);
    }
    return 'unreadable';
  };
  const heard = (snapshot: GuestSnapshot, message: unknown): Finding[] => {
    const list = Array.isArray(message) ? (message as unknown[]) : [];
    return adoptAll(
      snapshot,
      list.flatMap((one) => valueOf(readAnswer(Finding, one)) ?? []),
    );
  };
  const hear = (snapshot: GuestSnapshot, message: unknown, scope: Scope): void => {
    const findings = heard(snapshot, message);
    const parent = scope.self._parent as AnyActorRef | undefined;
    if (parent && findings.length > 0) tell(scope, parent, { type: 'espalier.up', from: scope.self.id, findings });
  };
  /** What it says of itself so far: its findings count as said, the rest only to a parent that makes interims. */
  const hearInterim = (snapshot: GuestSnapshot, message: unknown, scope: Scope): void => {
    const { task } = snapshot.input;
    if (!interims?.isIncremental(parentOf(task.path))) return;
    const report = valueOf(readAnswer(UnsealedReport, message));
    const parent = scope.self._parent as AnyActorRef | undefined;
    if (!report || report.path !== task.path || !parent) return;
    const findings = adoptAll(snapshot, [...report.findings, ...report.escalations]);
    const from = scope.self.id;
    if (findings.length > 0) tell(scope, parent, { type: 'espalier.up', from, findings });
    const own = interims.sealed(reportOf(snapshot, report), task.grant.issuedAt);
    tell(scope, parent, { type: 'espalier.interim', from, report: own });
  };
  /** What the guest is given as its parent: this actor, and after its end whoever notes what comes too late. */
  const doorOf = (snapshot: GuestSnapshot, scope: Scope): AnyActorRef => {
    const self = scope.self as Internal;
    const receive = (event: AnyEventObject): void => {
      if (isLive(scope)) self._send(event);
      else if (event.type === 'espalier.up') {
        const late = heard(snapshot, event['findings']).filter((finding) => finding.critical);
        for (const finding of late) noteLate(host, snapshot.input.task.path, finding);
      }
    };
    return Object.assign(Object.create(self) as Internal, { send: receive, _send: receive });
  };
  const release = (snapshot: GuestSnapshot): void => {
    const child = snapshot.children['guest'];
    delete snapshot.children['guest'];
    // Not by `scope.stopChild`: to XState the door is its parent.
    (child as Internal | undefined)?._stop();
  };
  /** Anybody can send an event of this name: what counts is what became of the guest. */
  const ended = (snapshot: GuestSnapshot): GuestSnapshot => {
    const end = snapshot.children['guest']?.getSnapshot() as Snapshot<unknown> | undefined;
    if (end?.status === 'done') {
      release(snapshot);
      return {
        ...snapshot,
        status: 'done',
        output: outcomeOf(snapshot, end.output) as UnsealedOutcome,
        error: undefined,
      };
    }
    if (end?.status !== 'error') {
      const { path } = snapshot.input.task;
      emit({ type: 'integrity.alert', path, kind: 'misattributed', message: `${path} claimed an end that is none` });
      return snapshot;
    }
    release(snapshot);
    return { ...snapshot, status: 'error', output: undefined, error: end.error };
  };

  return {
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
      children: Object.create(null) as Record<string, AnyActorRef>,
      // What it had called critical before the run was interrupted: neither said again nor replaced.
      said: new Map(host.recall?.criticalsUnder(input.task.path).map((finding) => [finding.id, finding])),
    }),
    getPersistedSnapshot: ({ status, output, error, input }) => persisted({ status, output, error, input }),
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const input = deepFreeze(snapshot.input);
      const child = createActor(guest, { id: 'guest', parent: doorOf(snapshot, scope), src: 'guest', input });
      snapshot.children['guest'] = child;
      child.start();
    },
    transition(snapshot, event, scope) {
      if (snapshot.status !== 'active') return snapshot;
      const { type } = event;
      const { path } = snapshot.input.task;
      if (type.startsWith('xstate.done.actor.') || type.startsWith('xstate.error.actor.')) return ended(snapshot);
      switch (type) {
        case 'espalier.up':
          hear(snapshot, event['findings'], scope);
          return snapshot;
        case 'espalier.interim':
          hearInterim(snapshot, event['report'], scope);
          return snapshot;
        case 'espalier.spawn': {
          const message = `${path} asked its parent for a child; only an orchestrator's own decision creates nodes`;
          emit({ type: 'integrity.alert', path, kind: 'spawn', message });
          return snapshot;
        }
        case 'tier.deadline': {
          const child = snapshot.children['guest'];
          if (child) tell(scope, child, event);
          return snapshot;
        }
        case STOP:
          release(snapshot);
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        default:
          return snapshot;
      }
    },
  };
}

const valueOf = <T>(answer: Answer<T>): T | undefined => ('value' in answer ? answer.value : undefined);
