/** Reads off an error why it was thrown, where it says so. A getter of the error's own may throw. */
import { Diagnosis, type Fault } from '../protocol/fault.ts';

const DIAGNOSES: ReadonlySet<unknown> = new Set(Diagnosis.options);
const RATE_LIMITS: ReadonlySet<unknown> = new Set([429, 529]);
const DEEPEST = 8;
const NETWORK: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/**
 * An error's own `diagnosis` counts; else its HTTP `status`, its `type` or its network `code` do. `retryAfterMs`, or a
 * `retry-after` header (seconds or a date), says how long to wait; `pool` which pool was asked too much of.
 */
export function diagnosisOf(
  error: object,
  now = Date.now,
  depth = 0,
): Pick<Fault, 'diagnosis' | 'retryAfterMs' | 'pool'> {
  const { diagnosis, status, type, code, cause, retryAfterMs, pool, headers } = error as { [key: string]: unknown };
  const where = typeof pool === 'string' ? { pool } : {};
  if (DIAGNOSES.has(diagnosis)) return { diagnosis: diagnosis as Diagnosis, ...waiting(retryAfterMs), ...where };
  if (RATE_LIMITS.has(status) || type === 'overloaded_error') {
    return { diagnosis: 'rate-limited', ...waiting(retryAfterMs ?? retryAfterIn(headers, now)), ...where };
  }
  if (typeof status === 'number' && (status >= 500 || status === 408 || status === 409))
    return { diagnosis: 'transient' };
  if (NETWORK.has(code)) return { diagnosis: 'transient' };
  // causes may go round in a circle
  return typeof cause === 'object' && cause !== null && depth < DEEPEST ? diagnosisOf(cause, now, depth + 1) : {};
}

const waiting = (ms: unknown): Pick<Fault, 'retryAfterMs'> =>
  typeof ms === 'number' && ms >= 0 && Number.isFinite(ms) ? { retryAfterMs: ms } : {};

function retryAfterIn(headers: unknown, now: () => number): number | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const read = (name: string): unknown =>
    'get' in headers && typeof headers.get === 'function'
      ? (headers as { get(name: string): unknown }).get(name)
      : (headers as { [name: string]: unknown })[name];
  const ms = Number(read('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  const text = read('retry-after');
  if (typeof text !== 'string' || text === '') return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
