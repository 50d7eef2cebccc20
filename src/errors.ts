/** What went wrong, as a closed list. Expected failures inside a run are data (`FailureToken`), not errors. */
export type EspalierErrorCode =
  | 'invalid-definition' // a scenario, domain or leaf that cannot work as written
  | 'invalid-input' // a date, duration, path or option that cannot be read
  | 'invalid-data' // a source that does not hold what it should
  | 'unknown-source'
  | 'unknown-artifact' // nobody kept it, or nobody told this node of it
  | 'undeclared-source' // a leaf reads what it did not declare
  | 'no-model' // a node asks a model, and the run has none
  | 'unknown-tool' // nobody offers it, or its server cannot be reached
  | 'undeclared-tool' // a leaf, or its model, calls what it did not declare
  | 'spawn-refused' // only an orchestrator's gather may create nodes
  | 'missing-peer' // an optional package is not installed
  | 'rejected' // whoever was to approve the plan did not
  | 'stopped' // the run was stopped before it could deliver
  | 'store-fault' // a store that is full, read-only, corrupt, or not one of ours
  | 'unknown-run' // a store has no run of this id
  | 'run-busy' // another process is at work on this run
  | 'claim-lost' // another process has taken this run over
  | 'server-fault' // the server that performs the run does not answer, or gave it up
  | 'host-fault'; // the run's own machinery failed

const MARKER = Symbol.for('espalier.error');

/**
 * Misuse or a host fault. The message says what is wrong, where, and what to do about it.
 * `EspalierError.isInstance` also recognizes errors of another copy of the package.
 */
export class EspalierError extends Error {
  override readonly name = 'EspalierError';
  readonly code: EspalierErrorCode;

  constructor(code: EspalierErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, MARKER, { value: true });
  }

  static isInstance(error: unknown): error is EspalierError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
