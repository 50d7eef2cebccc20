/**
 * A balancer of connections, as stands before the workers of a server: bytes pass through as they are. A new connection
 * goes to the next worker that takes it; when a worker is gone, so are its connections.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { LOOPBACK } from './program.ts';

export type Balancer = { readonly uri: string; close(): Promise<void> };

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  const kept = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.setNoDelay().on('close', () => sockets.delete(socket));
  };
  let next = 0;
  const open = async (): Promise<Socket | undefined> => {
    for (let tried = 0; tried < ports.length; tried++) {
      const worker = connect(ports[next++ % ports.length] ?? 0, LOOPBACK);
      try {
        await once(worker, 'connect');
        return kept(worker);
      } catch {
        // it is gone: the next one
      }
    }
    return undefined;
  };
  const server = createServer((caller) => {
    kept(caller).on('error', () => {});
    void open().then((worker) => {
      if (!worker || caller.destroyed) {
        worker?.destroy();
        return caller.destroy();
      }
      worker.on('error', () => {}).on('close', () => caller.destroy());
      caller.on('close', () => worker.destroy());
      caller.pipe(worker).pipe(caller);
      return undefined;
    });
  }).listen(0, LOOPBACK);
  await once(server, 'listening');
  return {
    uri: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
