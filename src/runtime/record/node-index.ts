/** What a run's events say of each of its nodes, in short: the index of a record. No IO and no clock. */
import { isHole } from '../../protocol/gap.ts';
import { parentOf } from '../../protocol/path.ts';
import type { Outcome } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import type { Duration, HelpfulEnrichment, StoredNode } from '../../ports/store.ts';
import { bodyOf } from '../../tier/synthesis-check.ts';

type Live = {
  node: StoredNode;
  parent?: Live;
  /** When the attempt at work began. */
  attemptAt?: number;
  /** When the last of its children ended: from then on it works by itself. */
  childEndedAt?: number;
  /** What the present attempt was told, and after which failure. */
  enrichment?: string;
  failure?: HelpfulEnrichment['status'];
};
type Learned = { durations: Duration[]; enrichments: HelpfulEnrichment[] };

export type NodeIndex = {
  /** Takes in the next event. Returns the node that it ended, if it did. */
  apply(event: RunEvent): StoredNode | undefined;
  /** Every node that has changed since it was last asked, and what was learned since. */
  take(): { nodes: StoredNode[] } & Learned;
};

/** `gone`: nodes of an interrupted run that the resumed one does not have. */
export function createNodeIndex(scenario: string, gone: Iterable<StoredNode> = []): NodeIndex {
  const live = new Map<string, Live>();
  /** The node that was looked up last: most often the next event is of it, too. */
  let latest: Live | undefined;
  const liveAt = (path: string): Live | undefined => {
    if (latest?.node.path !== path) latest = live.get(path);
    return latest;
  };
  let changed = new Set<StoredNode>(Array.from(gone, (node) => ({ ...node, state: 'invalidated' as const })));
  let learned: Learned = { durations: [], enrichments: [] };

  const learnFrom = (one: Live, outcome: Outcome, at: number): void => {
    const { node, enrichment, failure } = one;
    if (node.state !== 'complete' && node.state !== 'partial') return;
    const { path } = node;
    const ms = ownMsOf(one, outcome, at);
    if (ms !== undefined) learned.durations.push({ scenario, path, ms, at });
    if (enrichment !== undefined && failure)
      learned.enrichments.push({ scenario, path, status: failure, enrichment, at });
  };
  const end = (one: Live, outcome: Outcome, { at, seq }: RunEvent): StoredNode => {
    const { node } = one;
    const body = bodyOf(outcome);
    node.state = outcome.status;
    node.digest = outcome.digest;
    node.endedAt = at;
    node.seq.ended = seq;
    if (one.attemptAt !== undefined) node.workMs += at - one.attemptAt;
    if (body) {
      node.findings = body.findings.length;
      node.criticals = body.escalations.length;
      node.gaps = body.gaps.length;
      node.usage = body.usage;
      if (body.retention) node.retention = body.retention;
    }
    if (one.parent) one.parent.childEndedAt = at;
    live.delete(node.path);
    latest = undefined;
    learnFrom(one, outcome, at);
    return node;
  };

  return {
    apply(event) {
      const { path, at, seq } = event;
      if (event.type === 'node.started') {
        const { tier, depth, definition, taskDigest } = event;
        const node: StoredNode = {
          path,
          tier,
          depth,
          state: 'running',
          ...(definition !== undefined && { definition }),
          ...(taskDigest !== undefined && { taskDigest }),
          startedAt: at,
          workMs: 0,
          attempts: 0,
          findings: 0,
          criticals: 0,
          gaps: 0,
          seq: { started: seq },
        };
        const parent = liveAt(parentOf(path));
        latest = { node, ...(parent && { parent }) };
        live.set(path, latest);
        changed.add(node);
        return undefined;
      }
      if (event.type === 'node.reused') {
        const parent = liveAt(parentOf(path));
        if (parent) parent.childEndedAt = at;
        return undefined;
      }
      const one = liveAt(path);
      if (!one) return undefined;
      const { node } = one;
      switch (event.type) {
        case 'node.planned':
          node.plannedAt ??= at; // a further round is no part of planning
          node.seq.planned = seq;
          break;
        case 'attempt.started':
          node.workedAt ??= at;
          node.attempts = event.attempt;
          one.attemptAt = at;
          if (event.enrichment !== undefined) one.enrichment = event.enrichment;
          break;
        case 'attempt.failed':
          if (one.attemptAt !== undefined) node.workMs += at - one.attemptAt;
          delete one.attemptAt;
          if (event.fault.diagnosis !== 'transient') one.failure = event.fault.status; // nothing was to be learnt
          break;
        case 'attempt.backed-off':
          if (one.attemptAt !== undefined) node.workMs += at - one.attemptAt;
          delete one.attemptAt;
          break;
        case 'finding.reported':
          node.findings++;
          if (event.finding.critical) node.criticals++;
          break;
        case 'node.reported':
          changed.add(node);
          return end(one, event.report, event);
        case 'node.failed':
          changed.add(node);
          return end(one, event.token, event);
        default:
          return undefined;
      }
      changed.add(node);
      return undefined;
    },
    take() {
      const taken = { nodes: [...changed], ...learned };
      changed = new Set();
      learned = { durations: [], enrichments: [] };
      return taken;
    },
  };
}

/**
 * How long a node worked by itself, where that tells what it will take next time. Not an orchestrator that executed as
 * a leaf, or whose synthesis was cancelled or failed; one that was cut off by its deadline took at least as long.
 */
function ownMsOf({ node, childEndedAt }: Live, outcome: Outcome, at: number): number | undefined {
  const { path, tier, attempts, workMs } = node;
  if (tier === 'leaf') return attempts > 0 ? workMs : undefined;
  if (childEndedAt === undefined) return undefined;
  const isUntold = (bodyOf(outcome)?.gaps ?? []).some(
    (gap) => isHole(gap) && (gap.status === 'cancelled' || (gap.path === path && gap.status !== 'timeout')),
  );
  return isUntold ? undefined : at - childEndedAt;
}
