/** `npm run restate:kills -- [times] [seed]`: kills as `kills.test.ts` does, for as often as is asked; prints each. */
import { uniform } from '../../bench/random.ts';
import { openStage, type Killing, type Victim } from './killing.ts';
import { isInstalled } from './program.ts';

if (!isInstalled()) process.exit(2);
const [times = 40, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
process.stdout.write(`${times} kills, seed ${seed}\n`);
const draw = uniform(seed);
const all: (Killing & { workers: number })[] = [];
for (const workers of [1, 2]) {
  const stage = await openStage(workers);
  try {
    for (let i = 0; i < times / 2; i++) {
      const victim: Victim = i % 2 === 0 ? 'worker' : 'server';
      const done = { workers, ...(await stage.killing(victim, draw)) };
      all.push(done);
      process.stdout.write(`${JSON.stringify(done)}\n`);
    }
  } finally {
    await stage.close();
  }
}
const early = all.filter(({ isLate }) => !isLate);
const bad = all.filter(({ finishedAgain, sameBrief, open }) => finishedAgain.length + open.length > 0 || !sameBrief);
const sum = (of: (one: Killing) => number): number => early.reduce((total, one) => total + of(one), 0);
process.stdout.write(
  `${early.length} of ${all.length} kills came in mid-run; ${sum(({ finished }) => finished)} leaves had finished, ` +
    `${sum(({ finishedAgain }) => finishedAgain.length)} of them ran again; ${sum(({ again }) => again)} in flight ran again; ` +
    `${all.filter(({ sameBrief }) => !sameBrief).length} other briefs; ${sum(({ open }) => open.length)} left open\n`,
);
process.exit(bad.length > 0 ? 1 : 0);
