/**
 * A run that a caller takes up where its record ends.
 *  1. What the record holds of the server's events is the beginning of what the server says: the rest can follow it.
 *  2. It goes on as it was begun. What would change it is refused, never ignored.
 */
import { EspalierError } from '../../errors.ts';
import type { RunEventType } from '../../protocol/run-event.ts';
import type { OpenedRun } from '../open-run.ts';
import { readEvent } from '../record/reading.ts';
import type { RunOptions } from '../run.ts';

/** Of every kind of event. The caller says what only it can know; all else is the ledger's. */
const SAID_BY: Readonly<Record<RunEventType, 'server' | 'caller'>> = {
  'run.started': 'server',
  'node.started': 'server',
  'node.reused': 'server',
  'node.planned': 'server',
  'depth.refused': 'server',
  'limit.ignored': 'server',
  'budget.refused': 'server',
  'node.invalidated': 'server',
  'attempt.started': 'server',
  'attempt.failed': 'server',
  'attempt.hedged': 'server',
  'execution.dropped': 'server',
  'attempt.backed-off': 'server',
  'finding.reported': 'server',
  'finding.escalated': 'server',
  'join.expired': 'server',
  'child.late': 'server',
  'integrity.alert': 'server',
  'source.read': 'server',
  'tool.called': 'server',
  'dependency.observed': 'server',
  'synthesis.rejected': 'server',
  'synthesis.interim': 'caller',
  'interim.failed': 'caller',
  'node.reported': 'server',
  'node.failed': 'server',
  'slots.changed': 'server',
  'record.failed': 'caller',
  'memory.failed': 'caller',
  'run.completed': 'server',
};

/** How many of its record's events the server has said: none of a run that is not taken up. */
export function eventsOfServer({ runId, options: { store, resume } }: OpenedRun<RunOptions>): number {
  let count = 0;
  if (!store || resume === undefined) return count;
  for (const { type } of store.events(runId)) if (SAID_BY[type] === 'server') count++;
  return count;
}

/** What a run at a server was given once and for all. */
const GIVEN_ONCE = [
  'asOf',
  'thesis',
  'deadline',
  'maxDepth',
  'concurrency',
  'budget',
  'policy',
  'domains',
  'decided',
  'retryFailed',
] as const;

/** @throws EspalierError `invalid-input` on what would change a run that is taken up */
export function checkGivenOnce(given: RunOptions): void {
  const { resume } = given;
  const changed = GIVEN_ONCE.find((name) => given[name] !== undefined && given[name] !== false);
  if (resume === undefined || changed === undefined) return;
  throw invalid(
    `The option ${changed} cannot change run ${resume}, which goes on at its Restate server as it was begun. Leave it out, or ${IN_ONE_PROCESS}.`,
  );
}

/** @throws EspalierError `invalid-input` when its record has gone on without the server */
export function checkRecord({ runId, options: { store, resume } }: OpenedRun<RunOptions>): void {
  if (!store || resume === undefined) return;
  for (const { body } of store.events(runId, { types: ['run.started'] })) {
    const event = readEvent(body);
    if (event?.type === 'run.started' && event.resumed) {
      throw invalid(
        `Run ${runId} has gone on in one process, and its Restate server does not know of that. Again, ${IN_ONE_PROCESS}.`,
      );
    }
  }
}

/** Of a run of which nothing is left but what its callers have kept. */
export const forgotten = (runId: string): EspalierError =>
  new EspalierError(
    'unknown-run',
    `The Restate server knows no run ${runId}, or has forgotten what it said. To finish what is recorded of it, ${IN_ONE_PROCESS}.`,
  );

const IN_ONE_PROCESS = 'go on in one process: without the host "restate", or by "espalier resume --host in-process"';
const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
