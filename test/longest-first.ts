import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest. Of those with a Restate server at work two are not to begin together: each fills a processor. */
const LONG = [
  'test/restate/host-replay.test.ts',
  'test/runtime/host.test.ts',
  'test/package/package.test.ts',
  'test/cli/resume.test.ts',
  'test/scenarios/csv-folder.test.ts',
  'test/restate/host.test.ts',
  'test/cli/otel.test.ts',
  'test/restate/kills.test.ts',
  'test/cli/espalier.test.ts',
  'test/restate/runs.test.ts',
  'test/model/walk.test.ts',
  'test/restate/command.test.ts',
];

/**
 * Files known to take long before all others, so that no worker is busy with one when nothing is left for the rest.
 * Vitest itself knows only what an earlier run on this machine has measured.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = LONG.findIndex((path) => moduleId.endsWith(path));
      return rank < 0 ? LONG.length : rank;
    };
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}
