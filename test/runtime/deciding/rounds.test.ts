import { describe, expect, it } from 'vitest';
import { inMemorySources } from '../../../src/adapters/sources/in-memory.ts';
import { defineDomain } from '../../../src/define/define-domain.ts';
import { defineLeaf } from '../../../src/define/define-leaf.ts';
import { defineScenario } from '../../../src/define/define-scenario.ts';
import type { Decider, DeciderContext } from '../../../src/define/shape.ts';
import type { DomainSpec, Leaf, LeafSpec, Scenario, ScenarioSpec } from '../../../src/define/spec.ts';
import { plan } from '../../../src/runtime/plan.ts';
import { askedFor, interruptedAt, resumed, slowWorld } from '../../support/interrupted.ts';
import {
  CRITICAL,
  draft,
  never,
  NOTHING_LEFT,
  reportOf,
  world,
  type World,
  type WorldOptions,
} from '../../support/world.ts';

const DEADLINE = 60_000;
const leaf = (name: string, over: Partial<LeafSpec> = {}): Leaf =>
  defineLeaf({ name, run: ({ task }) => draft(task.path), ...over });
const con = (name: string): Leaf => leaf(name, { run: ({ task }) => draft(task.path, { stance: -0.5 }) });
const scenario = (over: Partial<ScenarioSpec>, limits: ScenarioSpec['limits'] = {}): Scenario =>
  defineScenario({
    name: 'rounds',
    thesis: 'Hold shares of chip makers',
    domains: [leaf('pro'), con('con')],
    limits: { maxDepth: 2, deadline: DEADLINE, ...limits },
    ...over,
  });
const ranWith = async (given: Scenario, options: WorldOptions = {}) => {
  const w = world(given, {}, options);
  const { brief } = await w.run();
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
  expect(w.events.at(-1)?.at).toBeLessThanOrEqual(DEADLINE);
  const stages = brief.decision?.stages.map((stage) => stage.map(({ name }) => name));
  return { w, brief, stages, reasons: brief.decision?.reasons ?? [], decision: brief.decision };
};
const started = ({ eventsOf }: World): string[] => eventsOf('node.started').map(({ path }) => path);

