/** A run while a worker or the server is killed, as `kill -9` does it: what became of it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/index.ts';
import { restate } from '../../src/restate.ts';
import { startEspalier, workspace, type Started } from '../cli/command.ts';
import killed from '../fixtures/scenarios/killed.ts';
import { freePorts } from '../support/free-ports.ts';
import { startBalancer } from './balancer.ts';
import { startServer, type Server } from './server.ts';

const SCENARIO = fileURLToPath(new URL('../fixtures/scenarios/killed.ts', import.meta.url));
/** About what the run takes, in ms: later, and there would be nothing to disturb. */
const SPAN_MS = 1_500;
/** Until somebody starts again what was killed. */
const AWAY_MS = 300;

export type Victim = 'worker' | 'server';
export type Killing = {
  victim: Victim;
  /** After the run began. */
  atMs: number;
  /** Whether the run had ended before. */
  isLate: boolean;
  tookMs: number;
  /** Leaves of which the caller knew, when it happened, that they had ended. */
  finished: number;
  /** Of those, the ones that were executed again: must be none. */
  finishedAgain: string[];
  /** Executions beyond one for each attempt: of those in flight. */
  again: number;
  /** By how many processes leaves were executed. */
  processes: number;
  sameBrief: boolean;
  /** What the server still had to do when the run was over. */
  open: unknown[];
};

export type Stage = {
  readonly workers: number;
  killing(victim: Victim, draw: () => number): Promise<Killing>;
  close(): Promise<void>;
};

/** What the brief says, without when. */
const saidBy = (brief: { digest: string; findings: readonly { id: string }[]; status: string }): string =>
  JSON.stringify([brief.digest, brief.status, brief.findings.map(({ id }) => id)]);

export async function openStage(workers: number): Promise<Stage> {
  const home = workspace();
  const executed = join(home.path, 'executed');
  const undisturbed = saidBy((await run(killed)).brief);
  const server = await startServer();
  const ports = await freePorts(workers);
  const balancer = await startBalancer(ports);
  const launch = async (port: number): Promise<Started> => {
    const args = ['worker', SCENARIO, '--port', String(port), '--advertise', balancer.uri, '--register', server.admin];
    const worker = startEspalier(args, home.path, { EXECUTED: executed });
    await worker.stderrSays('Registered at');
    return worker;
  };
  const running = new Map<number, Started>();
  for (const port of ports) running.set(port, await launch(port));

  const kill = async (victim: Victim, draw: () => number): Promise<void> => {
    if (victim === 'server') {
      await server.kill();
      await sleep(AWAY_MS);
      return server.restart();
    }
    const port = ports[Math.floor(draw() * ports.length)] ?? 0;
    const worker = running.get(port);
    worker?.child.kill('SIGKILL');
    await worker?.ended;
    await sleep(AWAY_MS);
    running.set(port, await launch(port));
  };
  return {
    workers,
    async killing(victim, draw) {
      const atMs = Math.round(draw() * SPAN_MS);
      const ended = new Set<string>();
      let isLate = false;
      const begunAt = performance.now();
      const delivered = run(killed, {
        host: restate({ ingress: server.ingress }),
        onEvent: ({ type, path }) => void ((type === 'node.reported' || type === 'node.failed') && ended.add(path)),
      }).finally(() => (isLate = true));
      await sleep(atMs);
      const finished = new Set([...ended].filter((path) => path.split('/').length === 3));
      const wasLate = isLate;
      const linesBefore = linesIn(executed).length;
      const [{ brief, runId }] = await Promise.all([delivered, kill(victim, draw)]);
      const tookMs = Math.round(performance.now() - begunAt);

      const lines = linesIn(executed).map((line) => line.split(' '));
      const later = lines.slice(linesBefore).filter(([id]) => id === runId);
      const own = lines.filter(([id]) => id === runId);
      const attempts = new Set(own.map(([, path, attempt]) => `${path} ${attempt}`));
      return {
        victim,
        atMs,
        isLate: wasLate,
        tookMs,
        finished: finished.size,
        finishedAgain: later.map(([, path = '']) => path).filter((path) => finished.has(path)),
        again: own.length - attempts.size,
        processes: new Set(own.map(([, , , pid]) => pid)).size,
        sameBrief: saidBy(brief) === undisturbed,
        open: await stillOpen(server),
      };
    },
    async close() {
      for (const { child, ended } of running.values()) {
        child.kill('SIGKILL');
        await ended;
      }
      await balancer.close();
      await server.stop();
      home[Symbol.dispose]();
    },
  };
}

const linesIn = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);

/** What does not end by itself, a little while after the run. */
async function stillOpen(server: Server): Promise<unknown[]> {
  for (let tried = 0; ; tried++) {
    const open = await server.query(
      "SELECT target, status FROM sys_invocation WHERE status NOT IN ('completed', 'scheduled')",
    );
    if (open.length === 0 || tried === 100) return open;
    await sleep(100);
  }
}
