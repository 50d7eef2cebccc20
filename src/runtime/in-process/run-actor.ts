/**
 * A run: a gather over one child, the root. So the root has a deadline that somebody holds it to, and what it said is
 * kept should it die.
 *  1. Ends with the root's report, by the deadline, whatever becomes of the root.
 *  2. Emits `finding.escalated` once for every critical finding that reaches it, and tells its own parent.
 *  3. `cancel` delivers what there is at once; stopping it stops the tree and delivers nothing.
 */
import {
  createActor,
  type ActorLogic,
  type ActorSystem,
  type ActorSystemInfo,
  type AnyActorRef,
  type AnyEventObject,
  type Snapshot,
} from 'xstate';
import { digestOf } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { isHole } from '../../protocol/gap.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Outcome, Report, UnsealedReport } from '../../protocol/report.ts';
import type { Task } from '../../protocol/task.ts';
import type { Joined } from '../../tier/join.ts';
import type { GatherInput } from '../../tier/orchestrator-machine.ts';
import { rootReport } from '../../tier/report.ts';
import { gatherActor } from './gather-actor.ts';
import { persisted, STOP, tell, tellSelf, type Host } from './host.ts';
import { createOrchestrator } from './orchestrator.ts';

/** `task` is the root's, its grant the whole run's. `reserveMs`: what the root keeps for its synthesis. */
export type RunInput = { task: Task; reserveMs: number };
type RunSnapshot = Snapshot<Report> & {
  input: RunInput;
  children: Record<string, AnyActorRef>;
  escalated: Set<string>;
  timer: unknown;
};
/** How long a cancelled root has to answer, in ms. */
const CANCEL_MS = 100;

/** What a run emits, for `actor.on`. */
export type Escalated = { type: 'finding.escalated'; path: string; finding: Finding };
export type RunLogic = ActorLogic<RunSnapshot, AnyEventObject, RunInput, ActorSystem<ActorSystemInfo>, Escalated>;

type RunScope = Parameters<RunLogic['transition']>[2];

export function runActor(host: Host): RunLogic {
  const { clock, emit } = host;
  const root = createOrchestrator(host);
  const gather = gatherActor(host, {
    logicFor: (_, task) => host.rehearsal?.orchestrator(root, task) ?? root,
    amend: (report, heard) => withAfterthoughts(withSaid(report, heard), host),
  });

  const escalate = (snapshot: RunSnapshot, findings: readonly Finding[], scope: RunScope): void => {
    const fresh = findings.filter((finding) => finding.critical && !snapshot.escalated.has(finding.id));
    for (const finding of fresh) {
      snapshot.escalated.add(finding.id);
      emit({ type: 'finding.escalated', path: finding.path, finding });
      scope.emit({ type: 'finding.escalated', path: finding.path, finding });
      const parent = scope.self._parent as AnyActorRef | undefined;
      if (parent) tell(scope, parent, { type: 'espalier.escalated', from: scope.self.id, finding });
    }
  };
  const finish = (snapshot: RunSnapshot, joined: Joined, scope: RunScope): RunSnapshot => {
    const [ended] = joined.ended;
    const report = reportOfRoot(snapshot.input.task, ended?.outcome, host);
    escalate(snapshot, report.escalations, scope);
    release(snapshot);
    emit({ type: 'run.completed', path: ROOT, status: report.status, digest: report.digest });
    return { ...snapshot, children: {}, status: 'done', output: report, error: undefined };
  };
  const release = (snapshot: RunSnapshot): void => clock.clearTimeout(snapshot.timer);

  return {
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
      children: {},
      escalated: new Set(),
      timer: undefined,
    }),
    getPersistedSnapshot: ({ status, output, error, input }) => persisted({ status, output, error, input }),
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const input = gatherInput(snapshot.input);
      const child = createActor(gather, { id: 'gather', parent: scope.self as AnyActorRef, src: 'gather', input });
      snapshot.children['gather'] = child;
      child.start();
    },
    transition(snapshot, event, scope) {
      if (snapshot.status !== 'active') return snapshot;
      const child = snapshot.children['gather'];
      switch (event.type) {
        case 'espalier.up':
          escalate(snapshot, event['findings'] as readonly Finding[], scope);
          return snapshot;
        case 'cancel': {
          const rootActor = (child?.getSnapshot() as { children: Record<string, AnyActorRef> } | undefined)?.children[
            ROOT
          ];
          snapshot.timer ??= clock.setTimeout(() => tellSelf(scope, { type: 'run.overdue' }), CANCEL_MS);
          if (rootActor) tell(scope, rootActor, { type: 'cancel' });
          return snapshot;
        }
        case 'run.overdue': // the root does not answer: close over its head
          if (child) tell(scope, child, { type: 'gather.cancel' });
          return snapshot;
        case 'xstate.done.actor.gather':
          return finish(snapshot, event['output'] as Joined, scope);
        case 'xstate.error.actor.gather':
          release(snapshot);
          if (child) scope.stopChild(child); // it is over; but XState would not stop it, were it not
          return { ...snapshot, children: {}, status: 'error', output: undefined, error: event['error'] as unknown };
        case STOP:
          host.isStopped = true;
          release(snapshot);
          if (child) scope.stopChild(child);
          return { ...snapshot, children: {}, status: 'stopped', output: undefined, error: undefined };
        default:
          return snapshot;
      }
    },
  };
}

/** The run stands above the root: one level of depth and one hand-off more. */
function gatherInput({ task, reserveMs }: RunInput): GatherInput {
  const { grant } = task;
  return {
    task: { ...task, path: '', grant: { ...grant, depthLeft: grant.depthLeft + 1 } },
    stage: 0,
    children: [{ name: ROOT, role: 'orchestrator', reserveMs, sources: grant.sources }],
    deadline: grant.deadline,
    before: [],
  };
}

/** A root that failed reports for itself. What its subtree had said is with us, and belongs in that report. */
function withSaid(report: UnsealedReport, heard: Iterable<Finding>): UnsealedReport {
  const hasFailed = report.gaps.some((gap) => gap.kind === 'token' && gap.path === report.path);
  if (!hasFailed) return report;
  const byId = new Map([...heard, ...report.findings].map((finding) => [finding.id, finding]));
  const findings = [...byId.values()];
  const escalations = findings.filter((finding) => finding.critical);
  return { ...report, findings, escalations, status: findings.length > 0 ? 'partial' : 'failed' };
}

function withAfterthoughts(report: UnsealedReport, { afterthoughts }: Host): UnsealedReport {
  if (afterthoughts.length === 0) return report;
  const gaps = [...report.gaps, ...afterthoughts];
  const status = report.status === 'complete' && gaps.some(isHole) ? 'partial' : report.status;
  return { ...report, gaps, status };
}

/** A root that died left a token: it becomes the report of the run, sealed anew. */
function reportOfRoot(task: Task, outcome: Outcome | undefined, host: Host): Report {
  if (outcome?.kind === 'report') return outcome;
  if (!outcome) throw new Error('unreachable: a gather over one child ended without it');
  const { partial, elapsedMs, digest: _, ...token } = outcome;
  const report = withAfterthoughts(rootReport(task, { ...token, ...(partial && { partial }) }), host);
  const timing = { startedAt: task.grant.issuedAt, endedAt: task.grant.issuedAt + elapsedMs };
  return { ...report, timing, digest: digestOf(report) };
}
