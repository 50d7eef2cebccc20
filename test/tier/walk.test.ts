import { describe, expect, test } from 'vitest';
import { walk, type WalkOptions } from './walk.ts';

// Bigger ones by hand: `node test/tier/walk-run.ts 3,3` (55,000 states, 8 s).
const trees: [name: string, widths: number[], options: WalkOptions, least: number][] = [
  ['1×1', [1, 1], {}, 40],
  ['2', [2], {}, 40],
  ['3', [3], {}, 190],
  ['2×2', [2, 2], {}, 3_000],
  ['2×2 staged', [2, 2], { staged: true }, 2_000],
  ['2×3 up to symmetry', [2, 3], { symmetric: true }, 2_400],
  ['1×1×2', [1, 1, 2], {}, 100],
  ['1×1×2 with findings said live', [1, 1, 2], { speaks: true }, 190],
  ['3 with quorum 2', [3], { quorum: 2 }, 150],
  ['2×3 with quorum 2, up to symmetry', [2, 3], { quorum: 2, symmetric: true }, 1_500],
  ['2×2 staged with findings said live', [2, 2], { staged: true, speaks: true }, 9_000],
  ['2×2 with a gather that breaks, up to symmetry', [2, 2], { hostFaults: true, speaks: true, symmetric: true }, 4_000],
  ['2×2 with depth for the domains only', [2, 2], { maxDepth: 1 }, 120],
  ['2 with a further round, findings said live', [2], { grows: true, speaks: true }, 300],
  ['1×2 with a further round', [1, 2], { grows: true }, 200],
  ['2×2 with a further round, up to symmetry', [2, 2], { grows: true, symmetric: true }, 1_400],
  ['2 with depth for the root only', [2], { maxDepth: 0 }, 5],
];

describe('every interleaving: one effect at a time, no deadlock, an end with every critical', () => {
  test.each(trees)('%s', (_, widths, options, least) => {
    const { problems, states, outcomes } = walk(widths, options);
    expect(problems).toEqual([]);
    expect(states).toBeGreaterThanOrEqual(least); // a walk that goes nowhere finds nothing either
    const ways = Object.keys(outcomes).map((label) => label.split(' ')[0]);
    expect(new Set(ways)).toEqual(
      new Set(options.maxDepth === 0 ? ['complete', 'failed'] : ['complete', 'partial', 'failed']),
    );
  });
});
