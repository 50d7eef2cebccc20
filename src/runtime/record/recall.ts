/**
 * What a resumed run remembers of itself: how nodes ended, what was decided, which attempts had failed.
 *  1. Nothing stands in for a node but the end of the same task: same path, same digest of all it was asked.
 *  2. What time, budget or a cancellation cut off is done again; so is, when asked for, whatever failed.
 *  3. What is read back is checked like anything else that comes from outside: its schema and its digest.
 *  4. A critical finding that was said is not forgotten, also when its node has to run again.
 */
import type { Identify } from '../../activities/identity.ts';
import type { Store, StoredNode } from '../../ports/store.ts';
import { dependencyKey, type Dependency } from '../../protocol/dependency.ts';
import type { Decision } from '../../protocol/decision.ts';
import { digestOf } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { deepFreeze } from '../../protocol/freeze.ts';
import { isInterruptedBy, isInterruption } from '../../protocol/gap.ts';
import { parentOf } from '../../protocol/path.ts';
import type { Outcome } from '../../protocol/report.ts';
import type { RunEvent, RunEventBody } from '../../protocol/run-event.ts';
import type { Task } from '../../protocol/task.ts';
import type { LeafProgress } from '../../tier/leaf-logic.ts';
import { readEvent } from './reading.ts';
import { findingHash, standingCriticals, type StandingCriticals } from './standing-criticals.ts';

export type Recall = {
  /** How the node of this task had ended, if that can stand; or why it cannot. Asked before the node starts. */
  endOf(task: Task): { outcome: Outcome } | { invalidated: string } | undefined;
  decisionOf(task: Task): Decision | undefined;
  /** How far a leaf had come that had not ended. */
  leafOf(task: Task): LeafProgress | undefined;
  /** Whether the root has been told of this finding. */
  wasEscalated(id: string): boolean;
  /** The critical findings that were said at this path or below it, and still stand. */
  criticalsUnder(path: string): Finding[];
  /** Undeclared reads of nodes that still stand, by reader and what it read. */
  dependencies(): Map<string, Dependency>;
  /** Those that came too late for their node's report, and still stand. */
  afterthoughts(): Iterable<Afterthought>;
  /** A node cannot stand: nothing is left of what it was. */
  forget(event: Invalidated): void;
};
/** `path`: of the node that had ended. `why`: it stands in no report; by default because it came too late. */
export type Afterthought = { readonly path: string; readonly finding: Finding; readonly why?: string };
type Invalidated = Extract<RunEventBody, { type: 'node.invalidated' }>;

/** `retryFailed`: do again what failed by its own doing, too. */
export type RecallOptions = { store: Store; runId: string; identify: Identify; retryFailed: boolean };

export function recallOf({ store, runId, identify, retryFailed }: RecallOptions): Recall {
  const { leaves, forgotten, criticals, late, escalated, dependencies, forget } = readLog(store, runId);

  const eventAt = (seq: number): RunEvent | undefined => {
    const stored = store.event(runId, seq);
    return stored && readEvent(stored.body);
  };
  /** Where the decisions of nodes stand that are asked the same again. */
  const planned = new Map<string, number>();
  const endOf: Recall['endOf'] = (task) => {
    const { path } = task;
    const node = forgotten.has(path) ? undefined : store.node(runId, path);
    const identity = identify(task);
    if (!node || node.definition !== identity?.definition) return undefined; // said when the run was taken up
    if (node.taskDigest !== identity?.taskDigest) return { invalidated: 'it is asked something else now' };
    // Now: once the node has started again, the store has its new entry.
    if (node.seq.planned !== undefined) planned.set(path, node.seq.planned);
    if (node.seq.ended === undefined) return undefined;
    const outcome = outcomeIn(eventAt(node.seq.ended));
    if (!outcome || outcome.path !== path || digestOf(outcome) !== outcome.digest) {
      return { invalidated: 'its stored end cannot be read, or was changed' };
    }
    return canStand(outcome, retryFailed) ? { outcome: deepFreeze(outcome) } : undefined;
  };
  const decisionOf: Recall['decisionOf'] = (task) => {
    const seq = planned.get(task.path);
    const event = seq === undefined ? undefined : eventAt(seq);
    return event?.type === 'node.planned' ? event.decision : undefined;
  };
  return {
    endOf: (task) => ifReadable(() => endOf(task)),
    decisionOf: (task) => ifReadable(() => decisionOf(task)),
    leafOf(task) {
      const leaf = leaves.get(task.path);
      return leaf && leaf.taskDigest === identify(task)?.taskDigest ? leaf.progress : undefined;
    },
    wasEscalated: (id) => escalated.has(id),
    criticalsUnder: (path) => Array.from(criticals.under(path), ({ finding }) => finding),
    dependencies: () => new Map(dependencies),
    afterthoughts: () => late.values(),
    forget,
  };
}

