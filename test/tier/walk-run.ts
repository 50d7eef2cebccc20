/** The walk for bigger trees than a test suite has time for: `node test/tier/walk-run.ts 3,3 '{"symmetric":true}'`. */
import { walk, type WalkOptions } from './walk.ts';

const [widths = '3,3', options = '{"symmetric":true}'] = process.argv.slice(2);
const started = performance.now();
const tally = walk(widths.split(',').map(Number), JSON.parse(options) as WalkOptions);
console.log(widths, options, { ...tally, seconds: Math.round(performance.now() - started) / 1000 });
process.exitCode = tally.problems.length > 0 ? 1 : 0;
