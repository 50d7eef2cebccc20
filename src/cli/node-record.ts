/** Reads what a store holds of one node: of how it was asked, what it decided and tried, and how it ended. */
import type { Store, StoredNode, StoredRun } from '../ports/store.ts';
import { nameOf, parentOf } from '../protocol/path.ts';
import type { Outcome, Report } from '../protocol/report.ts';
import type { NodeView, ShownAttempt, Standing } from '../render/node-view.ts';
import { nodeTimes } from '../runtime/record/node-time.ts';
import { readEvent } from '../runtime/record/reading.ts';
import { asOfOf, lastKnown } from './stored-run.ts';

type Asked = { store: Store; run: StoredRun; nodes: readonly StoredNode[]; node: StoredNode; now: number };

export function readNode({ store, run, nodes, node, now }: Asked): NodeView {
  const { runId, scenario } = run;
  const asOf = asOfOf(store, run);
  const { path, tier, depth, state, startedAt, endedAt } = node;
  const present = nodes.filter((each) => each.state !== 'invalidated');
  const times = nodeTimes(present, lastKnown(run, present, now));
  return {
    runId,
    scenario,
    path,
    tier,
    depth,
    state,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(asOf !== undefined && { asOf }),
    ...told(store, runId, path),
    parts: times
      .partsOf(node)
      .map((part) => ('child' in part ? { waitedFor: nameOf(part.child.path), ms: part.to - part.from } : part)),
    standing: standingOf(store, run, node),
  };
}

type NodeStory = Pick<
  NodeView,
  'begun' | 'task' | 'decision' | 'refused' | 'invalidated' | 'attempts' | 'rejected' | 'missing' | 'outcome'
>;
/** What the events since it last began say. */
function told(store: Store, runId: string, path: string): NodeStory {
  let begun = 0;
  let now: Omit<NodeStory, 'begun'> = { attempts: [], rejected: [], missing: [] };
  for (const { body } of store.events(runId, { path })) {
    const event = readEvent(body);
    switch (event?.type) {
      case 'node.started': {
        const { question, charter, grant, prior } = event;
        begun++;
        now = { attempts: [], rejected: [], missing: [], task: { question, charter, grant, needs: prior } };
        break;
      }
      case 'node.planned':
        now = { ...now, decision: event.decision };
        break;
      case 'depth.refused':
        now = { ...now, refused: event.children };
        break;
      case 'node.invalidated':
        now = { ...now, invalidated: event.why };
        break;
      case 'attempt.started': {
        const { attempt, at, enrichment } = event;
        const one: ShownAttempt = { attempt, startedAt: at, ...(enrichment !== undefined && { told: enrichment }) };
        now = { ...now, attempts: [...now.attempts, one] };
        break;
      }
      case 'attempt.hedged': {
        const { attempt, at } = event;
        const hedged = now.attempts.map((one) => (one.attempt === attempt ? { ...one, hedge: { at } } : one));
        now = { ...now, attempts: hedged };
        break;
      }
      case 'execution.dropped': {
        const { attempt, which } = event;
        const attempts = now.attempts.map((one) =>
          one.attempt === attempt && one.hedge ? { ...one, hedge: { ...one.hedge, dropped: which } } : one,
        );
        now = { ...now, attempts };
        break;
      }
      case 'attempt.failed': {
        const { attempt, at, fault, willRetry } = event;
        const failed = now.attempts.map((one) =>
          one.attempt === attempt ? { ...one, endedAt: at, fault, willRetry } : one,
        );
        // One that a resumed run remembers, or that never got a slot, has not begun here.
        const isNew = !now.attempts.some((one) => one.attempt === attempt);
        now = {
          ...now,
          attempts: isNew ? [...failed, { attempt, startedAt: at, endedAt: at, fault, willRetry }] : failed,
        };
        break;
      }
      case 'synthesis.rejected':
        now = { ...now, rejected: [...now.rejected, event.fault] };
        break;
      case 'join.expired':
        now = { ...now, missing: [...now.missing, ...event.missing] };
        break;
      case 'node.reported':
      case 'node.failed': {
        const outcome = event.type === 'node.reported' ? event.report : event.token;
        const attempts = now.attempts.map((one) => (one.endedAt === undefined ? { ...one, endedAt: event.at } : one));
        now = { ...now, attempts, outcome };
        break;
      }
      default:
    }
  }
  return { begun, ...now };
}

/** Who vouches for how the node ended: its parent's report by its digest, that one's parent by its, and the receipt. */
function standingOf(store: Store, run: StoredRun, node: StoredNode): Standing | undefined {
  const { digest } = node;
  if (digest === undefined) return undefined;
  const holders: Standing['holders'] = [];
  let below = { path: node.path, digest };
  for (let path = parentOf(node.path); path !== ''; path = parentOf(path)) {
    const above = store.node(run.runId, path);
    const report = above && bodyOf(outcomeOf(store, run.runId, above));
    if (!above?.digest || !report) return { digest, holders, open: path };
    const held = report.children.find((child) => child.path === below.path)?.digest;
    holders.push({ by: path, as: held === undefined ? 'absent' : held === below.digest ? 'same' : 'other' });
    if (held !== below.digest) return { digest, holders };
    below = { path, digest: above.digest };
  }
  if (!run.receipt) return { digest, holders, open: 'the receipt' };
  holders.push({ by: 'the receipt', as: run.receipt.brief === below.digest ? 'same' : 'other' });
  return { digest, holders };
}

function outcomeOf(store: Store, runId: string, { seq }: StoredNode): Outcome | undefined {
  const stored = seq.ended === undefined ? undefined : store.event(runId, seq.ended);
  const event = stored && readEvent(stored.body);
  if (event?.type === 'node.reported') return event.report;
  return event?.type === 'node.failed' ? event.token : undefined;
}

const bodyOf = (outcome: Outcome | undefined): Report | undefined =>
  outcome?.kind === 'failure' ? outcome.partial : outcome;
