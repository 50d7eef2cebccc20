/**
 * What went wrong, as fields that a fault is read from.
 * No error of the SDK's travels further: it may hold what was sent. The message is made anew, without the key.
 */
import type { Diagnosis } from '../../protocol/fault.ts';

type Kind = { diagnosis: Diagnosis; retryAfterMs?: number } | { isFinal: true } | Record<string, never>;

export function modelError(message: string, kind: Kind, key: string): Error {
  const safe = key === '' ? message : message.replaceAll(key, '[key]');
  return Object.assign(new Error(safe), kind);
}

type Said = {
  readonly status?: unknown;
  readonly type?: unknown;
  readonly headers?: unknown;
  readonly apiMessage?: unknown;
  readonly requestID?: unknown;
  readonly message?: unknown;
};

/** @param error what the SDK threw; its own retries are off */
export function readError(error: unknown, key: string): Error {
  const said = (typeof error === 'object' && error !== null ? error : { message: String(error) }) as Said;
  return modelError(messageOf(said), kindOf(said), key);
}

function messageOf({ status, type, apiMessage, requestID, message }: Said): string {
  const what = [status, type].filter((part) => typeof part === 'number' || typeof part === 'string').join(' ');
  const why = typeof apiMessage === 'string' ? apiMessage : typeof message === 'string' ? message : 'no reason given';
  const id = typeof requestID === 'string' ? ` (request ${requestID})` : '';
  return `Anthropic: ${what === '' ? '' : `${what}: `}${why}${id}`;
}

/** What fails the same way again, where only its type is known: midway in a stream, or in a batch. */
const FINAL: ReadonlySet<string> = new Set([
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
]);
const TOO_LONG = /prompt is too long|context (?:window|limit|length)|too many tokens|request too large/i;

function kindOf({ status, type, headers, message }: Said): Kind {
  if (status === 429 || status === 529 || type === 'rate_limit_error' || type === 'overloaded_error') {
    const retryAfterMs = retryAfterIn(headers);
    return { diagnosis: 'rate-limited', ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  // A stream that fails midway has no status, a cut one and unreadable JSON have no type either.
  if (typeof status !== 'number') return FINAL.has(String(type)) ? { isFinal: true } : { diagnosis: 'transient' };
  if (status >= 500 || status === 408 || status === 409) return { diagnosis: 'transient' };
  if (status === 413 || (status === 400 && TOO_LONG.test(String(message)))) return { diagnosis: 'out-of-context' };
  return { isFinal: true };
}

const SECOND = 1_000;

function retryAfterIn(headers: unknown): number | undefined {
  if (!(headers instanceof Headers)) return undefined;
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const text = headers.get('retry-after') ?? '';
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * SECOND : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
