/**
 * The caller's side of the server: what is asked over HTTP, and what its answers mean to a person.
 *  1. What is asked has a key of its own, so that it can be asked again: a server that is started anew goes on where it
 *     was, and so do its callers.
 *  2. Whether it is gone for good is decided by what takes seconds, and never by a run's result, which may take days.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  defaultShouldRetry,
  Opts,
  SendOpts,
  type Ingress,
  type RetryPolicy,
  type Send,
} from '@restatedev/restate-sdk-clients';
import { z } from 'zod';
import { parseDuration } from '../../define/duration.ts';
import { EspalierError } from '../../errors.ts';
import { faultOf } from '../../tier/fault.ts';
import type { Report } from '../../protocol/report.ts';
import type { FeedInput } from './feed.ts';
import type { Ending, Page } from './ledger.ts';
import type { ServiceNames } from './names.ts';
import { STOPPED } from './run-service.ts';
import type { RunInput } from './wire.ts';

export type IngressOptions = {
  ingress: string;
  headers?: Readonly<Record<string, string>>;
  /** How long a server is waited for that goes away in mid-run: `'1m'` or ms. Default a minute. */
  patience?: number | string;
};

export type Caller = {
  /** Whether the server is there, and knows workers of everything that a run needs. `withinMs`: it may be on its way up. */
  checkReady(withinMs?: number): Promise<void>;
  /** Whether the server knows no run of this id, or has forgotten it. */
  isNew(runId: string): Promise<boolean>;
  submit(input: RunInput): Promise<Send<Report>>;
  /** Waits until the run is over, however long that takes. */
  result(sent: Send<Report>): Promise<Report>;
  feed(input: FeedInput): Promise<Page>;
  /** Whether what the run has said is there. */
  isKept(runId: string): Promise<boolean>;
  end(runId: string, ending: Ending): Promise<void>;
  /** Nobody waits for a result any more. */
  close(): void;
};

/** A server that is started anew comes back within that. */
const PATIENCE_MS = 60_000;
/** A run is to begin, or to fail soon when nobody is there. */
export const BRISK_MS = 2_000;
/** For one answer. */
const HEALTH_MS = 5_000;
const AGAIN_MS = 100;
const NOT_FOUND = 404;
/** Restate's own: it goes on, and has no result yet. */
const NOT_READY = 470;
/** What becomes of an invocation that an operator kills. */
const KILLED = 'killed';
const Health = z.object({ services: z.array(z.string()) });

/** @throws EspalierError `invalid-input` on what is no URL, or no patience */
export function callerAt(
  { ingress, headers, patience = PATIENCE_MS }: IngressOptions,
  { runs, orchestrator, leaf, ledger }: ServiceNames,
  scenario: string,
): Caller {
  const url = checkedUrl(ingress);
  const patienceMs = parseDuration(patience, 'patience');
  let isClosed = false;
  const connectFor = (shouldRetry: NonNullable<RetryPolicy['shouldRetry']>): Ingress =>
    connect({
      url,
      ...(headers && { headers: { ...headers } }),
      retry: { maxAttempts: false, maxDuration: false, initialInterval: AGAIN_MS, maxInterval: 2_000, shouldRetry },
    });
  /** For one call: from its first failure on, however long it had waited for its answer before. */
  const within = (ms: number, isWanted = () => !isClosed): Ingress => {
    let failedAt: number | undefined;
    return connectFor((failure) => {
      failedAt ??= Date.now();
      return isWanted() && Date.now() - failedAt < ms && defaultShouldRetry(failure);
    });
  };
  const endless = connectFor((failure) => !isClosed && defaultShouldRetry(failure));
  const said = async <T>(work: () => Promise<T>, goneMs?: number): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explained(error, { url, scenario, goneMs });
    }
  };
  const health = async (): Promise<void> => {
    const signal = AbortSignal.timeout(HEALTH_MS);
    const answer = await fetch(new URL('restate/health', withSlash(url)), { headers: { ...headers }, signal });
    if (!answer.ok) throw noIngress(url, `it answered ${answer.status}`);
    const healthy = Health.safeParse(await answer.json().catch(() => undefined));
    if (!healthy.success) throw noIngress(url, 'it does not say what is served');
    const { services } = healthy.data;
    if (!services.includes(runs)) throw unserved(url, scenario);
    const isWhole = services.includes(orchestrator) && services.includes(leaf);
    if (!isWhole) throw unserved(url, scenario, services.includes(leaf) ? 'orchestrators' : 'leaves');
  };
  const unknown = async (runId: string): Promise<boolean> => {
    const output = new URL(`restate/invocation/${runs}/run/${encodeURIComponent(runId)}/output`, withSlash(url));
    const signal = AbortSignal.timeout(HEALTH_MS);
    const answer = await fetch(output, { headers: { ...headers }, signal });
    const { status } = answer;
    if (answer.ok || status === NOT_READY || status === NOT_FOUND) {
      await answer.body?.cancel().catch(() => {});
      return status === NOT_FOUND;
    }
    const responseText = await answer.text();
    if (endedIn(responseText) !== undefined) return false;
    throw Object.assign(new Error(responseText), { status, responseText });
  };
  /** By a server that may be on its way up. */
  const answered = <T>(work: () => Promise<T>, withinMs: number): Promise<T> =>
    said(async () => {
      const until = Date.now() + Math.min(withinMs, patienceMs);
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (isClosed || EspalierError.isInstance(error) || Date.now() >= until) throw error;
          await sleep(AGAIN_MS);
        }
      }
    });
  return {
    checkReady: (withinMs = 0) => answered(health, withinMs),
    isNew: (runId) => answered(() => unknown(runId), BRISK_MS),
    submit: (input) =>
      said(
        () =>
          within(Math.min(BRISK_MS, patienceMs)).send({
            service: runs,
            handler: 'run',
            parameter: input,
            opts: SendOpts.from({ idempotencyKey: input.spec.runId }),
          }) as Promise<Send<Report>>,
      ),
    result: (sent) => said(() => endless.result(sent)),
    feed: (input) =>
      said(
        () =>
          within(patienceMs).call<FeedInput, Page>({
            service: runs,
            handler: 'feed',
            parameter: input,
            opts: repeatable(),
          }),
        patienceMs,
      ),
    isKept: (runId) =>
      said(
        () =>
          within(patienceMs).call<null, boolean>({ service: ledger, handler: 'isKept', key: runId, parameter: null }),
        patienceMs,
      ),
    end: (runId, ending) =>
      said(
        () =>
          // Also when its caller has gone on: who stops a run does not wait until it has ended.
          within(patienceMs, () => true).call<Ending, void>({
            service: ledger,
            handler: 'end',
            key: runId,
            parameter: ending,
            opts: repeatable(),
          }),
        patienceMs,
      ),
    close: () => void (isClosed = true),
  };
}
/** Of one question, however often it has to be asked. */
const repeatable = <I, O>(): Opts<I, O> => Opts.from({ idempotencyKey: randomUUID() });

