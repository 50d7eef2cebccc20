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
import { canonicalJson, digestOf, sha256 } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { isHole, type Gap } from '../../protocol/gap.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Outcome, Report, UnsealedReport } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import type { Joined } from '../../tier/join.ts';
import type { GatherInput } from '../../tier/orchestrator-machine.ts';
import { gapOfToken, NO_DECISION, reportWithoutRoot, rootReport } from '../../tier/report.ts';
import { withMoney } from '../../tier/usage.ts';
import type { Afterthought } from '../record/recall.ts';
import { gatherActor } from './gather-actor.ts';
import { isLive, persisted, STOP, tell, tellSelf, type Host, type Scope } from './host.ts';
import { createOrchestrator } from './orchestrator.ts';
import type { PreparedRun } from './prepare-run.ts';

type RunSnapshot<Input> = Snapshot<Report> & {
  input: Input;
  run: PreparedRun;
  gather: AnyActorLogic;
  children: Record<string, AnyActorRef>;
  escalated: Set<string>;
  timer: unknown;
};
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

/** `prepare` makes a run of the actor's input. What it throws is the actor's error. */
export function runActor<Input>(prepare: (input: Input, scope: Scope) => PreparedRun): RunLogic<Input> {
  const escalate = ({ run, escalated }: RunSnapshot<Input>, findings: readonly Finding[]): void => {
    for (const finding of findings) {
      if (!finding.critical || escalated.has(finding.id) || run.host.recall?.wasEscalated(finding.id)) continue;
      escalated.add(finding.id);
      run.host.emit({ type: 'finding.escalated', path: finding.path, finding });
    }
  };
  const finish = (snapshot: RunSnapshot<Input>, joined: Joined): RunSnapshot<Input> => {
    const { run } = snapshot;
    const report = reportOfRoot(run.task, joined.ended[0]?.outcome, run.host);
    escalate(snapshot, report.escalations);
    const { status, digest } = report;
    run.host.emit({ type: 'run.completed', path: ROOT, status, digest, sha256: sha256(canonicalJson(report)) });
    release(snapshot);
    return { ...snapshot, children: {}, status: 'done', output: report, error: undefined };
  };
  const release = ({ run, timer }: RunSnapshot<Input>): void => {
    run.host.clock.clearTimeout(timer);
    run.host.interims?.close();
    run.stream.close();
  };

  return {
    getInitialSnapshot(scope, input) {
      const run = prepare(input, scope);
      return {
        status: 'active',
        output: undefined,
        error: undefined,
        input,
        run,
        gather: gatherOverRoot(run),
        children: {},
        escalated: new Set(),
        timer: undefined,
      };
    },
    getPersistedSnapshot: ({ status, output, error, input }) => persisted({ status, output, error, input }),
    /** Restored while it ran, a run starts anew. */
    restoreSnapshot(snapshot, scope) {
      const kept = snapshot as RunSnapshot<Input>;
      return kept.status === 'active' ? this.getInitialSnapshot(scope as never, kept.input) : kept;
    },
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const { run, gather, children } = snapshot;
      const lose = (): unknown => isLive(scope) && tellSelf(scope, { type: 'run.lost' });
      if (run.lost.aborted) return void lose(); // between its making and its start
      run.lost.addEventListener('abort', lose, { once: true });
      for (const event of run.opening) run.host.emit(event);
      if (run.host.isStopped || run.lost.aborted) return; // by a listener, just now
      const parent = scope.self as AnyActorRef;
      const child = createActor(gather, { id: 'gather', parent, src: 'gather', input: gatherInput(run) });
      children['gather'] = child;
      child.start();
    },
    transition(snapshot, event, scope) {
      if (snapshot.status !== 'active') return snapshot;
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

function gatherOverRoot({ host, task: rootTask }: PreparedRun): AnyActorLogic {
  const root = createOrchestrator(host);
  return gatherActor(host, {
    logicFor: (_, task) => host.rehearsal?.orchestrator(root, task) ?? root,
    amend: (report, heard) =>
      withDependencies(withAfterthoughts(standingIn(report, rootTask, host, heard), host), host),
  });
}

/** The run stands above the root: one level of depth and one hand-off more. */
function gatherInput({ task, reserveMs, leaves }: PreparedRun): GatherInput {
  const { grant } = task;
  return {
    task: { ...task, path: '', grant: { ...grant, depthLeft: grant.depthLeft + 1 } },
    stage: 0,
    children: [
      {
        ...(grant.planMs !== undefined && { planMs: grant.planMs }),
        name: ROOT,
        role: 'orchestrator',
        reserveMs,
        leaves,
        sources: grant.sources,
      },
    ],
    deadline: grant.deadline,
    before: [],
  };
}

/** A root that failed says so itself. How its children ended, and what they had said, is with us. */
function standingIn(
  report: UnsealedReport,
  task: Task,
  { underRoot: ended, decided: decision = NO_DECISION }: Host,
  heard: Iterable<Finding>,
): UnsealedReport {
  const gap = report.gaps.find(({ kind, path }) => kind === 'token' && path === report.path);
  return gap && ended.length > 0 ? reportWithoutRoot({ task, decision, ended }, gap, heard) : report;
}

function withAfterthoughts(given: UnsealedReport, { afterthoughts, budget, recall }: Host): UnsealedReport {
  const overdrawn = budget.overdrawn();
  const run = overdrawn && given.run?.budget && { ...given.run, budget: { ...given.run.budget, overdrawn } };
  const report = run ? { ...given, run } : given;
  const all = [...(recall?.afterthoughts() ?? []), ...afterthoughts];
  if (all.length === 0) return report;
  const said = new Set(report.escalations.map(({ id }) => id)); // in time, by a node that ran again
  const late = all.filter(({ finding }) => !said.has(finding.id)).map(gapOf);
  const gaps = [...report.gaps, ...late];
  const status = report.status === 'complete' && gaps.some(isHole) ? 'partial' : report.status;
  return { ...report, gaps, status };
}

/** In an order of their own: who was first to read is chance. */
function withDependencies(report: UnsealedReport, { observed }: Host): UnsealedReport {
  if (!observed || !report.run) return report;
  const dependencies = [...observed.dependencies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return { ...report, run: { ...report.run, dependencies } };
}
const gapOf = ({ path, finding }: Afterthought): Gap => ({
  path,
  kind: 'undone',
  why: `a critical finding came after this node had ended: ${finding.statement}`,
});

/** A root that died left a token: it becomes the report of the run, sealed anew. */
function reportOfRoot(task: Task, outcome: Outcome | undefined, host: Host): Report {
  if (outcome?.kind === 'report') return outcome;
  if (!outcome) throw new Error('unreachable: a gather over one child ended without it');
  const { partial, elapsedMs, digest: _, ...token } = outcome;
  const own = { ...token, ...(partial && { partial }) };
  const { underRoot: ended, decided: decision = NO_DECISION } = host;
  const body =
    ended.length > 0
      ? withMoneyOf(reportWithoutRoot({ task, decision, ended }, gapOfToken(own), partial?.findings ?? []), partial)
      : rootReport(task, own);
  const report = withDependencies(withAfterthoughts(body, host), host);
  const timing = { startedAt: task.grant.issuedAt, endedAt: task.grant.issuedAt + elapsedMs };
  return { ...report, timing, digest: digestOf(report) };
}

/** What was settled is in what the root left behind, also by nodes that died before they could report. */
function withMoneyOf(body: UnsealedReport, left: UnsealedReport | undefined): UnsealedReport {
  const { usd, inputTokens, outputTokens } = left?.usage.subtree ?? NOTHING_SPENT;
  if (!left || usd + inputTokens + outputTokens === 0) return body;
  const { self, subtree } = body.usage;
  return {
    ...body,
    usage: { self: withMoney(self, left.usage.self), subtree: { ...subtree, usd, inputTokens, outputTokens } },
  };
}
const NOTHING_SPENT = { usd: 0, inputTokens: 0, outputTokens: 0 };
