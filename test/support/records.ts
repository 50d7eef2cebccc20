/** A stored run taken apart, so that it can be tampered with as by somebody who has the file. */
import { EspalierError } from '../../src/errors.ts';
import type { Store, StoredEvent, StoredNode, StoredRun } from '../../src/ports/store.ts';
import { canonicalJson, digestOf, sha256 } from '../../src/protocol/digest.ts';
import { parentOf } from '../../src/protocol/path.ts';
import type { Outcome, Report } from '../../src/protocol/report.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { checksumOf } from '../../src/runtime/record/checksum.ts';
import { createNodeIndex } from '../../src/runtime/record/node-index.ts';
import { createReceiptBuilder } from '../../src/runtime/record/receipt-builder.ts';

type NodeRow = { path: string; parent: string; body: string };
/** Rows, with the columns that they can be looked up by. */
export type StoredRecord = { run: StoredRun; filedUnder: string; events: StoredEvent[]; nodes: NodeRow[] };

const rowOf = (node: StoredNode): NodeRow => ({
  path: node.path,
  parent: parentOf(node.path),
  body: JSON.stringify(node),
});

export function recordOf(store: Store, runId: string): StoredRecord {
  const run = store.run(runId);
  if (!run) throw new Error(`no run ${runId}`);
  return {
    run,
    filedUnder: run.scenario,
    events: [...store.events(runId)],
    nodes: Array.from(store.nodes(runId), rowOf),
  };
}

/** A store that holds this record alone. What no verification reads is missing. */
export function storeOf({ run, filedUnder, events, nodes }: StoredRecord): Store {
  const nodeOf = ({ path, body }: NodeRow): StoredNode => {
    try {
      return JSON.parse(body) as StoredNode;
    } catch {
      throw new EspalierError('store-fault', `the row of ${path} is damaged`);
    }
  };
  const view: Partial<Store> = {
    name: 'a record',
    run: (runId) => (runId === run.runId ? run : undefined),
    runs: ({ scenario } = {}) => (scenario === filedUnder ? [run] : []),
    events: () => events.toSorted((a, b) => a.seq - b.seq),
    node: (_, path) => nodes.filter((row) => row.path === path).map(nodeOf)[0],
    nodes: (_, { parent } = {}) => nodes.filter((row) => row.parent === (parent ?? row.parent)).map(nodeOf),
  };
  return view as Store;
}

export const eventsOf = (record: StoredRecord): RunEvent[] =>
  record.events.map(({ body }) => JSON.parse(body) as RunEvent);

/** The record with these events in place of its own, and everything but the receipt made to fit them. */
export function rewritten(record: StoredRecord, events: readonly RunEvent[]): StoredRecord {
  const index = createNodeIndex(record.run.scenario);
  let head = '';
  const rows = events.map((event, seq): StoredEvent => {
    const body = JSON.stringify({ ...event, seq });
    head = checksumOf(head, body);
    index.apply({ ...event, seq });
    return { seq, type: event.type, path: event.path, body, checksum: head };
  });
  const nodes = index.take().nodes.map(rowOf);
  return { ...record, run: { ...record.run, events: rows.length, head }, events: rows, nodes };
}

/** What a thorough forger does to one report: every digest above it is made to fit. */
export function forged(record: StoredRecord, change: (body: Report) => void): StoredRecord {
  const digests = new Map<string, string>();
  let brief: Report | undefined;
  const events = eventsOf(record).map((event): RunEvent => {
    if (event.type === 'run.completed' && brief) {
      return { ...event, digest: brief.digest, sha256: sha256(canonicalJson(brief)) };
    }
    const outcome: Outcome | undefined =
      event.type === 'node.reported' ? event.report : event.type === 'node.failed' ? event.token : undefined;
    if (!outcome) return event;
    const body = outcome.kind === 'report' ? outcome : outcome.partial;
    if (body) {
      change(body);
      for (const child of body.children) child.digest = digests.get(child.path) ?? child.digest;
      body.digest = digestOf(body);
    }
    outcome.digest = digestOf(outcome);
    digests.set(event.path, outcome.digest);
    if (outcome.kind === 'report') brief = outcome;
    return event;
  });
  return rewritten(record, events);
}

/** With a receipt made anew, which nobody signed. */
export function withOwnReceipt(record: StoredRecord): StoredRecord {
  const builder = createReceiptBuilder();
  for (const [i, event] of eventsOf(record).entries()) {
    builder.add(event, record.events[i]?.body ?? '');
    if (event.type === 'run.completed') return { ...record, run: { ...record.run, receipt: builder.receiptOf(event) } };
  }
  return record;
}
