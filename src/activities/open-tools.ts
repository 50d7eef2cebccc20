/**
 * The tool servers of one run: opened when first asked for, shared by its leaves, closed with it.
 *  1. A server is opened at most once; one that could not be opened is tried again by the next leaf that asks.
 *  2. After `close` nothing opens, and what was still opening is closed as soon as it is there.
 *  3. Nobody waits for a server that does not close: a run's outcome is not held up by it for more than a few seconds.
 */
import { EspalierError } from '../errors.ts';
import type { OpenToolServer, ToolServer } from '../ports/tools.ts';
import { faultOf } from '../tier/fault.ts';

export type OpenTools = {
  server(name: string, abortSignal: AbortSignal): Promise<OpenToolServer>;
  /** Resolves when nothing that was opened is left. Never rejects. */
  close(): Promise<void>;
};

const PATIENCE_MS = 5_000;

export function openTools(
  servers: Readonly<Record<string, ToolServer>> = {},
  patienceMs: number = PATIENCE_MS,
): OpenTools {
  const opened = new Map<string, Promise<OpenToolServer>>();
  const over = new AbortController();
  const refuseWhenOver = (name: string): void => {
    if (over.signal.aborted) throw new EspalierError('unknown-tool', `The run is over: "${name}" is closed.`);
  };
  const open = (name: string): Promise<OpenToolServer> => {
    refuseWhenOver(name);
    const server = Object.hasOwn(servers, name) ? servers[name] : undefined;
    if (!server) throw unknownServer(name, Object.keys(servers));
    const opening = (async () => server.open({ abortSignal: over.signal }))();
    opened.set(name, opening);
    opening.catch(() => opened.get(name) === opening && opened.delete(name));
    return opening;
  };
  return {
    async server(name, abortSignal) {
      refuseWhenOver(name);
      abortSignal.throwIfAborted();
      const opening = opened.get(name) ?? open(name);
      const server = await untilAborted(opening, abortSignal);
      if (!server.isLost?.()) return server;
      // Of several who wait for the same one the first opens another, and all share that.
      if (opened.get(name) === opening) {
        opened.delete(name);
        void server.close().catch(() => {});
      }
      return untilAborted(opened.get(name) ?? open(name), abortSignal);
    },
    async close() {
      over.abort(new Error('the run is over'));
      const closing = [...opened.values()].map((opening) => opening.then((server) => server.close()).catch(() => {}));
      if (closing.length === 0) return;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      });
      await Promise.race([Promise.all(closing), patience]);
      clearTimeout(timer);
    },
  };
}

/** One leaf's end does not end what another waits for too. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    promise
      .then(resolve, (error: unknown) => {
        reject(EspalierError.isInstance(error) ? error : new Error(faultOf(error).message, { cause: error }));
      })
      .finally(() => signal.removeEventListener('abort', giveUp));
  });
}

const unknownServer = (name: string, known: readonly string[]): EspalierError =>
  new EspalierError(
    'unknown-tool',
    `There are no tools "${name}" in this scenario (there are ${known.join(', ') || 'none'}). Add them to \`tools\`.`,
  );
