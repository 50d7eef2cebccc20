import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniform } from '../../bench/random.ts';
import { openStage, type Stage, type Victim } from './killing.ts';
import { isInstalled } from './program.ts';

/** `npm run restate:kills` does it more often, and prints what it saw. */
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const draw = uniform(seed);
const VICTIMS: Victim[] = ['worker', 'server'];

describe.skipIf(!isInstalled()).each([1, 2])(
  `kill -9 in mid-run, with workers behind a balancer: %i (SEED=${seed})`,
  (workers) => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage(workers);
    }, 60_000);
    afterAll(() => stage?.close());

    it.each(VICTIMS.map((victim, i) => [victim, i] as const))(
      'of a %s: the same brief, no finished leaf again, nothing left open (%i)',
      async (victim) => {
        expect(await stage.killing(victim, draw)).toMatchObject({ finishedAgain: [], sameBrief: true, open: [] });
      },
      60_000,
    );
  },
);
