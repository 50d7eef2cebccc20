/** A Restate server of a test's own: on loopback, at free ports, in a folder that is removed with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOPBACK, serverArguments, serverEnvironment, serverProgram } from './program.ts';

export type Server = {
  readonly ingress: string;
  readonly admin: string;
  readonly pid: number;
  /** Makes the services at this address known. */
  register(uri: string): Promise<void>;
  /** Rows of the server's own tables. */
  query<Row = Record<string, unknown>>(sql: string): Promise<Row[]>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again over what it had. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, LOOPBACK, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

/** `settings`: of its own, besides ours. */
export async function startServer(settings: NodeJS.ProcessEnv = {}): Promise<Server> {
  const program = serverProgram();
  if (!program) throw new Error('The Restate server is not installed. Run: npm run restate:install');
  const [ingressPort, adminPort, fabricPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const folder = mkdtempSync(join(tmpdir(), 'espalier-restate-'));
  const ingress = `http://${LOOPBACK}:${ingressPort}`;
  const admin = `http://${LOOPBACK}:${adminPort}`;
  let server: ChildProcess;

  const launch = async (): Promise<void> => {
    const log = openSync(join(folder, 'server.log'), 'a');
    server = spawn(program, serverArguments(join(folder, 'data')), {
      stdio: ['ignore', log, log],
      env: { ...serverEnvironment({ ingress: ingressPort, admin: adminPort, fabric: fabricPort }), ...settings },
    });
    const deadline = Date.now() + 30_000;
    for (;;) {
      if (server.exitCode !== null)
        throw new Error(`restate-server ended with ${server.exitCode}; see ${folder}/server.log`);
      if (Date.now() > deadline) throw new Error(`restate-server is not ready after 30 s; see ${folder}/server.log`);
      if ((await isWell(`${ingress}/restate/health`)) && (await isWell(`${admin}/health`)) && (await canQuery()))
        return;
      await sleep(50);
    }
  };
  const query = async <Row>(sql: string, tries = 20): Promise<Row[]> => {
    const answer = await fetch(`${admin}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: sql }),
    });
    if (answer.ok) return ((await answer.json()) as { rows: Row[] }).rows;
    const text = await answer.text();
    // Started anew, it asks itself for a while as it was before.
    if (tries === 0 || !text.includes('was shut down or removed')) throw new Error(text);
    await sleep(50);
    return query(sql, tries - 1);
  };
  const canQuery = (): Promise<boolean> =>
    query('SELECT count(1) FROM sys_invocation', 0).then(
      () => true,
      () => false,
    );
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await gone;
  };
  await launch();
  return {
    ingress,
    admin,
    get pid() {
      return server.pid ?? 0;
    },
    async register(uri) {
      const answer = await fetch(`${admin}/deployments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uri }),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    query,
    kill,
    restart: launch,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const isWell = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
