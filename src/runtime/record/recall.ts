/**
 * What a resumed run remembers of itself: how nodes ended, what was decided, which attempts had failed.
 *  1. Nothing stands in for a node but the end of the same task: same path, same digest of all it was asked.
 *  2. What time or a cancellation cut off is done again; so is, when asked for, whatever failed.
 *  3. What is read back is checked like anything else that comes from outside: its schema and its digest.
 *  4. A critical finding that was said is not forgotten, also when its node has to run again.
 */
import type { Identify } from '../../activities/identity.ts';
import type { Store, StoredNode } from '../../ports/store.ts';
import type { Decision } from '../../protocol/decision.ts';
import { digestOf } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { deepFreeze } from '../../protocol/freeze.ts';
import { isInterruption } from '../../protocol/gap.ts';
import { isWithin, parentOf } from '../../protocol/path.ts';
import type { Outcome } from '../../protocol/report.ts';
import { RunEvent, type RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import type { LeafProgress } from '../../tier/leaf-logic.ts';

export type Recall = {
  /** How the node of this task had ended, if that can stand; or why it cannot. */
  endOf(task: Task): { outcome: Outcome } | { invalidated: string } | undefined;
  decisionOf(task: Task): Decision | undefined;
  /** How far a leaf had come that had not ended. */
  leafOf(task: Task): LeafProgress | undefined;
  /** Whether the root has been told of this finding. */
  wasEscalated(id: string): boolean;
};

/** `retryFailed`: do again what failed by its own doing, too. */
export type RecallOptions = { store: Store; runId: string; identify: Identify; retryFailed: boolean };

/** `criticals`: all that were said and still stand. */
export type Earlier = { recall: Recall; criticals: Iterable<Finding> };

export function recallOf({ store, runId, identify, retryFailed }: RecallOptions): Earlier {
  const { leaves, criticals, escalated } = readLog(store, runId);

  const eventAt = (seq: number): RunEvent | undefined => {
    const stored = store.event(runId, seq);
    return stored && readEvent(stored.body);
  };
  return {
    criticals: criticals.values(),
    recall: {
      endOf(task) {
        const { path } = task;
        const node = store.node(runId, path);
        if (node?.seq.ended === undefined) return undefined;
        const identity = identify(task);
        if (node.definition !== identity?.definition) return undefined; // said when the run was taken up
        if (node.taskDigest !== identity?.taskDigest) return { invalidated: 'it is asked something else now' };
        const outcome = outcomeIn(eventAt(node.seq.ended));
        if (!outcome || outcome.path !== path || digestOf(outcome) !== outcome.digest) {
          return { invalidated: 'its stored end cannot be read, or was changed' };
        }
        return canStand(outcome, retryFailed) ? { outcome: deepFreeze(outcome) } : undefined;
      },
      decisionOf(task) {
        const node = store.node(runId, task.path);
        const isSame = node?.taskDigest === identify(task)?.taskDigest;
        const event = isSame && node?.seq.planned !== undefined ? eventAt(node.seq.planned) : undefined;
        return event?.type === 'node.planned' ? event.decision : undefined;
      },
      leafOf(task) {
        const leaf = leaves.get(task.path);
        return leaf && leaf.taskDigest === identify(task)?.taskDigest ? leaf.progress : undefined;
      },
      wasEscalated: (id) => escalated.has(id),
    },
  };
}

function outcomeIn(event: RunEvent | undefined): Outcome | undefined {
  if (event?.type === 'node.reported') return event.report;
  return event?.type === 'node.failed' ? event.token : undefined;
}

function canStand(outcome: Outcome, retryFailed: boolean): boolean {
  if (outcome.kind === 'failure') {
    return !retryFailed && outcome.status !== 'timeout' && outcome.status !== 'cancelled';
  }
  return !outcome.gaps.some((gap) => (retryFailed ? gap.status !== undefined : isInterruption(gap)));
}

type Unfinished = { taskDigest: string | undefined; progress: Mutable<LeafProgress> };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer One)[] ? One[] : T[Key] };
type Log = { leaves: Map<string, Unfinished>; criticals: Map<string, Finding>; escalated: Set<string> };
const READ = ['node.started', 'attempt.started', 'attempt.failed', 'finding.reported', 'finding.escalated'] as const;
const ENDS = ['node.reported', 'node.failed', 'node.invalidated'] as const;

/** Reads the log once, and keeps only what is critical or unfinished. */
function readLog(store: Store, runId: string): Log {
  const leaves: Log['leaves'] = new Map();
  const criticals: Log['criticals'] = new Map();
  const escalated: Log['escalated'] = new Set();
  for (const { type, path, body } of store.events(runId, { types: [...READ, ...ENDS] })) {
    if (type === 'node.reported' || type === 'node.failed') {
      leaves.delete(path); // what it ended with is read when it is asked for
      continue;
    }
    const event = readEvent(body);
    const leaf = leaves.get(path);
    switch (event?.type) {
      case 'node.started':
        // Also when an earlier resumption had begun it anew: what had failed before that counts on.
        if (!leaf || leaf.taskDigest !== event.taskDigest) {
          leaves.set(path, { taskDigest: event.taskDigest, progress: { attempt: 1, enrichments: [], criticals: [] } });
        }
        break;
      case 'attempt.started':
        if (leaf) {
          leaf.progress.attempt = event.attempt;
          delete leaf.progress.fault;
          if (event.enrichment !== undefined) leaf.progress.enrichments[event.attempt - 2] = event.enrichment;
        }
        break;
      case 'attempt.failed':
        if (leaf && event.willRetry) leaf.progress.fault = event.fault;
        break;
      case 'finding.reported':
        if (!event.finding.critical) break;
        criticals.set(event.finding.id, event.finding);
        leaf?.progress.criticals.push(event.finding);
        break;
      case 'finding.escalated':
        escalated.add(event.finding.id);
        break;
      case 'node.invalidated':
        for (const [id, finding] of criticals) if (isWithin(finding.path, path)) criticals.delete(id);
        break;
      default:
    }
  }
  return { leaves, criticals, escalated };
}

function readEvent(body: string): RunEvent | undefined {
  try {
    return RunEvent.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

export type Changes = {
  /** What to say of it: the deepest nodes that have changed, and the topmost of those that are gone. */
  events: Extract<RunEventBody, { type: 'node.invalidated' }>[];
  /** Every node that is gone. */
  gone: StoredNode[];
};

/** What of a stored run cannot stand because the scenario is another by now. */
export function changedSince(store: Store, runId: string, definitionAt: (path: string) => string | undefined): Changes {
  const changed: string[] = [];
  const gone = new Map<string, StoredNode>();
  const above = new Set<string>();
  for (const node of store.nodes(runId)) {
    const { path, definition, state } = node;
    const present = definitionAt(path);
    if (present === definition || state === 'invalidated') continue;
    if (present === undefined) gone.set(path, node);
    else changed.push(path);
    for (let at = parentOf(path); at !== '' && !above.has(at); at = parentOf(at)) above.add(at);
  }
  const said = (path: string, why: string) => ({ type: 'node.invalidated' as const, path, why });
  return {
    gone: [...gone.values()],
    events: [
      ...changed.filter((path) => !above.has(path)).map((path) => said(path, 'its definition has changed')),
      ...[...gone.keys()]
        .filter((path) => !gone.has(parentOf(path)))
        .map((path) => said(path, 'it is not in the scenario any more')),
    ],
  };
}
