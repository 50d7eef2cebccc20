/** A worker: an HTTP/2 endpoint that the server calls. */
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createEndpointHandler, type EndpointOptions } from '@restatedev/restate-sdk';
import { EspalierError } from '../../errors.ts';
import { faultOf } from '../../tier/fault.ts';
import type { Service } from './services.ts';

export type ServeOptions = {
  services: readonly Service[];
  /** Default: one that is free. */
  port?: number;
  /** Default: this machine alone, `127.0.0.1`. */
  hostname?: string;
  /** Takes the server's lines. Default: nothing is written. */
  logger?: EndpointOptions['logger'];
  /** Public keys of the server, `publickeyv1_…`, when only that one may call: its log names them. */
  identityKeys?: readonly string[];
};
export type Serving = {
  readonly port: number;
  /** What to register at the server. */
  readonly uri: string;
  /** Takes no more calls, and ends those in progress: the server repeats them elsewhere. */
  close(): Promise<void>;
};

/** MB: with Node's own limit a stage of many big results loses some of them. */
const SESSION_MEMORY = 1024;

/**
 * Serves until it is closed. Rejects when the port is taken.
 * @throws EspalierError `invalid-input` on an identity key that is none
 */
export async function serve({
  services,
  port = 0,
  hostname = '127.0.0.1',
  logger,
  identityKeys,
}: ServeOptions): Promise<Serving> {
  const handler = handlerOf({
    services: [...services],
    logger: logger ?? (() => {}),
    ...(identityKeys && { identityKeys: [...identityKeys] }),
  });
  const server = createServer({ maxSessionMemory: SESSION_MEMORY }, handler);
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await listening(server, port, hostname);
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    uri: `http://${hostname}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

function handlerOf(options: EndpointOptions): ReturnType<typeof createEndpointHandler> {
  try {
    return createEndpointHandler(options);
  } catch (cause) {
    const { identityKeys = [] } = options;
    if (identityKeys.length === 0) throw cause;
    const keys = identityKeys.map((key) => JSON.stringify(key)).join(', ');
    throw new EspalierError(
      'invalid-input',
      `Among the identity keys ${keys} is one that is none: ${faultOf(cause).message}. Give the key that the server names in its log, publickeyv1_….`,
      { cause },
    );
  }
}

const listening = (server: Http2Server, port: number, hostname: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, hostname, () => {
      server.off('error', reject);
      resolve();
    });
  });