/** What a store that fails in mid-run knew of a node is lost, and not the node: it runs. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function outcomeIn(event: RunEvent | undefined): Outcome | undefined {
  if (event?.type === 'node.reported') return event.report;
  return event?.type === 'node.failed' ? event.token : undefined;
}

function canStand(outcome: Outcome, retryFailed: boolean): boolean {
  if (outcome.kind === 'failure') {
    return !retryFailed && !isInterruptedBy(outcome.status);
  }
  return !outcome.gaps.some((gap) => (retryFailed ? gap.status !== undefined : isInterruption(gap)));
}

type Unfinished = { taskDigest: string | undefined; progress: Mutable<LeafProgress> };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer One)[] ? One[] : T[Key] };
type Log = {
  leaves: Map<string, Unfinished>;
  /** Nodes that were taken back and have not started since. */
  forgotten: Set<string>;
  criticals: StandingCriticals;
  /** By what was said. */
  late: Map<string, Afterthought>;
  escalated: Set<string>;
  dependencies: Map<string, Dependency>;
  forget: Recall['forget'];
};
const notBegun = (): Mutable<LeafProgress> => ({ attempt: 1, enrichments: [], criticals: [] });
const READ = [
  'node.started',
  'attempt.started',
  'attempt.failed',
  'finding.reported',
  'finding.escalated',
  'dependency.observed',
  'child.late',
] as const;
const ENDS = ['node.reported', 'node.failed', 'node.invalidated'] as const;

/** Reads the log once, and keeps only what is critical or unfinished. */
function readLog(store: Store, runId: string): Log {
  const leaves: Log['leaves'] = new Map();
  const forgotten: Log['forgotten'] = new Set();
  const criticals = standingCriticals();
  const late: Log['late'] = new Map();
  const escalated: Log['escalated'] = new Set();
  const dependencies: Log['dependencies'] = new Map();
  const forget: Log['forget'] = (event) => {
    for (const { id } of criticals.apply(event)) escalated.delete(id);
    leaves.delete(event.path);
    for (const [key, { path }] of dependencies) if (path === event.path) dependencies.delete(key);
    forgotten.add(event.path);
    for (const [said, { path }] of late) if (path === event.path) late.delete(said);
  };
  for (const { type, path, body } of store.events(runId, { types: [...READ, ...ENDS] })) {
    if (type === 'node.reported' || type === 'node.failed') {
      // What it ended with is read when it is asked for. Should it run again, what it had called critical was said.
      const { taskDigest, progress } = leaves.get(path) ?? {};
      if (!progress || progress.criticals.length === 0) leaves.delete(path);
      else leaves.set(path, { taskDigest, progress: { ...notBegun(), criticals: progress.criticals } });
      continue;
    }
    const event = readEvent(body);
    const leaf = leaves.get(path);
    switch (event?.type) {
      case 'node.started':
        forgotten.delete(path);
        // Also when an earlier resumption had begun it anew: what had failed before that counts on.
        if (!leaf || leaf.taskDigest !== event.taskDigest) {
          leaves.set(path, { taskDigest: event.taskDigest, progress: notBegun() });
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
        criticals.note(event.finding);
        leaf?.progress.criticals.push(event.finding);
        break;
      case 'finding.escalated':
        escalated.add(event.finding.id);
        break;
      case 'dependency.observed': {
        const { on, via } = event;
        dependencies.set(dependencyKey({ on, path, via }), { on, path, via });
        break;
      }
      case 'child.late':
        for (const finding of event.findings) late.set(findingHash(finding), { path: finding.path, finding });
        break;
      case 'node.invalidated':
        forget(event);
        break;
      default:
    }
  }
  return { leaves, forgotten, criticals, late, escalated, dependencies, forget };
}

export type Changes = {
  /** What to say of it: of the deepest nodes that have changed, and of each that is gone. */
  events: Invalidated[];
  /** Every node that is gone. */
  gone: StoredNode[];
};

/** Why a node is taken back that the resumed run does not have. */
export const GONE = 'it is not in the scenario any more';

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
      ...Array.from(gone.keys(), (path) => said(path, GONE)),
    ],
  };
}
