/** A Restate server with a worker for each scenario that is run, as a host under test. */
import { afterAll, beforeAll } from 'vitest';
import type { Scenario } from '../../src/define/spec.ts';
import { restate, serve, services, type Serving, type ServicesOptions } from '../../src/restate.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import type { HostUnderTest, OpenHost } from '../contracts/host/bench.ts';
import { startServer, type Server } from './server.ts';

export function restateUnderTest(options: ServicesOptions = {}): OpenHost {
  let server: Server;
  let host: HostUnderTest;
  const workers = new Map<Scenario, Serving>();
  beforeAll(async () => {
    server = await startServer();
    host = {
      async start(scenario, given) {
        if (!workers.has(scenario)) {
          const worker = await serve({ services: services(scenario, options) });
          workers.set(scenario, worker);
          await server.register(worker.uri);
        }
        return start(scenario, { ...given, host: restate({ ingress: server.ingress }) });
      },
      leftovers: () =>
        server.query("SELECT target, status FROM sys_invocation WHERE status NOT IN ('completed', 'scheduled')"),
    };
  }, 60_000);
  afterAll(async () => {
    await Promise.all([...workers.values()].map((worker) => worker.close()));
    await server?.stop();
  });
  return () => host;
}