describe('results that are ambiguous are looked at again', () => {
  it('by leaves that stand by, with a question of their own, once', async () => {
    let told: unknown;
    const { w, stages, reasons, brief, decision } = await ranWith(
      scenario({
        reinvestigate: {
          dissentAbove: 0.3,
          leaves: [leaf('again'), leaf('spare')],
          choose(context) {
            told = context;
            return [{ name: 'again', question: 'Which of the two?' }];
          },
        },
      }),
    );
    expect(stages).toEqual([['pro', 'con'], ['again']]);
    expect(told).toMatchObject({ round: 2, dissent: 0.5, children: [{ name: 'again' }, { name: 'spare' }] });
    // A third of the voices still disagrees, and there is a leaf that could look: that it may not is on record.
    expect(reasons).toEqual(['round 2: dissent 0.50', 'round 3 refused: all rounds are spent']);
    expect(decision).not.toHaveProperty('mayGrow');
    expect(decision).toMatchObject({ round: 2, estimates: { leaves: 3 } });
    expect(reportOf(w.endOf('root/again')).question).toBe('Which of the two?');
    expect(brief.findings).toHaveLength(3);
    expect(w.eventsOf('node.planned')).toHaveLength(3);
  });

  it('not when they agree, nor when nobody asked for it', async () => {
    const reinvestigate = { dissentAbove: 0.3, leaves: [leaf('again')] };
    const agreeing = await ranWith(scenario({ domains: [leaf('pro'), leaf('too')], reinvestigate }));
    expect(agreeing.stages).toEqual([['pro', 'too']]);
    expect(agreeing.reasons).toEqual([]);
    const plain = await ranWith(scenario({}));
    expect(plain.w.calls.filter((call) => call === 'plan root')).toHaveLength(1);
  });

  it.each<[string, Partial<ScenarioSpec>, ScenarioSpec['limits'], RegExp]>([
    [
      'when its expected time does not fit',
      { domains: [leaf('pro'), con('con')], reinvestigate: { leaves: [leaf('again', { estimate: DEADLINE })] } },
      {},
      /expected time does not fit/,
    ],
    [
      'when it would be wider than allowed',
      { reinvestigate: { leaves: [leaf('again')] } },
      { maxChildren: 2 },
      /3 children, the grant allows 2/,
    ],
    [
      'when it chooses whom there is not',
      { reinvestigate: { leaves: [leaf('again')], choose: () => ['nobody'] } },
      {},
      /no leaf "nobody"/,
    ],
    [
      'when who chooses throws',
      {
        reinvestigate: {
          leaves: [leaf('again')],
          choose: () => {
            throw new Error('x');
          },
        },
      },
      {},
      /gave no list/,
    ],
    [
      'when who chooses never answers',
      { reinvestigate: { leaves: [leaf('again')], choose: never } },
      {},
      /gave no list/,
    ],
    [
      'when the decider wants another shape',
      {
        reinvestigate: {},
        decide: ({ round }) =>
          round === 1 ? { shape: 'fan-out', children: ['pro'], reasons: [] } : { shape: 'execute', reasons: [] },
      },
      {},
      /cannot execute/,
    ],
  ])('is refused, on record, %s', async (_, over, limits, why) => {
    const { stages, reasons, brief } = await ranWith(scenario(over, limits));
    expect(stages).toHaveLength(1);
    expect(reasons.join()).toMatch(why);
    expect(reasons.join()).toMatch(/round 2 refused: /);
    expect(brief.status).toBe('complete');
  });

  it('not when the stages took all the time', async () => {
    const late = leaf('late', { run: never });
    const { stages, reasons, brief } = await ranWith(
      scenario({ domains: [leaf('pro'), con('con'), late], reinvestigate: { leaves: [leaf('again')] } }),
    );
    expect(stages).toHaveLength(1);
    expect(reasons.join()).toMatch(/round 2 refused/);
    expect(brief.status).toBe('partial');
  });

  it('is resumed in the middle of a further round, and who chose is not asked again', async () => {
    let chosen = 0;
    const slow = (path: string): number => (path === 'root/again' ? 100 : 10);
    const given = (): Scenario =>
      scenario({ reinvestigate: { leaves: [leaf('again')], choose: () => (chosen++, ['again']) } });
    const whole = await slowWorld(given(), slow).run();
    const interrupted = await interruptedAt(60, given(), slow);
    expect([...interrupted.ended]).toEqual(['root/pro', 'root/con']);
    const { second, outcome } = await resumed(interrupted, given(), slow);
    expect(chosen).toBe(2);
    expect(askedFor('attempt', second)).toEqual(['root/again']);
    expect(outcome.brief.digest).toBe(whole.brief.digest);
  });
});

describe('a decider that always wants more', () => {
  const asked: DeciderContext[] = [];
  const greedy: Decider = (context) => {
    asked.push(context);
    return { shape: 'fan-out', children: context.children.slice(0, 1).map(({ name }) => name), reasons: ['more'] };
  };
  const many = Array.from({ length: 30 }, (_, i) => leaf(`l${i}`, { estimate: 100 }));

  it.each([1, 2, 3])('has %i further rounds, and then a refusal', async (rounds) => {
    asked.length = 0;
    const { stages, reasons, decision } = await ranWith(
      scenario({ domains: many, decide: greedy, reinvestigate: { rounds } }),
    );
    expect(stages).toEqual(Array.from({ length: rounds + 1 }, (_, i) => [`l${i}`]));
    expect(asked.map(({ round }) => round)).toEqual(Array.from({ length: rounds + 1 }, (_, i) => i + 1));
    expect(asked[1]?.found).toMatchObject({ dissent: 0, ended: [{ name: 'l0' }] });
    expect(reasons.at(-1)).toBe(`round ${rounds + 2} refused: all rounds are spent`);
    expect(decision).not.toHaveProperty('mayGrow');
  });

  it('in every domain at once ends on time', async () => {
    const storm = (name: string): DomainSpec => ({
      name,
      charter: `of ${name}`,
      children: Array.from({ length: 9 }, (_, i) =>
        leaf(`l${i}`, { run: i === 3 ? never : ({ task }) => draft(task.path) }),
      ),
      decide: greedy,
      reinvestigate: { rounds: 3 },
    });
    const domains = ['a', 'b', 'c'].map((name) => defineDomain(storm(name)));
    const { w, brief } = await ranWith(scenario({ domains, decide: greedy, reinvestigate: { rounds: 3 } }));
    expect(brief.run?.observedDepth).toBe(2);
    expect(started(w).length).toBeLessThanOrEqual(1 + 3 + 3 * 4);
    expect(new Set(started(w)).size).toBe(started(w).length);
    expect(JSON.stringify(brief.decision?.reasons)).toContain('refused');
  });
});

