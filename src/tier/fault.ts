/** Failures as data. */
import { EspalierError, type EspalierErrorCode } from '../errors.ts';
import { FailureStatus } from '../protocol/failure-status.ts';
import type { UnsealedReport, UnsealedToken } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Task } from '../protocol/task.ts';
import { diagnosisOf } from './diagnosis.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';

export const CANCELLED: Fault = { status: 'cancelled', message: 'the run was cancelled before it was done' };
export const STOPPED: Fault = { status: 'cancelled', message: 'stopped' };

const STATUSES: ReadonlySet<unknown> = new Set(FailureStatus.options);
const LONGEST_MESSAGE = 2_000;

/** What is wrong with the scenario or its data, and not with this attempt at it. */
const LASTING: ReadonlySet<EspalierErrorCode> = new Set([
  'invalid-definition',
  'invalid-data',
  'unknown-source',
  'unknown-artifact',
  'undeclared-source',
  'no-model',
  'undeclared-tool',
  'unknown-tool',
  'spawn-refused',
]);
const isFinal = (error: unknown): boolean =>
  EspalierError.isInstance(error)
    ? LASTING.has(error.code)
    : typeof error === 'object' && error !== null && 'isFinal' in error && error.isFinal === true;

/** Names whatever was thrown. An error's `code` counts when it is one of the statuses. Never throws itself. */
export function faultOf(error: unknown): Fault {
  try {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    return {
      status: STATUSES.has(code) ? (code as FailureStatus) : 'error',
      // the cut may halve a surrogate pair
      message: (typeof message === 'string' ? message : String(error)).slice(0, LONGEST_MESSAGE).toWellFormed(),
      ...(typeof error === 'object' && error !== null && diagnosisOf(error)),
      ...(isFinal(error) && { isFinal: true as const }),
    };
  } catch {
    return { status: 'error', message: 'an error that cannot be printed' };
  }
}

/** What is wrong with a node's end that is neither a report nor a failure token. */
export const faultOfEnd = (output: unknown): Fault =>
  output === undefined || output === null
    ? { status: 'silent', message: 'ended without output' }
    : { status: 'invalid', message: 'ended with neither a report nor a failure token' };

/** A fault as something to throw or reject with; `faultOf` reads it back. */
export function errorOf({ message, status, ...rest }: Fault): Error {
  return Object.assign(new Error(message), { code: status, ...rest });
}

const FINAL: ReadonlySet<FailureStatus> = new Set(['refused', 'budget', 'cancelled']);

type Failing = Pick<Task, 'runId' | 'path' | 'tier'>;
export const tokenOf = (at: Failing, fault: Fault, attempts: number, partial?: UnsealedReport): UnsealedToken => ({
  attempts,
  ...(fault.diagnosis && { diagnosis: fault.diagnosis }),
  kind: 'failure',
  message: fault.message,
  ...(partial && { partial }),
  path: at.path,
  retryable: !FINAL.has(fault.status),
  runId: at.runId,
  schemaVersion: SCHEMA_VERSION,
  status: fault.status,
  tier: at.tier,
});