function checkedUrl(ingress: unknown): string {
  const url = typeof ingress === 'string' && URL.canParse(ingress) ? new URL(ingress) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return ingress as string;
  throw new EspalierError(
    'invalid-input',
    `The ingress of the Restate server is ${JSON.stringify(ingress)}. Give its URL, such as "http://127.0.0.1:8080".`,
  );
}

const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

const noIngress = (url: string, why: string): EspalierError =>
  new EspalierError(
    'invalid-input',
    `There is no ingress of a Restate server at ${url}: ${why}. Give its URL; that of its admin API is another.`,
  );
const unserved = (url: string, scenario: string, part?: string): EspalierError =>
  new EspalierError(
    'invalid-input',
    `No worker of ${part === undefined ? '' : `the ${part} of `}scenario "${scenario}" is known to the Restate server at ${url}. Start one, and register it there.`,
  );

type About = { url: string; scenario: string; goneMs: number | undefined };
/** `goneMs`: how long a run that goes on there has been without an answer. */
function explained(error: unknown, { url, scenario, goneMs }: About): EspalierError {
  if (EspalierError.isInstance(error)) return error;
  const { status, responseText } = (error ?? {}) as { status?: unknown; responseText?: unknown };
  const ended = endedIn(responseText);
  if (ended !== undefined) return givenUp(url, ended, error);
  if (status === NOT_FOUND) return unserved(url, scenario);
  const why = reasonOf(error);
  const what =
    typeof status === 'number'
      ? `answered ${status}: ${why}. Its log says more.`
      : goneMs === undefined
        ? `does not answer: ${why}. Start it, or give the URL of another.`
        : `has not answered for ${goneMs / 1_000} s: ${why}. What had begun there goes on when it is back: resume the run then, or run it again with the same runId.`;
  return new EspalierError('server-fault', `The Restate server at ${url} ${what}`, { cause: error });
}

const Ended = z.object({ message: z.string(), source: z.literal('invocation') });
/** The server tells what it says itself from what became of an invocation. */
function endedIn(responseText: unknown): string | undefined {
  try {
    return Ended.safeParse(JSON.parse(String(responseText))).data?.message;
  } catch {
    return undefined;
  }
}
function givenUp(url: string, message: string, cause: unknown): EspalierError {
  if (message === STOPPED) return new EspalierError('stopped', 'The run was stopped.', { cause });
  const what =
    message === KILLED
      ? `was killed at the Restate server at ${url}, and delivers nothing. Start another; to end one with a brief, cancel it.`
      : `broke at the Restate server at ${url}: ${message.replace(/\.+$/, '')}. The logs of its workers say more.`;
  return new EspalierError('server-fault', `The run ${what}`, { cause });
}

/** `fetch` itself says no more than that it failed. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  const told = cause instanceof AggregateError ? cause.errors.find((one) => one instanceof Error) : cause;
  const { message } = faultOf(told instanceof Error && told.message !== '' ? told : error);
  return message.replace(/\.+$/, '');
}
