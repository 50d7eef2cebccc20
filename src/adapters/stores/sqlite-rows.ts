/** Rows as what the port says they are, and back. */
import { z } from 'zod';
import type { EspalierError } from '../../errors.ts';
import type { HelpfulEnrichment, NewRun, RunState, StoredEvent, StoredNode, StoredRun } from '../../ports/store.ts';
import type { RunEventType } from '../../protocol/run-event.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import type { ClaimRule, Holder } from './claims.ts';
import { storeFault } from './sqlite-faults.ts';

/** The furthest instant that a date can hold, in epoch ms. */
const MOST_MS = 8.64e15;

export type HolderRow = {
  owner: string | null;
  pid: number | null;
  hostname: string | null;
  /** None in a claim of an older format. */
  place: string | null;
  born: string | null;
  renewed_at: number | null;
};
export type RunRow = HolderRow & {
  number: number;
  id: string;
  started_at: number;
  body: string;
  state: RunState;
  events: number;
  head: string;
  ended_at: number | null;
  receipt: string | null;
};
export type EventRow = { seq: number; type: RunEventType; path: string; checksum: string; body: string | Uint8Array };
export type NodeRow = { started: number; path: string; body: string };
export type EnrichmentRow = { id: number; path: string; at: number; body: string };

export function holderOf({ owner, pid, hostname, place, born, renewed_at }: HolderRow): Holder | undefined {
  if (owner === null || pid === null || hostname === null || renewed_at === null) return undefined;
  return { owner, pid, hostname, place: place ?? '', born: born ?? '', renewedAt: renewed_at };
}
/** In the order in which a claim is written. */
export const columnsOf = ({ owner, pid, hostname, place, born, renewedAt }: Holder) =>
  [owner, pid, hostname, place, born, renewedAt] as const;

export function runOf(row: RunRow, rule: ClaimRule, file: string): StoredRun {
  const where = `of run ${row.id}`;
  const { state, events, head } = row;
  const holder = holderOf(row);
  return {
    ...begunOf(row, where, file),
    state,
    events,
    head,
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.receipt !== null && { receipt: parsed(row.receipt, `of the receipt ${where}`, file) as Receipt }),
    ...(holder && { claim: rule.claimOf(holder) }),
  };
}

/** Whoever lists runs goes by what is in here: it may have been written by anybody. */
const Begun = z.object({
  runId: z.string(),
  scenario: z.string(),
  thesis: z.string(),
  startedAt: z.number().min(-MOST_MS).max(MOST_MS),
  options: z.object({
    asOf: z.string().exactOptional(),
    deadlineMs: z.number(),
    maxDepth: z.number(),
    concurrency: z.number(),
    domains: z.array(z.string()).exactOptional(),
  }),
  origin: z.record(z.string(), z.string()),
  hostVersion: z.string(),
});
function begunOf({ id, body }: RunRow, where: string, file: string): NewRun {
  const begun = parsed(body, where, file) as NewRun;
  if (begun.runId === id && Begun.safeParse(begun).success) return begun;
  throw damaged(where, file);
}

export const eventOf = ({ seq, type, path, checksum, body }: EventRow): StoredEvent => ({
  seq,
  type,
  path,
  body: textOf(body),
  checksum,
});

export const nodeOf = ({ path, body }: Omit<NodeRow, 'started'>, runId: string, file: string): StoredNode =>
  parsed(body, `of node ${path} of run ${runId}`, file) as StoredNode;

type Place = { readonly scenario: string; readonly path: string; readonly file: string };
export function enrichmentOf(row: EnrichmentRow, { scenario, path, file }: Place): HelpfulEnrichment {
  const where = `of an enrichment of ${path} of scenario ${scenario}`;
  const { status, enrichment } = parsed(row.body, where, file) as Pick<HelpfulEnrichment, 'status' | 'enrichment'>;
  return { scenario, path, status, enrichment, at: row.at };
}

/** SQLite's text is UTF-8, which has no lone surrogates: what holds any is kept as bytes. */
export const columnOf = (text: string): string | Uint8Array =>
  text.isWellFormed() ? text : Buffer.from(text, 'utf16le');
const textOf = (column: string | Uint8Array): string =>
  typeof column === 'string' ? column : Buffer.from(column).toString('utf16le');

function parsed(body: string, where: string, file: string): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // said below
  }
  throw damaged(where, file);
}
const damaged = (where: string, file: string): EspalierError =>
  storeFault(
    `Store ${file} is damaged: the row ${where} cannot be read. Keep the file, and restore a copy of it or start another store.`,
  );
