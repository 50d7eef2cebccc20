/**
 * What one leaf costs: µs of a whole run, or of the same work by plainer means, divided by its leaves. Each leaf
 * returns one finding; a run of Espalier parses, mints, escalates, digests, synthesizes and measures as always.
 */
import { interleaved, median, medianRatio, type Samples } from './statistics.ts';
import {
  leavesIn,
  newQueue,
  scenarioOf,
  shapeOf,
  throughEspalier,
  throughPromises,
  throughQueue,
  treeOf,
  type Widths,
} from './tree.ts';

const SHAPES: readonly Widths[] = [[3, 40], [10, 100], [100, 100], [10, 10, 10, 10], [100], [10_000], [1000, 100]];
const CENTRE: Widths = [10, 100];
const WARM_UP_LEAVES = 20_000;

export type ShapeCost = {
  shape: string;
  leaves: number;
  rounds: number;
  /** µs per leaf, medians of the rounds. */
  us: { espalier: number; pQueue: number; promiseAll: number };
  /** Medians of the ratios within a round. */
  toPQueue: number;
  toPromiseAll: number;
};
export type LeafCost = {
  shapes: ShapeCost[];
  /** µs per leaf of 10,000 leaves under one orchestrator over that of 100. */
  flatGrowth: { wide: number; narrow: number; ratio: number };
};

export async function measureLeafCost(note: (text: string) => void): Promise<LeafCost> {
  const shapes: ShapeCost[] = [];
  await warmUp();
  for (const widths of SHAPES) {
    note(`µs per leaf: ${shapeOf(widths)}`);
    shapes.push(await costOf(widths));
  }
  note('µs per leaf: flat 10,000 against flat 100');
  const flatGrowth = await growthWithWidth();
  return { shapes, flatGrowth };
}

async function warmUp(): Promise<void> {
  const { espalier, pQueue, promiseAll } = waysOver(CENTRE);
  for (let done = 0; done < WARM_UP_LEAVES; done += leavesIn(CENTRE)) {
    for (const way of [espalier, pQueue, promiseAll]) await way();
  }
}

async function costOf(widths: Widths): Promise<ShapeCost> {
  const leaves = leavesIn(widths);
  const rounds = roundsFor(leaves);
  const us = await interleaved(rounds, waysOver(widths));
  return {
    shape: shapeOf(widths),
    leaves,
    rounds,
    us: medians(us),
    toPQueue: medianRatio(us.espalier, us.pQueue),
    toPromiseAll: medianRatio(us.espalier, us.promiseAll),
  };
}

/** More rounds of small trees, fewer of big ones. */
const roundsFor = (leaves: number): number => Math.max(3, Math.min(25, Math.round(100_000 / leaves)));

type Way = () => Promise<number>;

function waysOver(widths: Widths): Record<'espalier' | 'pQueue' | 'promiseAll', Way> {
  const leaves = leavesIn(widths);
  const tree = treeOf(widths);
  const scenario = scenarioOf(tree, { maxDepth: widths.length });
  return {
    espalier: timed(leaves, () => throughEspalier(scenario, leaves)),
    pQueue: timed(leaves, () => throughQueue(tree, newQueue())),
    promiseAll: timed(leaves, () => throughPromises(tree)),
  };
}

const LEAST_LEAVES = 1_000;
/** µs per leaf. Small trees run several times in one sample, so that it pays for its own share of collected garbage. */
const timed =
  (leaves: number, work: () => Promise<unknown>): Way =>
  async () => {
    const times = Math.ceil(LEAST_LEAVES / leaves);
    const before = performance.now();
    for (let i = 0; i < times; i++) await work();
    return ((performance.now() - before) * 1000) / (leaves * times);
  };

async function growthWithWidth(): Promise<LeafCost['flatGrowth']> {
  const us = await interleaved(9, { wide: waysOver([10_000]).espalier, narrow: waysOver([100]).espalier });
  return { ...medians(us), ratio: medianRatio(us.wide, us.narrow) };
}

const medians = <Name extends string>(samples: Samples<Name>): Record<Name, number> =>
  Object.fromEntries(Object.entries<number[]>(samples).map(([name, us]) => [name, median(us)])) as Record<Name, number>;