const monthsFrom = (year: number) =>
  Array.from({ length: 60 }, (_, i) => [new Date(Date.UTC(year, i, 1)).toISOString().slice(0, 10), i] as const);
const sources = inMemorySources([
  { id: 'old', values: monthsFrom(2000) },
  { id: 'new', values: monthsFrom(2015) },
]);
const domain = (name: string, charter: string, over: Partial<DomainSpec> = {}, sourceIds: string[] = ['old']) =>
  defineDomain({ name, charter, children: [leaf('look', { sources: sourceIds })], ...over });

describe('a lazy tier', () => {
  const chips = domain('chips', 'Shares of chip makers');
  const ships = domain('ships', 'Freight rates at sea', { aliases: ['freight'] }, ['new']);
  const lazy = (over: Partial<ScenarioSpec> = {}): Scenario =>
    scenario({ domains: [chips, ships], relevance: 'assess', asOf: '2008-06-01', sources, ...over });

  it('skips a domain below the threshold, with its score', async () => {
    const { w, stages, decision, brief } = await ranWith(lazy());
    expect(stages).toEqual([['chips']]);
    expect(decision?.skipped).toEqual([{ name: 'ships', score: 0, why: 'relevance below 0.25' }]);
    expect(started(w)).not.toContain('root/ships');
    expect(brief.gaps).toMatchObject([{ kind: 'skipped', path: 'root/ships' }]);
    expect(brief.status).toBe('complete');
    expect(plan(lazy()).warnings.join()).toMatch(/assesses relevance when it runs/);
  });

  it('takes an assessor, a threshold, and does not skip whom it could not assess', async () => {
    const assess = ({ child }: { child: { name: string } }): number => {
      if (child.name === 'ships') throw new Error('no idea');
      return 0.8;
    };
    const { stages, decision, reasons } = await ranWith(lazy({ relevance: { assess, threshold: 0.9 } }));
    expect(stages).toEqual([['ships']]);
    expect(decision?.skipped).toEqual([{ name: 'chips', score: 0.8, why: 'relevance below 0.9' }]);
    expect(reasons).toEqual(['the relevance of "ships" is not known (no idea): not skipped']);
  });

  it('does not wait for sources beyond its share of time', async () => {
    const hanging = { load: never };
    const { stages, brief } = await ranWith(lazy({ sources: hanging }));
    expect(stages).toEqual([['chips', 'ships']]);
    expect(brief.status).toBe('complete');
  });

  const alarm = (statement: string, data?: object): Leaf =>
    leaf('alarm', {
      run: ({ task }) => draft(task.path, { ...CRITICAL, statement, ...(data && { data: data as never }) }),
    });
  it.each([
    ['by name', 'Trouble with SHIPS ahead', undefined],
    ['by alias', 'The cost of freight doubles', undefined],
    ['in its data', 'Look there', { see: 'ships' }],
  ])('activates a skipped domain when a critical finding names it %s', async (_, statement, data) => {
    const louder = domain('chips', 'Shares of chip makers', { children: [alarm(statement, data)] });
    const { stages, reasons, decision, brief } = await ranWith(lazy({ domains: [louder, ships] }));
    expect(stages).toEqual([['chips'], ['ships']]);
    expect(reasons).toEqual(['round 2: "ships" was skipped, and the critical finding root/chips/alarm#said names it']);
    expect(decision?.skipped).toEqual([]);
    expect(brief.gaps).toEqual([]);
    expect(brief.escalations).toHaveLength(1);
  });

  it('does not when the finding is not critical, or only looks like naming it', async () => {
    const quiet = domain('chips', 'Shares of chip makers', {
      children: [leaf('l', { run: ({ task }) => draft(task.path, { statement: 'See ships' }) })],
    });
    const like = domain('chips', 'Shares of chip makers', { children: [alarm('Friendships end')] });
    for (const first of [quiet, like]) {
      const { stages, reasons } = await ranWith(lazy({ domains: [first, ships] }));
      expect(stages).toEqual([['chips']]);
      expect(reasons).toEqual([]);
    }
  });
});
