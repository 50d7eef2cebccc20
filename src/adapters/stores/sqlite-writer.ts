/**
 * The claim on one run. Each call is one transaction that first asks whether the claim is still ours: as long as it
 * lasts nobody can take it over, so who has lost the run writes nothing.
 */
import type { Duration, HelpfulEnrichment, RunWriter, StoredNode } from '../../ports/store.ts';
import { parentOf } from '../../protocol/path.ts';
import type { ClaimRule } from './claims.ts';
import { MOST_BYTES, packed } from './measurements.ts';
import type { Connection } from './sqlite-connection.ts';
import { columnOf } from './sqlite-rows.ts';
import { checkBytes, checkOrder, claimLost, REMEMBERED } from './store-rules.ts';

const RENEW = 'UPDATE runs SET renewed_at = ? WHERE number = ? AND owner = ?';
const APPEND = 'UPDATE runs SET renewed_at = ?, events = ?, head = ? WHERE number = ? AND owner = ? AND events = ?';
const COUNT = 'SELECT events FROM runs WHERE number = ? AND owner = ?';
const END = 'UPDATE runs SET state = ?, ended_at = ?, receipt = ? WHERE number = ?';
const RELEASE =
  'UPDATE runs SET owner = NULL, pid = NULL, hostname = NULL, place = NULL, born = NULL, renewed_at = NULL WHERE number = ? AND owner = ?';

const ADD_EVENT = 'INSERT INTO events (id, type, path, checksum, body) VALUES ((?1 << 32) + ?2, ?3, ?4, ?5, ?6)';
/** The usual case, tried first: it leaves the indexes alone. */
const CHANGE_NODE = 'UPDATE nodes SET body = ?4 WHERE id = (?1 << 32) + ?2 AND path = ?3';
const ADD_NODE = `INSERT INTO nodes (id, run, path, parent, body) VALUES ((?1 << 32) + ?2, ?1, ?3, ?5, ?4)
  ON CONFLICT (run, path) DO UPDATE SET id = excluded.id, body = excluded.body`;

/** What blobs are joined to is text for SQLite, and that would end at its first zero. */
const ADD_MEASUREMENT = `INSERT INTO measurements (scenario, path, latest) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET latest = substr(CAST(excluded.latest || latest AS BLOB), 1, ${MOST_BYTES})`;
const ADD_ENRICHMENT = 'INSERT INTO enrichments (scenario, path, at, body) VALUES (?, ?, ?, ?)';
const FORGET_ENRICHMENT = `DELETE FROM enrichments WHERE id = (
  SELECT id FROM enrichments WHERE scenario = ? AND path = ? ORDER BY at DESC, id DESC LIMIT 1 OFFSET ${REMEMBERED})`;

const ADD_ARTIFACT = 'INSERT INTO artifacts (sha256, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING';
const USE_ARTIFACT = `INSERT INTO artifact_uses (run, artifact) SELECT ?, id FROM artifacts WHERE sha256 = ?
  ON CONFLICT DO NOTHING`;

/** For another process that has the file locked. The whole run stands still meanwhile. */
const WAIT_MS = 500;

export type ClaimedRun = { readonly runId: string; readonly number: number; readonly owner: string };

export function sqliteWriter(
  { run, get, transact }: Connection,
  rule: ClaimRule,
  { runId, number, owner }: ClaimedRun,
): RunWriter {
  const renew = (): void => {
    if (run(RENEW, rule.now(), number, owner) === 0) throw claimLost(runId);
  };
  const addNode = (node: StoredNode): void => {
    const { path, seq } = node;
    const body = JSON.stringify(node);
    const isChanged = run(CHANGE_NODE, number, seq.started, path, body) > 0;
    if (!isChanged) run(ADD_NODE, number, seq.started, path, body, parentOf(path));
  };
  const addDuration = (duration: Duration): void => {
    run(ADD_MEASUREMENT, duration.scenario, duration.path, packed([duration]));
  };
  const addEnrichment = ({ scenario, path, at, ...said }: HelpfulEnrichment): void => {
    run(ADD_ENRICHMENT, scenario, path, at, JSON.stringify(said));
    run(FORGET_ENRICHMENT, scenario, path);
  };

  return {
    renew,
    write({ events, nodes, durations, enrichments, end }) {
      transact(() => {
        const last = events.at(-1);
        if (last) {
          const count = events[0]?.seq ?? 0;
          if (run(APPEND, rule.now(), last.seq + 1, last.checksum, number, owner, count) === 0) {
            const row = get(COUNT, number, owner) as { events: number } | undefined;
            if (!row) throw claimLost(runId);
            checkOrder(runId, events, row.events);
          }
          checkOrder(runId, events, count);
        } else renew();
        for (const { seq, type, path, checksum, body } of events) {
          run(ADD_EVENT, number, seq, type, path, checksum, columnOf(body));
        }
        nodes.forEach(addNode);
        durations.forEach(addDuration);
        enrichments.forEach(addEnrichment);
        if (end) run(END, end.state, end.endedAt, JSON.stringify(end.receipt), number);
      }, WAIT_MS);
    },
    keep(sha256, bytes) {
      checkBytes(sha256, bytes);
      transact(() => {
        renew();
        run(ADD_ARTIFACT, sha256, bytes);
        run(USE_ARTIFACT, number, sha256);
      }, WAIT_MS);
    },
    release() {
      try {
        run(RELEASE, number, owner);
      } catch {
        // The claim lapses by itself.
      }
    },
  };
}
