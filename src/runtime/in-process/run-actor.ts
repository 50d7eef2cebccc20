/**
 * A run: a gather over one child, the root. So the root has a deadline that somebody holds it to, and what it said is
 * kept should it die.
 *  1. Ends with the root's report, by the deadline, whatever becomes of the root.
 *  2. `finding.escalated` is said once for every critical finding that reaches it.
 *  3. `cancel` delivers what there is at once; stopping it stops the tree and delivers nothing.
 */
import {
  createActor,
  type ActorLogic,
  type ActorSystem,
  type ActorSystemInfo,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type Snapshot,
} from 'xstate';
import { canonicalJson, sha256 } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Report } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import type { Joined } from '../../tier/join.ts';
import { amendRoot, gatherOverRoot, reportOfRoot, type RunKnows } from '../root.ts';
import { gatherActor } from './gather-actor.ts';
import { isLive, persisted, STOP, tell, tellSelf, type Host, type Scope } from './host.ts';
import { createOrchestrator } from './orchestrator.ts';
import type { PreparedRun } from './prepare-run.ts';

type RunSnapshot<Input> = Snapshot<Report> & {
  input: Input;
  /** Made at the start: an actor that is never started claims no stored run. */
  run: PreparedRun | undefined;
  children: Record<string, AnyActorRef>;
  escalated: Set<string>;
  timer: unknown;
};
type Begun<Input> = RunSnapshot<Input> & { run: PreparedRun };
const isBegun = <Input>(snapshot: RunSnapshot<Input>): snapshot is Begun<Input> => snapshot.run !== undefined;

/** Emits every event of the run, for `actor.on`. */
export type RunLogic<Input> = ActorLogic<
  RunSnapshot<Input>,
  AnyEventObject,
  Input,
  ActorSystem<ActorSystemInfo>,
  RunEvent
>;
/** How long a cancelled root has to answer, in ms. */
const CANCEL_MS = 100;

/** `prepare` makes a run of the actor's input when the actor starts. What it throws is the actor's error. */
export function runActor<Input>(prepare: (input: Input, scope: Scope) => PreparedRun): RunLogic<Input> {
  const escalate = ({ run, escalated }: Begun<Input>, findings: readonly Finding[]): void => {
    for (const finding of findings) {
      if (!finding.critical || escalated.has(finding.id) || run.host.recall?.wasEscalated(finding.id)) continue;
      escalated.add(finding.id);
      run.host.emit({ type: 'finding.escalated', path: finding.path, finding });
    }
  };
  const finish = (snapshot: Begun<Input>, joined: Joined): RunSnapshot<Input> => {
    const { run } = snapshot;
    const report = reportOfRoot(run.task, joined.ended[0]?.outcome, knownOf(run.host));
    escalate(snapshot, report.escalations);
    const { status, digest } = report;
    run.host.emit({ type: 'run.completed', path: ROOT, status, digest, sha256: sha256(canonicalJson(report)) });
    release(snapshot);
    return { ...snapshot, children: {}, status: 'done', output: report, error: undefined };
  };
  const release = ({ run, timer }: Begun<Input>): void => {
    run.host.clock.clearTimeout(timer);
    run.host.interims?.close();
    run.stream.close();
  };

  return {
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
      run: undefined,
      children: {},
      escalated: new Set(),
      timer: undefined,
    }),
    getPersistedSnapshot: ({ status, output, error, input }) => persisted({ status, output, error, input }),
    /** Restored while it ran, a run starts anew. */
    restoreSnapshot(snapshot, scope) {
      const kept = snapshot as RunSnapshot<Input>;
      return kept.status === 'active' ? this.getInitialSnapshot(scope as never, kept.input) : kept;
    },
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const run = (snapshot.run = prepare(snapshot.input, scope));
      const { children } = snapshot;
      const lose = (): unknown => isLive(scope) && tellSelf(scope, { type: 'run.lost' });
      if (run.lost.aborted) return void lose(); // between its making and its start
      run.lost.addEventListener('abort', lose, { once: true });
      for (const event of run.opening) run.host.emit(event);
      if (run.host.isStopped || run.lost.aborted) return; // by a listener, just now
      const parent = scope.self as AnyActorRef;
      const input = gatherOverRoot(run.task, run);
      const child = createActor(gatherForRoot(run), { id: 'gather', parent, src: 'gather', input });
      children['gather'] = child;
      child.start();
    },
    transition(snapshot, event, scope) {
      if (snapshot.status !== 'active' || !isBegun(snapshot)) return snapshot;
      const { run, children } = snapshot;
      const child = children['gather'];
      switch (event.type) {
        case 'espalier.up':
          if (event['from'] === 'gather' && Array.isArray(event['findings'])) {
            escalate(snapshot, event['findings'] as readonly Finding[]);
          }
          return snapshot;
        case 'cancel':
          // Not within whoever asks: it may be a listener in the midst of a node's start, which has to be finished.
          queueMicrotask(() => isLive(scope) && tellSelf(scope, { type: 'run.cancel' }));
          return snapshot;
        case 'run.cancel': {
          const nodes = (child?.getSnapshot() as { children: Record<string, AnyActorRef> } | undefined)?.children;
          const root = nodes?.[ROOT];
          snapshot.timer ??= run.host.clock.setTimeout(() => tellSelf(scope, { type: 'run.overdue' }), CANCEL_MS);
          if (root) tell(scope, root, { type: 'cancel' });
          return snapshot;
        }
        case 'run.overdue': // the root does not answer: close over its head
          if (child) tell(scope, child, { type: 'gather.cancel' });
          return snapshot;
        case 'xstate.done.actor.gather':
        case 'xstate.error.actor.gather': {
          // Anybody can send an event of this name: what counts is what became of the gather.
          const end = child?.getSnapshot() as Snapshot<Joined> | undefined;
          if (end?.status === 'done') return finish(snapshot, end.output);
          if (end?.status !== 'error') return snapshot;
          release(snapshot);
          if (child) scope.stopChild(child); // it is over; but XState would not stop it, were it not
          return { ...snapshot, children: {}, status: 'error', output: undefined, error: end.error };
        }
        case 'run.lost': {
          if (!run.lost.aborted) return snapshot;
          run.host.isStopped = true;
          if (child) scope.stopChild(child);
          release(snapshot);
          return { ...snapshot, children: {}, status: 'error', output: undefined, error: run.lost.reason };
        }
        case STOP:
          run.host.isStopped = true;
          if (child) scope.stopChild(child);
          release(snapshot);
          return { ...snapshot, children: {}, status: 'stopped', output: undefined, error: undefined };
        default:
          return snapshot;
      }
    },
  };
}

function gatherForRoot({ host, task: rootTask }: PreparedRun): AnyActorLogic {
  const root = createOrchestrator(host);
  return gatherActor(host, {
    logicFor: (_, task) => host.rehearsal?.orchestrator(root, task) ?? root,
    amend: (report, heard) => amendRoot(report, rootTask, heard, knownOf(host)),
  });
}

const knownOf = ({ afterthoughts, budget, recall, observed, underRoot, decided }: Host): RunKnows => ({
  afterthoughts: recall ? [...recall.afterthoughts(), ...afterthoughts] : afterthoughts,
  overdrawn: budget.overdrawn()?.all,
  underRoot,
  decided,
  dependencies: observed?.dependencies,
});
