import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

const TESTS = 'test/**/*.test.ts';
/** Files that put something else in a module's place: nobody may have loaded that module before them. */
const mocking = globSync(TESTS, { exclude: ['**/node_modules'] }).filter((file) =>
  /\bvi\.(mock|doMock)\(/.test(readFileSync(file, 'utf8')),
);

export default defineConfig({
  resolve: { conditions: ['espalier-source'] },
  ssr: { resolve: { conditions: ['espalier-source'], externalConditions: ['espalier-source'] } },
  test: {
    testTimeout: 30_000,
    maxWorkers: availableParallelism() + 1, // some of them mostly wait: for a deadline, for a server, for a process
    maxConcurrency: 3, // of the host contract: more at once, and each comes near its deadline where others work too
    execArgv: ['--max-semi-space-size=64'], // in MB: random trees are short-lived, and collected less often so
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/closing-line.ts'],
    // Loading every module anew for each file took a sixth of the suite's processor time.
    projects: [
      { extends: true, test: { name: 'apart', include: mocking, isolate: true } },
      {
        extends: true,
        test: { name: 'together', include: [TESTS], exclude: [...configDefaults.exclude, ...mocking], isolate: false },
      },
    ],
  },
});
