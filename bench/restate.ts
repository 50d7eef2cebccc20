/**
 * `npm run bench:restate`: what a run costs at a Restate server, beside the same run in one process. It needs the server
 * of `npm run restate:install`. Workers and server are processes of their own on this machine, several workers behind a
 * balancer in this process; leaves do nothing.
 * Time is what a clock on the wall says, cost is processor time of all of them, which depends less on who else is at work
 * on the machine. It is set beside that of the same run in one process, and beside that of as many bare calls at the same
 * server, in the same round. `-- --rounds=5` takes more samples than 3; `-- --small` leaves out the largest shape, which takes
 * minutes; `-- --json` prints the figures alone. Linux only.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { run, type RunHost, type Scenario } from 'espalier';
import { restate } from 'espalier/restate';
import { startBalancer } from '../test/restate/balancer.ts';
import { LOOPBACK } from '../test/restate/program.ts';
import { startServer, type Server } from '../test/restate/server.ts';
import { bareService, callBare } from './bare-calls.ts';
import { median } from './statistics.ts';
import { leavesIn, scenarioOf, shapeOf, treeOf, type Widths } from './tree.ts';

const ROUNDS = Number(/=(\d+)$/.exec(process.argv.find((one) => one.startsWith('--rounds=')) ?? '')?.[1] ?? 3);
/** Of the kernel's clock, in which processor time is told. */
const TICK_MS = 10;
const WIDE = 3_000;
const isSmall = process.argv.includes('--small');
const SHAPES: readonly { widths: Widths; concurrency: number }[] = [
  { widths: [10, 100], concurrency: 100 },
  { widths: [WIDE], concurrency: WIDE },
  ...(isSmall ? [] : [{ widths: [100, 100], concurrency: 100 }]),
];

const scenarios: readonly Scenario[] = SHAPES.map(({ widths, concurrency }) => ({
  ...scenarioOf(treeOf(widths), { maxDepth: widths.length, concurrency }),
  name: `bench-${widths.join('x')}`,
}));

type Row = {
  shape: string;
  workers: number;
  leavesPerSecond: number;
  /** Ms per leaf: on the wall, and in processor time of those who take part. Medians of the rounds. */
  wall: number;
  workersCpu: number;
  serverCpu: number;
  callerCpu: number;
  /** Processor time of all over that of the same run in one process, and over that of as many bare calls. */
  toInProcess: number;
  toBare: number;
};
type Sample = { wall: number; own: number };
/** In ms, by a whole run. */
type Spent = { wall: number; workers: number; server: number; caller: number; toInProcess: number; toBare: number };
type Resident = { workers: number; workerMiB: number; serverMiB: number };

/** Ms of a run that must find everything: on the wall, and of this process. */
async function sampleOf(scenario: Scenario, leaves: number, host?: RunHost): Promise<Sample> {
  const before = process.cpuUsage();
  const began = performance.now();
  const { status, brief } = await run(scenario, { deadline: '30m', ...(host && { host }) });
  const wall = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  if (status === 'complete' && brief.usage.subtree.leaves === leaves) return { wall, own: (user + system) / 1000 };
  throw new Error(`of ${leaves} leaves ${brief.usage.subtree.leaves} reported: ${JSON.stringify(brief.gaps[0])}`);
}

type Worker = { process: ChildProcess; port: number };
async function startWorker(): Promise<Worker> {
  const worker = spawn(process.execPath, [import.meta.filename, '--worker', ...process.argv.slice(2)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(worker.stdout), 'line')) as [string];
  return { process: worker, port: Number(line) };
}

