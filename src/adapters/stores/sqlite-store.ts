/**
 * A store in one SQLite file, which several processes may have open.
 *  1. What a method wrote is on its way to the disk when it returns: it survives this process, whatever ends it.
 *  2. Iterators read a page at a time and hold nothing open in between; they may miss what was written after they began.
 */
import type { RunFilter, RunWriter, Store } from '../../ports/store.ts';
import type { RunEventType } from '../../protocol/run-event.ts';
import { claimRule, type Holder, type StoreOptions } from './claims.ts';
import { unpacked } from './measurements.ts';
import { connect, paged } from './sqlite-connection.ts';
import { problemsOf } from './sqlite-problems.ts';
import {
  columnsOf,
  enrichmentOf,
  eventOf,
  holderOf,
  nodeOf,
  runOf,
  type EnrichmentRow,
  type EventRow,
  type HolderRow,
  type NodeRow,
  type RunRow,
} from './sqlite-rows.ts';
import { sqliteWriter } from './sqlite-writer.ts';
import { runExists, unknownRun } from './store-rules.ts';

export type SqliteStoreOptions = StoreOptions & {
  /** How long to wait for another process that has the file locked, in ms. */
  busyMs?: number;
};
const BUSY_MS = 5_000;

const ADD_RUN = `INSERT INTO runs
  (id, scenario, started_at, body, state, events, head, owner, pid, hostname, place, born, renewed_at)
  VALUES (?, ?, ?, ?, 'running', 0, '', ?, ?, ?, ?, ?, ?) RETURNING number`;
const FIND_HOLDER = 'SELECT number, owner, pid, hostname, place, born, renewed_at FROM runs WHERE id = ?';
const TAKE = 'UPDATE runs SET owner = ?, pid = ?, hostname = ?, place = ?, born = ?, renewed_at = ? WHERE number = ?';

const RUN = `SELECT number, id, started_at, body, state, events, head, ended_at, receipt,
    owner, pid, hostname, place, born, renewed_at
  FROM runs`;
const ONE_RUN = `${RUN} WHERE id = ?`;
const RUNS = `${RUN} WHERE (started_at, number) < (?1, ?2) AND started_at > ?3
  AND (?4 IS NULL OR scenario = ?4) AND (?5 IS NULL OR state = ?5) ORDER BY started_at DESC, number DESC`;

const BASE = '((SELECT number FROM runs WHERE id = ?1) << 32)';
const IN_RUN = `id >= ${BASE} + ?2 AND id < ${BASE} + 4294967296`;
const EVENT = 'SELECT id & 4294967295 AS seq, type, path, checksum, body FROM events';
const ONE_EVENT = `${EVENT} WHERE id = ${BASE} + ?2`;
const EVENTS = `${EVENT} WHERE ${IN_RUN} AND (?3 IS NULL OR path = ?3)
  AND (?4 IS NULL OR type IN (SELECT value FROM json_each(?4))) ORDER BY id`;

const NODE = 'SELECT id & 4294967295 AS started, path, body FROM nodes';
const ONE_NODE = `${NODE} WHERE run = (SELECT number FROM runs WHERE id = ?1) AND path = ?2`;
const NODES = `${NODE} WHERE ${IN_RUN} ORDER BY id`;
const CHILDREN = `${NODE} WHERE ${IN_RUN} AND parent = ?3 ORDER BY id`;

const MEASUREMENTS = 'SELECT path, latest FROM measurements WHERE scenario = ? AND path > ? ORDER BY path';
const ENRICHMENTS = `SELECT id, path, at, body FROM enrichments
  WHERE scenario = ?1 AND (?2 IS NULL OR path = ?2) AND (at, id) < (?3, ?4)
  ORDER BY at DESC, id DESC`;
const BYTES = `SELECT bytes FROM artifacts JOIN artifact_uses ON artifact = artifacts.id
  WHERE run = (SELECT number FROM runs WHERE id = ?) AND sha256 = ?`;

const REMOVE_EVENTS = 'DELETE FROM events WHERE id >= ?1 << 32 AND id < (?1 + 1) << 32';
const REMOVE_RUN = 'DELETE FROM runs WHERE number = ?';
const REMOVE_UNUSED = 'DELETE FROM artifacts WHERE id NOT IN (SELECT artifact FROM artifact_uses)';

/**
 * Opens the store in this file; makes the file, and its folder, if there is none.
 * @throws EspalierError `store-fault` when the file is not a store, or one that this version cannot read
 * @example
 * const store = sqliteStore('runs/espalier.db');
 */
