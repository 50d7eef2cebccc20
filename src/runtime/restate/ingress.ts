/**
 * The caller's side of the server: what is asked over HTTP, and what its answers mean to a person.
 *  1. What is asked has a key of its own, so that it can be asked again: a server that is started anew goes on where it
 *     was, and so do its callers.
 *  2. Whether it is gone for good is decided by what takes seconds, and never by a run's result, which may take days.
 */
import { randomUUID } from 'node:crypto';
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
import { EspalierError } from '../../errors.ts';
import { faultOf } from '../../tier/fault.ts';
import type { Report } from '../../protocol/report.ts';
import type { FeedInput } from './feed.ts';
import type { Ending, Page } from './ledger.ts';
import type { ServiceNames } from './names.ts';
import type { RunInput } from './wire.ts';

export type IngressOptions = { ingress: string; headers?: Readonly<Record<string, string>> };

export type Caller = {
  /** Whether the server is there, and knows workers of everything that a run needs. */
  checkReady(): Promise<void>;
  /** Whether the server knows no run of this id. `false` when it does not say. */
  isNew(runId: string): Promise<boolean>;
  submit(input: RunInput): Promise<Send<Report>>;
  /** Waits until the run is over, however long that takes. */
  result(sent: Send<Report>): Promise<Report>;
  feed(input: FeedInput): Promise<Page>;
  end(runId: string, ending: Ending): Promise<void>;
  /** Nobody waits for a result any more. */
  close(): void;
};

/** A server that is started anew comes back within that. */
const PATIENCE_MS = 60_000;
/** Before a run: who is to wait for nobody? */
const HEALTH_MS = 5_000;
const NOT_FOUND = 404;
const Health = z.object({ services: z.array(z.string()) });

/** @throws EspalierError `invalid-input` on what is no URL */
export function callerAt(
  { ingress, headers }: IngressOptions,
  { runs, orchestrator, leaf, ledger }: ServiceNames,
  scenario: string,
): Caller {
  const url = checkedUrl(ingress);
  let isClosed = false;
  const connectFor = (
    maxDuration: number | false,
    shouldRetry: RetryPolicy['shouldRetry'] = defaultShouldRetry,
  ): Ingress =>
    connect({
      url,
      ...(headers && { headers: { ...headers } }),
      retry: {
        maxAttempts: false,
        maxDuration,
        initialInterval: 100,
        maxInterval: 2_000,
        shouldRetry,
      },
    });
  const brisk = connectFor(2_000);
  const patient = connectFor(PATIENCE_MS);
  const endless = connectFor(false, (failure) => !isClosed && defaultShouldRetry(failure));
  const said = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explained(error, url, scenario);
    }
  };
  return {
    checkReady: () =>
      said(async () => {
        const signal = AbortSignal.timeout(HEALTH_MS);
        const answer = await fetch(new URL('restate/health', withSlash(url)), { headers: { ...headers }, signal });
        if (!answer.ok) throw noIngress(url, `it answered ${answer.status}`);
        const health = Health.safeParse(await answer.json().catch(() => undefined));
        if (!health.success) throw noIngress(url, 'it does not say what is served');
        const { services } = health.data;
        if (!services.includes(runs)) throw unserved(url, scenario);
        const isWhole = services.includes(orchestrator) && services.includes(leaf);
        if (!isWhole) throw unserved(url, scenario, services.includes(leaf) ? 'orchestrators' : 'leaves');
      }),
    async isNew(runId) {
      const output = new URL(`restate/invocation/${runs}/run/${encodeURIComponent(runId)}/output`, withSlash(url));
      const signal = AbortSignal.timeout(HEALTH_MS);
      const answer = await fetch(output, { headers: { ...headers }, signal }).catch(() => undefined);
      await answer?.body?.cancel().catch(() => {});
      return answer?.status === NOT_FOUND;
    },
    // The first call is to fail soon when nobody is there.
    submit: (input) =>
      said(
        () =>
          brisk.send({
            service: runs,
            handler: 'run',
            parameter: input,
            opts: SendOpts.from({ idempotencyKey: input.spec.runId }),
          }) as Promise<Send<Report>>,
      ),
    result: (sent) => said(() => endless.result(sent)),
    feed: (input) =>
      said(() =>
        patient.call<FeedInput, Page>({ service: runs, handler: 'feed', parameter: input, opts: repeatable() }),
      ),
    end: (runId, ending) =>
      said(() =>
        patient.call<Ending, void>({
          service: ledger,
          handler: 'end',
          key: runId,
          parameter: ending,
          opts: repeatable(),
        }),
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

function explained(error: unknown, url: string, scenario: string): EspalierError {
  if (EspalierError.isInstance(error)) return error;
  const { status } = (error ?? {}) as { status?: unknown };
  if (status === NOT_FOUND) return unserved(url, scenario);
  const what =
    typeof status === 'number'
      ? `answered ${status}: ${reasonOf(error)}. Its log says more.`
      : `does not answer: ${reasonOf(error)}. Start it, or give the URL of another; runs that had begun there go on when it is back.`;
  return new EspalierError('server-fault', `The Restate server at ${url} ${what}`, { cause: error });
}

/** `fetch` itself says no more than that it failed. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  const told = cause instanceof AggregateError ? cause.errors.find((one) => one instanceof Error) : cause;
  const { message } = faultOf(told instanceof Error && told.message !== '' ? told : error);
  return message.replace(/\.+$/, '');
}
