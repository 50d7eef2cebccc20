/** `npm run bench`: what Espalier costs, as ratios within one run. `-- --json` prints the figures alone. */
import { measureColdStart } from './cold-start.ts';
import { measureHeap } from './heap.ts';
import { measureLeafCost } from './leaf-cost.ts';
import { measureSchedule } from './schedule.ts';
import { measureStore } from './store.ts';
import { measureTelemetry } from './telemetry.ts';

const note = (text: string): void => void process.stderr.write(`${text}\n`);
const figures = {
  leafCost: await measureLeafCost(note),
  heap: await measureHeap(note),
  coldStart: await measureColdStart(15, note),
  store: await measureStore(15, note),
  telemetry: await measureTelemetry(15, note),
  schedule: await measureSchedule(200, note),
};
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
else {
  const { leafCost, heap, coldStart, store, telemetry, schedule } = figures;
  const { wide, narrow, ratio } = leafCost.flatGrowth;
  const rounded = (values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toFixed(3))]));
  console.table(
    leafCost.shapes.map(({ shape, us, toPQueue, toPromiseAll }) => ({
      shape,
      ...rounded({ ...us, toPQueue, toPromiseAll }),
    })),
  );
  console.log(`flat 10,000 / flat 100: ${wide.toFixed(1)} / ${narrow.toFixed(1)} µs per leaf = ${ratio.toFixed(2)}`);
  const { bytesPerLiveLeaf, bytesPerPromise, growthKiB } = heap;
  console.log(
    `heap per live leaf: ${Math.round(bytesPerLiveLeaf)} B, per pending promise ${Math.round(bytesPerPromise)} B`,
  );
  console.log(`heap growth over ${growthKiB.runs} runs of 10 × 100: ${growthKiB.after.toFixed(0)} KiB`);
  console.log('cold start in ms:', rounded(coldStart.ms));
  const { cost, big, resume } = store;
  console.log(
    `stored, ${cost.shape}, in µs of processor time per leaf:`,
    rounded({ plain: cost.plain, stored: cost.stored, added: cost.added }),
  );
  console.log(`told to a collector, ${telemetry.shape}, in µs of processor time per leaf:`, rounded(telemetry.us));
  console.log(
    `telemetry / none: ${telemetry.exported.toFixed(2)} with an SDK that exports, ${telemetry.idle.toFixed(2)} without one; ${Math.round(telemetry.bytes)} B sent per leaf`,
  );
  console.log(`stored run of ${big.leaves} leaves: ${big.seconds.toFixed(2)} s`);
  console.log(`resumed run of ${resume.leaves} leaves, one lost: ${resume.seconds.toFixed(2)} s`);
  console.table(
    Object.fromEntries(Object.entries(schedule.efficiency).map(([name, spread]) => [name, rounded(spread)])),
  );
  console.table(Object.fromEntries(Object.entries(schedule.makespans).map(([name, one]) => [name, rounded(one)])));
}