export function sqliteStore(file: string, { busyMs = BUSY_MS, ...options }: SqliteStoreOptions = {}): Store {
  const rule = claimRule(options);
  const connection = connect(file, busyMs);
  const { run, get, page, transact } = connection;
  const writer = (runId: string, number: number, { owner }: Holder): RunWriter =>
    sqliteWriter(connection, rule, { runId, number, owner });
  /** Of a run that is there and that nobody writes to. */
  const freeNumber = (runId: string): number => {
    const row = get(FIND_HOLDER, runId) as (HolderRow & { number: number }) | undefined;
    if (!row) throw unknownRun(runId, file);
    rule.refuseLive(runId, holderOf(row));
    return row.number;
  };

  return {
    name: file,
    begin: (begun) =>
      transact(() => {
        const { runId, scenario, startedAt } = begun;
        if (get(FIND_HOLDER, runId)) throw runExists(runId, file);
        const holder = rule.newHolder();
        const body = JSON.stringify(begun);
        const row = get(ADD_RUN, runId, scenario, startedAt, body, ...columnsOf(holder));
        return writer(runId, Number(row?.['number']), holder);
      }),
    claim: (runId) =>
      transact(() => {
        const number = freeNumber(runId);
        const holder = rule.newHolder();
        run(TAKE, ...columnsOf(holder), number);
        return writer(runId, number, holder);
      }),
    run(runId) {
      const row = get(ONE_RUN, runId) as RunRow | undefined;
      return row && runOf(row, rule, file);
    },
    *runs({ scenario = null, state = null, startedAfter = -Infinity, startedBefore = Infinity }: AnyRunFilter = {}) {
      const rows = paged((after?: RunRow) => {
        const before = after ? [after.started_at, after.number] : [startedBefore, 0];
        return page<RunRow>(RUNS, ...before, startedAfter, scenario, state);
      });
      for (const row of rows) yield runOf(row, rule, file);
    },
    *events(runId, { from = 0, path = null, types }: AnyEventFilter = {}) {
      const among = types ? JSON.stringify(types) : null;
      const rows = paged((after?: EventRow) =>
        page<EventRow>(EVENTS, runId, after ? after.seq + 1 : Math.max(0, from), path, among),
      );
      for (const row of rows) yield eventOf(row);
    },
    event(runId, seq) {
      const row = seq >= 0 && seq < 2 ** 32 ? get(ONE_EVENT, runId, seq) : undefined;
      return row && eventOf(row as EventRow);
    },
    node(runId, path) {
      const row = get(ONE_NODE, runId, path) as NodeRow | undefined;
      return row && nodeOf(row, runId, file);
    },
    *nodes(runId, { parent } = {}) {
      const rows = paged((after?: NodeRow) => {
        const from = after ? after.started + 1 : 0;
        return parent === undefined ? page<NodeRow>(NODES, runId, from) : page<NodeRow>(CHILDREN, runId, from, parent);
      });
      for (const row of rows) yield nodeOf(row, runId, file);
    },
    *durations(scenario, most) {
      type Row = { path: string; latest: Uint8Array };
      const rows = paged((after?: Row) => page<Row>(MEASUREMENTS, scenario, after?.path ?? ''));
      const limit = Math.max(0, most);
      for (const { path, latest } of rows) {
        for (const { at, ms } of unpacked(latest).slice(0, limit)) yield { scenario, path, ms, at };
      }
    },
    *enrichments(scenario, path) {
      const rows = paged((after?: EnrichmentRow) =>
        page<EnrichmentRow>(ENRICHMENTS, scenario, path ?? null, after?.at ?? Infinity, after?.id ?? 0),
      );
      for (const row of rows) yield enrichmentOf(row, { scenario, path: row.path, file });
    },
    bytes: (runId, sha256) => get(BYTES, runId, sha256)?.['bytes'] as Uint8Array | undefined,
    remove: (runId) =>
      transact(() => {
        const number = freeNumber(runId);
        run(REMOVE_EVENTS, number);
        run(REMOVE_RUN, number);
        run(REMOVE_UNUSED);
      }),
    problems: () => problemsOf(connection),
    close: connection.close,
  };
}

/** For SQL, which has no undefined. */
type AnyRunFilter = Omit<RunFilter, 'scenario' | 'state'> & { scenario?: string | null; state?: string | null };
type AnyEventFilter = { from?: number; path?: string | null; types?: readonly RunEventType[] };
