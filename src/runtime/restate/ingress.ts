/** The caller's side of the server: what is asked over HTTP, and what its answers mean to a person. */
import { connect, rpc, SendOpts, type Ingress, type Send } from '@restatedev/restate-sdk-clients';
import { EspalierError } from '../../errors.ts';
import { faultOf } from '../../tier/fault.ts';
import type { Report } from '../../protocol/report.ts';
import type { FeedInput } from './feed.ts';
import type { Ending, Page } from './ledger.ts';
import type { ServiceNames } from './names.ts';
import type { RunInput } from './wire.ts';

export type IngressOptions = { ingress: string; headers?: Readonly<Record<string, string>> };

export type Caller = {
  submit(input: RunInput): Promise<Send<Report>>;
  /** Waits until the run is over, however long that takes. */
  result(sent: Send<Report>): Promise<Report>;
  feed(input: FeedInput): Promise<Page>;
  end(runId: string, ending: Ending): Promise<void>;
};

/** A server that is started anew comes back within that. */
const PATIENCE_MS = 60_000;
const NOT_FOUND = 404;

/** @throws EspalierError `invalid-input` on what is no URL */
export function callerAt(
  { ingress, headers }: IngressOptions,
  { runs, ledger }: ServiceNames,
  scenario: string,
): Caller {
  const url = checkedUrl(ingress);
  const patient = connectTo(url, headers, PATIENCE_MS);
  const brisk = connectTo(url, headers, 2_000);
  const said = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explained(error, url, scenario);
    }
  };
  return {
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
    result: (sent) => said(() => patient.result(sent)),
    feed: (input) => said(() => patient.call<FeedInput, Page>({ service: runs, handler: 'feed', parameter: input })),
    end: (runId, ending) =>
      said(() => patient.call<Ending, void>({ service: ledger, handler: 'end', key: runId, parameter: ending })),
  };
}
void rpc;

const connectTo = (url: string, headers: IngressOptions['headers'], maxDuration: number): Ingress =>
  connect({
    url,
    ...(headers && { headers: { ...headers } }),
    retry: { maxAttempts: false, maxDuration, initialInterval: 100, maxInterval: 2_000 },
  });

function checkedUrl(ingress: unknown): string {
  const url = typeof ingress === 'string' && URL.canParse(ingress) ? new URL(ingress) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return ingress as string;
  throw new EspalierError(
    'invalid-input',
    `The ingress of the Restate server is ${JSON.stringify(ingress)}. Give its URL, such as "http://127.0.0.1:8080".`,
  );
}

function explained(error: unknown, url: string, scenario: string): EspalierError {
  const { status } = (error ?? {}) as { status?: unknown };
  if (status === NOT_FOUND) {
    return new EspalierError(
      'invalid-input',
      `No worker of scenario "${scenario}" is known to the Restate server at ${url}. Start one, and register it there.`,
      { cause: error },
    );
  }
  const { message } = faultOf(error);
  const what = typeof status === 'number' ? `answered ${status}: ${message}` : `does not answer: ${message}`;
  return new EspalierError('host-fault', `The Restate server at ${url} ${what}.`, { cause: error });
}
