/** What keeping a run costs: µs per leaf over a run that is not kept, a big run in all, and resuming one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, start, type Scenario, type Store } from 'espalier';
import { sqliteStore } from 'espalier/sqlite';
import { interleaved, median } from './statistics.ts';
import { leavesIn, scenarioOf, shapeOf, treeOf, type Widths } from './tree.ts';

export type StoreCost = {
  /** µs per leaf of the processor, medians of rounds: without a store, with one, and what it adds. */
  cost: { shape: string; plain: number; stored: number; added: number };
  /** Seconds for a stored run of so many leaves. */
  big: { leaves: number; seconds: number };
  /** Seconds to go on with a run of so many leaves of which one is lost. */
  resume: { leaves: number; seconds: number };
};

const SHAPE: Widths = [10, 100];
const BIG: Widths = [1000, 100];
const RESUMED: Widths = [100, 100];

export async function measureStore(rounds: number, note: (text: string) => void): Promise<StoreCost> {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'));
  try {
    note('store: µs per leaf');
    const cost = await costOf(SHAPE, rounds, folder);
    note(`store: ${leavesIn(BIG)} leaves`);
    const big = {
      leaves: leavesIn(BIG),
      seconds: await bigRun(join(folder, 'big.db')),
    };
    note(`store: resume ${leavesIn(RESUMED)} leaves`);
    const resume = { leaves: leavesIn(RESUMED), seconds: await resumed(RESUMED, join(folder, 'resumed.db')) };
    return { cost, big, resume };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bigRun(file: string): Promise<number> {
  const store = sqliteStore(file);
  const seconds = await secondsOf(() => stored(scenarioFor(BIG), store));
  store.close();
  return seconds;
}

const scenarioFor = (widths: Widths): Scenario => scenarioOf(treeOf(widths), { maxDepth: widths.length });

async function stored(scenario: Scenario, store: Store): Promise<void> {
  const { status } = await run(scenario, { store });
  if (status !== 'complete') throw new Error(`a stored run ended ${status}`);
}

async function costOf(widths: Widths, rounds: number, folder: string): Promise<StoreCost['cost']> {
  const scenario = scenarioFor(widths);
  const leaves = leavesIn(widths);
  const store = sqliteStore(join(folder, 'cost.db'));
  const perLeaf = (work: () => Promise<unknown>) => async (): Promise<number> => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / leaves;
  };
  const us = await interleaved(rounds, {
    plain: perLeaf(() => run(scenario)),
    stored: perLeaf(() => stored(scenario, store)),
  });
  store.close();
  const [plain, kept] = [median(us.plain), median(us.stored)];
  const added = median(us.stored.map((sample, round) => sample - (us.plain[round] ?? Number.NaN)));
  return { shape: shapeOf(widths), plain, stored: kept, added };
}

/** The last leaf never answers until the run is stopped; what is timed is the run that goes on. */
async function resumed(widths: Widths, file: string): Promise<number> {
  const leaves = leavesIn(widths);
  let hangs = true;
  let done = 0;
  const { promise: rest, resolve } = Promise.withResolvers<void>();
  const tree = treeOf(widths, (name) => async () => {
    if (++done === leaves && hangs) {
      resolve();
      await new Promise(() => {});
    }
    return { statement: `Said by ${name}`, stance: 0.5, confidence: 0.8 };
  });
  const scenario = scenarioOf(tree, { maxDepth: widths.length });
  const store = sqliteStore(file);
  const first = start(scenario, { store });
  await rest;
  await new Promise((next) => setTimeout(next, 100)); // the other leaves end in this time
  first.stop();
  await first.result.catch(() => {});
  hangs = false;
  done = 0;
  const seconds = await secondsOf(async () => {
    const { status } = await run(scenario, { store, resume: first.runId });
    if (status !== 'complete' || done !== 1) throw new Error(`resumed: ${status}, ${done} leaves ran`);
  });
  store.close();
  return seconds;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1_000;
}
