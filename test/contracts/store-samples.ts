/** Runs, events and nodes as a recorder would hand them to a store. */
import { hash } from 'node:crypto';
import type { Batch, NewRun, StoredEvent, StoredNode } from '../../src/ports/store.ts';

export const newRun = (runId: string, over: Partial<NewRun> = {}): NewRun => ({
  runId,
  scenario: 'us-tech',
  thesis: 'Hold shares',
  startedAt: 1_000,
  options: { asOf: '2008-06-01', deadlineMs: 60_000, maxDepth: 3, concurrency: 8, domains: ['macro'] },
  origin: { file: 'scenarios/us-tech.ts' },
  hostVersion: '0.1.0',
  ...over,
});

export const event = (seq: number, over: Partial<StoredEvent> = {}): StoredEvent => ({
  seq,
  type: 'finding.reported',
  path: 'root/macro/jobs',
  body: JSON.stringify({ seq, statement: 'Fewer jobs' }),
  checksum: `sum-${seq}`,
  ...over,
});
export const eventsFrom = (seq: number, count: number, over: Partial<StoredEvent> = {}): StoredEvent[] =>
  Array.from({ length: count }, (_, i) => event(seq + i, over));

export const node = (path: string, started: number, over: Partial<StoredNode> = {}): StoredNode => ({
  path,
  tier: 'leaf',
  depth: 2,
  state: 'running',
  startedAt: 1_000 + started,
  workMs: 0,
  attempts: 1,
  findings: 0,
  criticals: 0,
  gaps: 0,
  seq: { started },
  ...over,
});

export const batch = (over: Partial<Batch>): Batch => ({
  events: [],
  nodes: [],
  durations: [],
  enrichments: [],
  ...over,
});

export const end = (over: Partial<NonNullable<Batch['end']>> = {}): NonNullable<Batch['end']> => ({
  state: 'complete',
  endedAt: 9_000,
  receipt: { schemaVersion: 1, runId: 'a', brief: 'digest', criticals: {}, events: 2, head: 'sum-1' },
  ...over,
});

export const sha = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
