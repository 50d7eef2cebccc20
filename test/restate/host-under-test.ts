/** A Restate server with a worker for each scenario that is run, as a host under test. */
import { afterAll, beforeAll } from 'vitest';
import type { Scenario } from '../../src/define/spec.ts';
import { restate, serve, services, type Serving, type ServicesOptions } from '../../src/restate.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import type { RunHost } from '../../src/runtime/run.ts';
import type { HostUnderTest } from '../contracts/host/bench.ts';
import { startServer, type Server } from './server.ts';

export type RestateUnderTest = HostUnderTest & {
  readonly server: Server;
  readonly host: RunHost;
  /** Serves a scenario, unless it is served already. */
  serve(scenario: Scenario): Promise<void>;
};

export function restateUnderTest(options: ServicesOptions = {}): () => RestateUnderTest {
  let under: RestateUnderTest | undefined;
  const workers = new Map<Scenario, Serving>();
  beforeAll(async () => {
    const server = await startServer();
    const host = restate({ ingress: server.ingress });
    under = {
      server,
      host,
      async serve(scenario) {
        if (workers.has(scenario)) return;
        const worker = await serve({ services: services(scenario, options) });
        workers.set(scenario, worker);
        await server.register(worker.uri);
      },
      async start(scenario, given) {
        await this.serve(scenario);
        return start(scenario, { ...given, host });
      },
      leftovers: () =>
        server.query("SELECT target, status FROM sys_invocation WHERE status NOT IN ('completed', 'scheduled')"),
    };
  }, 60_000);
  afterAll(async () => {
    await Promise.all([...workers.values()].map((worker) => worker.close()));
    await under?.server.stop();
  });
  return () => {
    if (!under) throw new Error('the server has not been started');
    return under;
  };
}
