/** Dividing a node among sub-domains that nobody declared changes nothing of what the evidence says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Decider } from '../../src/define/shape.ts';
import type { Child, LeafResult } from '../../src/define/spec.ts';
import type { Assessment } from '../../src/protocol/assessment.ts';
import { count, figure, PATIENCE_MS } from '../support/figures.ts';
import { world } from '../support/world.ts';

type Said = { stance: number; confidence: number; isContext: boolean; isCritical: boolean };
type LeafCase = { said: Said[]; ends: 'well' | 'throws' | 'gap'; group: number };
type Drawn = { leaves: LeafCase[]; domains: { leaves: LeafCase[]; group: number }[]; isAtRoot: boolean };

const share = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10);
const said: fc.Arbitrary<Said> = fc.record({
  stance: fc.integer({ min: -10, max: 10 }).map((tenths) => tenths / 10),
  confidence: share,
  isContext: fc.boolean(),
  isCritical: fc.boolean(),
});
const GROUPS = 4;
const group = fc.integer({ min: 0, max: GROUPS - 1 });
const leafCase: fc.Arbitrary<LeafCase> = fc.record({
  said: fc.array(said, { maxLength: 4 }),
  ends: fc.constantFrom('well', 'well', 'well', 'throws', 'gap'),
  group,
});
const drawns: fc.Arbitrary<Drawn> = fc.record({
  leaves: fc.array(leafCase, { minLength: 2, maxLength: 24 }),
  domains: fc.array(fc.record({ leaves: fc.array(leafCase, { minLength: 1, maxLength: 4 }), group }), { maxLength: 3 }),
  isAtRoot: fc.boolean(),
});

function leafOf(name: string, { said, ends }: LeafCase) {
  const result = said.map(({ stance, confidence, isContext, isCritical }, i) => ({
    statement: `${name} says ${i}`,
    stance,
    confidence,
    ...(isContext && { flags: ['context'] }),
    ...(isCritical && { critical: { rule: 'alarm', reason: 'it rings' } }),
  }));
  return defineLeaf({
    name,
    attempts: 1,
    run({ gap }): LeafResult {
      if (ends === 'throws') throw new Error('no');
      return ends === 'gap' ? gap('stale', 'too old') : result;
    },
  });
}

async function assessed({ leaves, domains, isAtRoot }: Drawn, isDivided: boolean): Promise<Assessment | undefined> {
  const named = [
    ...leaves.map((one, i) => ({ name: `l${i}`, ...one })),
    ...domains.map((one, i) => ({ name: `d${i}`, ...one })),
  ];
  const children: Child[] = named.map((one) =>
    'said' in one
      ? leafOf(one.name, one)
      : defineDomain({
          name: one.name,
          charter: '',
          children: one.leaves.map((leaf, i) => leafOf(`${one.name}l${i}`, leaf)),
        }),
  );
  const groups = Array.from({ length: GROUPS }, (_, i) => ({
    name: `g${i}`,
    members: named.filter(({ group }) => group === i).map(({ name }) => name),
  })).filter(({ members }) => members.length > 0);
  const divide: Decider = () => ({ shape: 'divide', groups, reasons: [] });
  const decide = isDivided ? { decide: divide } : {};
  const below = isAtRoot
    ? children
    : [defineDomain({ name: 'd', charter: '', children, ...decide }), leafOf('beside', BESIDE)];
  const w = world(
    defineScenario({
      name: 'any',
      thesis: 'It holds',
      domains: below,
      limits: { maxDepth: 5 },
      ...(isAtRoot && decide),
    }),
  );
  const { brief } = await w.run();
  const made = w.eventsOf('node.planned').some(({ decision }) => decision.stages.flat().some(({ members }) => members));
  expect(made).toBe(isDivided && groups.length > 0);
  return brief.assessment;
}
const BESIDE: LeafCase = {
  said: [{ stance: 0.3, confidence: 0.6, isContext: false, isCritical: false }],
  ends: 'well',
  group: 0,
};

const RUNS = Number(process.env['FC_RUNS'] ?? 80);

it(
  'any leaves and domains, any groups, at the root or below it: the same balance, coverage and conviction',
  async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(drawns, async (drawn) => {
        const [whole, divided] = [await assessed(drawn, false), await assessed(drawn, true)];
        expect(divided?.votes).toEqual(whole?.votes);
        for (const figure of ['logOdds', 'coverage', 'dissent'] as const) {
          expect(divided?.[figure]).toBeCloseTo(whole?.[figure] ?? -1, 9);
        }
        // a figure that lies on the edge of two may be rounded to either
        expect(Math.abs((divided?.conviction ?? 0) - (whole?.conviction ?? 0))).toBeLessThanOrEqual(1);
        moved += Math.abs(whole?.logOdds ?? 0) > 0.1 ? 1 : 0;
      }),
      { seed: Number(process.env['FC_SEED'] ?? 17), numRuns: RUNS },
    );
    expect(moved).toBeGreaterThan(RUNS / 4); // not vacuous
    figure(`Division: ${count(RUNS)} nodes divided at random, balance, coverage and conviction as undivided`);
  },
  PATIENCE_MS,
);
