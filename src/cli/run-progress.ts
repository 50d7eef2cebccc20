/**
 * What is known of a running tree, from the plan and the events alone. No IO and no clock.
 *  1. Every node of the plan is there from the start, waiting; a node that the plan did not know is added.
 *  2. A node ends once; when it ends, what still waits or runs below it has ended with it.
 */
import { childPath, nameOf, parentOf } from '../protocol/path.ts';
import type { FailureStatus } from '../protocol/failure-status.ts';
import type { ReportStatus } from '../protocol/report.ts';
import type { RunEvent } from '../protocol/run-event.ts';
import type { Plan, PlannedNode } from '../runtime/run.ts';
import { moved, standingIn, type Movement } from './conviction-line.ts';

export type NodeProgress = {
  readonly path: string;
  readonly name: string;
  state: 'waiting' | 'running' | 'ended';
  /** How it ended; `closed` when it was cut off with its parent, `reused` when that ended before a run was resumed. */
  outcome?: ReportStatus | FailureStatus | 'closed' | 'reused';
  startedAt?: number;
  endedAt?: number;
  attempt: number;
  findings: number;
  criticals: number;
  children: NodeProgress[];
};

export type RunProgress = {
  readonly thesis: string;
  readonly asOf: string | undefined;
  readonly deadlineMs: number;
  readonly root: NodeProgress;
  startedAt: number | undefined;
  escalations: number;
  /** Where the root's synthesis is incremental. */
  conviction: Movement | undefined;
  apply(event: RunEvent): void;
};

/** Whether it was ended from outside, with its parent or by a cancelled run, before it had said its last word. */
export const isCutOff = ({ outcome }: NodeProgress): boolean => outcome === 'closed' || outcome === 'cancelled';

/** Leaves that ended by themselves, were cut off or are at work, of all there are. A node without children counts as a leaf. */
export type LeafCount = { ended: number; cutOff: number; running: number; total: number };
export function countLeaves(node: NodeProgress): LeafCount {
  if (node.children.length === 0) {
    const isEnded = node.state === 'ended';
    return {
      ended: Number(isEnded && !isCutOff(node)),
      cutOff: Number(isEnded && isCutOff(node)),
      running: Number(node.state === 'running'),
      total: 1,
    };
  }
  const counts = { ended: 0, cutOff: 0, running: 0, total: 0 };
  for (const child of node.children) {
    const { ended, cutOff, running, total } = countLeaves(child);
    counts.ended += ended;
    counts.cutOff += cutOff;
    counts.running += running;
    counts.total += total;
  }
  return counts;
}

const waiting = (path: string): NodeProgress => ({
  path,
  name: nameOf(path),
  state: 'waiting',
  attempt: 0,
  findings: 0,
  criticals: 0,
  children: [],
});

function moveConviction(progress: RunProgress, event: RunEvent): void {
  const standing = standingIn(event);
  if (standing) progress.conviction = moved(progress.conviction, standing);
}

export function createProgress(plan: Plan): RunProgress {
  const nodes = new Map<string, NodeProgress>();
  const planned = ({ path, children }: PlannedNode): NodeProgress => {
    const node = waiting(path);
    nodes.set(path, node);
    node.children = children.map(planned);
    return node;
  };
  const root = planned(plan.root);

  const nodeAt = (path: string): NodeProgress => {
    const known = nodes.get(path);
    if (known) return known;
    const node = waiting(path);
    nodes.set(path, node);
    if (parentOf(path) !== '') nodeAt(parentOf(path)).children.push(node);
    return node;
  };
  const begin = (node: NodeProgress, at: number): void => {
    if (node.state === 'waiting') Object.assign(node, { state: 'running', startedAt: node.startedAt ?? at });
  };
  const close = (node: NodeProgress, outcome: NonNullable<NodeProgress['outcome']>, at: number): void => {
    if (node.state === 'ended') return;
    Object.assign(node, { state: 'ended', outcome, endedAt: at });
    for (const child of node.children) close(child, outcome === 'reused' ? 'reused' : 'closed', at);
  };

  return {
    thesis: plan.thesis,
    asOf: plan.asOf,
    deadlineMs: plan.deadlineMs,
    root,
    startedAt: undefined,
    escalations: 0,
    conviction: undefined,
    apply(event) {
      switch (event.type) {
        case 'run.started':
          this.startedAt = event.at;
          break;
        case 'node.started':
          // A leaf waits for a slot first: it is at work from its first attempt on.
          if (event.tier !== 'leaf') begin(nodeAt(event.path), event.at);
          break;
        case 'node.planned':
          for (const { name } of event.decision.stages.flat()) nodeAt(childPath(event.path, name));
          break;
        case 'depth.refused':
          nodeAt(event.path).children = [];
          break;
        case 'attempt.started':
          begin(nodeAt(event.path), event.at);
          nodeAt(event.path).attempt = event.attempt;
          break;
        case 'attempt.failed':
          if (event.willRetry && nodeAt(event.path).state === 'running') nodeAt(event.path).state = 'waiting';
          break;
        case 'attempt.backed-off':
          if (nodeAt(event.path).state === 'running') nodeAt(event.path).state = 'waiting';
          break;
        case 'finding.reported':
          nodeAt(event.path).findings++;
          if (event.finding.critical) nodeAt(event.path).criticals++;
          break;
        case 'finding.escalated':
          this.escalations++;
          break;
        case 'synthesis.interim':
          moveConviction(this, event);
          break;
        case 'node.reported':
          if (this.conviction) moveConviction(this, event);
          nodeAt(event.path).findings = event.report.findings.length;
          nodeAt(event.path).criticals = event.report.escalations.length;
          close(nodeAt(event.path), event.report.status, event.at);
          break;
        case 'node.reused':
          for (const child of nodeAt(event.path).children) close(child, 'reused', event.at);
          close(nodeAt(event.path), event.status, event.at);
          break;
        case 'node.failed':
          close(nodeAt(event.path), event.token.status, event.at);
          break;
        case 'run.completed':
          close(root, event.status, event.at);
          break;
        default:
      }
    },
  };
}