/** The most there was, in MiB. */
const residentOf = (pid: number | undefined): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Processor time so far, in ms: user's and system's, of proc(5). */
function cpuOf(pid: number | undefined): number {
  const [, fields = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * TICK_MS;
}

async function measure(server: Server, workers: number, note: (text: string) => void) {
  const started = await Promise.all(Array.from({ length: workers }, startWorker));
  const [first] = started;
  const balancer = workers > 1 ? await startBalancer(started.map(({ port }) => port)) : undefined;
  try {
    await server.register(balancer?.uri ?? `http://${LOOPBACK}:${first?.port}`);
    const host = restate({ ingress: server.ingress });
    const rows: Row[] = [];
    for (const [i, { widths }] of SHAPES.entries()) {
      const scenario = scenarios[i];
      if (!scenario) continue;
      const leaves = leavesIn(widths);
      note(`${shapeOf(widths)} over ${workers} worker${workers > 1 ? 's' : ''}`);
      const cpu = () => ({
        workers: started.reduce((total, one) => total + cpuOf(one.process.pid), 0),
        server: cpuOf(server.pid),
      });
      const samples: Spent[] = [];
      for (let round = -1; round < ROUNDS; round++) {
        const before = cpu();
        const there = await sampleOf(scenario, leaves, host);
        const after = cpu();
        const here = await sampleOf(scenario, leaves);
        const beforeBare = cpu();
        await callBare(server.ingress, leaves);
        const afterBare = cpu();
        if (round < 0) continue; // warm
        const spent = { workers: after.workers - before.workers, server: after.server - before.server };
        const all = spent.workers + spent.server + there.own;
        const bare = afterBare.workers + afterBare.server - beforeBare.workers - beforeBare.server;
        const ratios = { toInProcess: all / here.own, toBare: all / bare };
        samples.push({ ...spent, wall: there.wall, caller: there.own, ...ratios });
      }
      const perLeaf = (of: (sample: Spent) => number): number => median(samples.map(of)) / leaves;
      const wall = perLeaf((one) => one.wall);
      rows.push({
        shape: shapeOf(widths),
        workers,
        leavesPerSecond: 1000 / wall,
        wall,
        workersCpu: perLeaf((one) => one.workers),
        serverCpu: perLeaf((one) => one.server),
        callerCpu: perLeaf((one) => one.caller),
        toInProcess: median(samples.map((one) => one.toInProcess)),
        toBare: median(samples.map((one) => one.toBare)),
      });
    }
    const workerMiB = Math.max(...started.map((one) => residentOf(one.process.pid)));
    return { rows, resident: { workers, workerMiB, serverMiB: residentOf(server.pid) } };
  } finally {
    for (const { process: worker } of started) worker.kill('SIGKILL');
    await balancer?.close();
  }
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  const resident: Resident[] = [];
  for (const workers of [1, 2]) {
    const server = await startServer(); // one of its own, so that memory is of these runs
    try {
      const measured = await measure(server, workers, (text) => void process.stderr.write(`${text}\n`));
      rows.push(...measured.rows);
      resident.push(measured.resident);
    } finally {
      await server.stop();
    }
  }
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ rows, resident }, null, 2)}\n`);
  else {
    const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
    console.table(
      rows.map((row) => ({
        shape: row.shape,
        workers: row.workers,
        'leaves/s': Math.round(row.leavesPerSecond),
        'ms per leaf': rounded(row.wall, 3),
        'cpu: workers': rounded(row.workersCpu, 3),
        'cpu: server': rounded(row.serverCpu, 3),
        'cpu: caller': rounded(row.callerCpu, 3),
        '÷ in process': rounded(row.toInProcess, 1),
        '÷ bare calls': rounded(row.toBare, 2),
      })),
    );
    console.table(
      resident.map(({ workers, workerMiB, serverMiB }) => ({
        workers,
        'MiB, a worker': Math.round(workerMiB),
        'MiB, the server': Math.round(serverMiB),
      })),
    );
  }
}

if (process.argv.includes('--worker')) {
  const { serve, services } = await import('espalier/restate');
  const { port } = await serve({ services: [...services(scenarios), bareService] });
  process.stdout.write(`${port}\n`);
} else await main();
