/** What a live leaf holds, and whether runs leave anything behind. Needs `--expose-gc`. */
import { defineLeaf, defineScenario, run, start } from 'espalier';
import { scenarioOf, throughEspalier, treeOf } from './tree.ts';

const LIVE = 10_000;
const RUNS = 100;

export type Heap = { bytesPerLiveLeaf: number; bytesPerPromise: number; growthKiB: { runs: number; after: number } };

function heapUsed(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new Error('run node with --expose-gc');
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

export async function measureHeap(note: (text: string) => void): Promise<Heap> {
  note('heap per live leaf, and growth over runs');
  return { bytesPerLiveLeaf: await perLiveLeaf(), bytesPerPromise: await perPromise(), growthKiB: await growth() };
}

async function perLiveLeaf(): Promise<number> {
  let atWork = 0;
  const pending = Array.from({ length: LIVE }, (_, i) =>
    defineLeaf({ name: `l${i}`, run: () => new Promise(() => void atWork++) }),
  );
  const scenario = defineScenario({ name: 's', thesis: 't', domains: pending, limits: { concurrency: LIVE } });
  await run(defineScenario({ ...scenario, domains: [defineLeaf({ name: 'l', run: () => [] })] })); // to have compiled
  const before = heapUsed();
  const handle = start(scenario);
  const allAtWork = (): boolean => atWork === LIVE;
  while (!allAtWork()) await new Promise((done) => setImmediate(done));
  const after = heapUsed();
  handle.stop();
  return (after - before) / LIVE;
}

async function perPromise(): Promise<number> {
  const before = heapUsed();
  let release = (): void => {};
  const gate = new Promise<void>((open) => (release = open));
  const pending = Array.from({ length: LIVE }, async () => gate);
  const after = heapUsed();
  release();
  await Promise.all(pending);
  return (after - before) / LIVE;
}

async function growth(): Promise<Heap['growthKiB']> {
  const scenario = scenarioOf(treeOf([10, 100]), { maxDepth: 2 });
  for (let i = 0; i < 30; i++) await throughEspalier(scenario, 1_000);
  const before = heapUsed();
  for (let i = 0; i < RUNS; i++) await throughEspalier(scenario, 1_000);
  return { runs: RUNS, after: (heapUsed() - before) / 1024 };
}
