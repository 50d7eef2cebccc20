/**
 * `npm run bench:restate`: what a run costs at a Restate server, beside the same run in one process. It needs the server
 * of `npm run restate:install`. Workers and server are processes of their own on this machine; leaves do nothing.
 * `-- --json` prints the figures alone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { run, type Scenario } from 'espalier';
import { restate } from 'espalier/restate';
import { startBalancer } from '../test/restate/balancer.ts';
import { startServer, type Server } from '../test/restate/server.ts';
import { median } from './statistics.ts';
import { leavesIn, scenarioOf, shapeOf, treeOf, type Widths } from './tree.ts';

const ROUNDS = 3;
const WIDE = 3_000;
const SHAPES: readonly { widths: Widths; concurrency: number }[] = [
  { widths: [10, 100], concurrency: 100 },
  { widths: [100, 100], concurrency: 100 },
  { widths: [WIDE], concurrency: WIDE },
];

const scenarios: readonly Scenario[] = SHAPES.map(({ widths, concurrency }) => ({
  ...scenarioOf(treeOf(widths), { maxDepth: widths.length, concurrency }),
  name: `bench-${widths.join('x')}`,
}));

type Row = {
  shape: string;
  workers: number;
  /** Medians of the rounds. */
  msPerLeaf: number;
  leavesPerSecond: number;
  toInProcess: number;
};
type Resident = { workers: number; workerMiB: number; serverMiB: number };

/** Ms per leaf of a run that must find everything. */
async function msPerLeaf(scenario: Scenario, leaves: number, host?: ReturnType<typeof restate>): Promise<number> {
  const began = performance.now();
  const { status, brief } = await run(scenario, host ? { host } : {});
  const ms = performance.now() - began;
  if (status === 'complete' && brief.usage.subtree.leaves === leaves) return ms / leaves;
  throw new Error(`of ${leaves} leaves ${brief.usage.subtree.leaves} reported: ${JSON.stringify(brief.gaps[0])}`);
}

type Worker = { process: ChildProcess; port: number };
async function startWorker(): Promise<Worker> {
  const worker = spawn(process.execPath, [import.meta.filename, '--worker'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(worker.stdout), 'line')) as [string];
  return { process: worker, port: Number(line) };
}

/** Of Linux alone; elsewhere 0. In MiB, the most there was. */
function residentOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function measure(server: Server, workers: number, note: (text: string) => void) {
  const started = await Promise.all(Array.from({ length: workers }, startWorker));
  const balancer = await startBalancer(started.map(({ port }) => port));
  try {
    await server.register(balancer.uri);
    const host = restate({ ingress: server.ingress });
    const rows: Row[] = [];
    for (const [i, { widths }] of SHAPES.entries()) {
      const scenario = scenarios[i];
      if (!scenario) continue;
      const leaves = leavesIn(widths);
      note(`${shapeOf(widths)} over ${workers} worker${workers > 1 ? 's' : ''}`);
      await msPerLeaf(scenario, leaves, host); // warm
      const [there, here]: [number[], number[]] = [[], []];
      for (let round = 0; round < ROUNDS; round++) {
        there.push(await msPerLeaf(scenario, leaves, host));
        here.push(await msPerLeaf(scenario, leaves));
      }
      const ms = median(there);
      const toInProcess = median(there.map((one, round) => one / (here[round] ?? Number.NaN)));
      rows.push({ shape: shapeOf(widths), workers, msPerLeaf: ms, leavesPerSecond: 1000 / ms, toInProcess });
    }
    const workerMiB = Math.max(...started.map((one) => residentOf(one.process.pid)));
    return { rows, resident: { workers, workerMiB, serverMiB: residentOf(server.pid) } };
  } finally {
    for (const { process: worker } of started) worker.kill('SIGKILL');
    await balancer.close();
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
        ...row,
        msPerLeaf: rounded(row.msPerLeaf, 3),
        leavesPerSecond: Math.round(row.leavesPerSecond),
        toInProcess: rounded(row.toInProcess, 1),
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
  const { port } = await serve({ services: services(scenarios) });
  process.stdout.write(`${port}\n`);
} else await main();
