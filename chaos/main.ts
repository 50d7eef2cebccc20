/** `npm run chaos`: the table, or with `--json` its figures. Exit code 1 when ours lost a finding or was late. */
import { faultsIn, scorecard, tableOf } from './scorecard.ts';

const unknown = process.argv.slice(2).find((flag) => flag !== '--json');
if (unknown !== undefined) {
  console.error(`npm run chaos: "${unknown}" is no option of it. There is only --json.`);
  process.exit(2);
}
const rows = await scorecard();
const faults = faultsIn(rows);
if (process.argv.includes('--json')) console.log(JSON.stringify({ rows, faults }, undefined, 2));
else for (const line of tableOf(rows)) console.log(line);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
