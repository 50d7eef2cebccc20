/** `npm run check:model`: walks every configuration, prints what was walked, and fails when something was found. */
import { CONFIGURATIONS } from './configurations.ts';
import { HEAD, rowOf } from './table.ts';
import { walk } from './walk.ts';

const started = performance.now();
let problems = 0;
for (const line of HEAD) console.log(line);
for (const configuration of CONFIGURATIONS) {
  const walked = walk(configuration.bounds);
  console.log(rowOf(configuration, walked));
  for (const problem of walked.problems) console.error(`  ${problem}`);
  problems += walked.problems.length;
}
const seconds = Math.round((performance.now() - started) / 1000);
const megabytes = Math.round(process.resourceUsage().maxRSS / 1000);
const found = problems === 0 ? 'no problem' : `${problems} problems`;
console.log(`\n${CONFIGURATIONS.length} walks in ${seconds} s and ${megabytes} MB: ${found}.`);
process.exitCode = problems === 0 ? 0 : 1;
