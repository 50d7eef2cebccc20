import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { inMemorySources } from '../../src/adapters/sources/in-memory.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { EspalierError } from '../../src/errors.ts';

const run = () => [];
const jobs = defineLeaf({ name: 'jobs', run });
const macro = defineDomain({ name: 'macro', charter: '', children: [jobs] });
/** What JavaScript may hold. */
const leafOf = (over: object) => () => defineLeaf({ name: 'jobs', run, ...over });
const domainOf = (over: object) => () => defineDomain({ name: 'macro', charter: '', children: [jobs], ...over });
const scenarioOf = (over: object) => () =>
  defineScenario({ name: 'tech', thesis: 'Hold it', domains: [macro], ...over });

const [LEAF, DOMAIN, SCENARIO] = ['Leaf "jobs" has', 'Domain "macro" has', 'Scenario "tech" has'];
const TEXT = 'Give a text.';
const NAMES = 'Give a list of names: ["a", "b"].';
const METHOD = 'Give a function.';

test.each<[() => unknown, string]>([
  [
    () => defineLeaf(undefined as never),
    'defineLeaf was given undefined. Give an object: defineLeaf({ name: "…", … }).',
  ],
  [
    () => defineLeaf('jobs' as never),
    'defineLeaf was given the text "jobs". Give an object: defineLeaf({ name: "…", … }).',
  ],
  [() => defineDomain(null as never), 'defineDomain was given null. Give an object: defineDomain({ name: "…", … }).'],
  [
    () => defineScenario([] as never),
    'defineScenario was given a list. Give an object: defineScenario({ name: "…", … }).',
  ],
  [leafOf({ question: 3 }), `${LEAF} question: 3. ${TEXT}`],
  [leafOf({ description: {} }), `${LEAF} description: an object. ${TEXT}`],
  [leafOf({ needs: 'x' }), `${LEAF} needs: the text "x". ${NAMES}`],
  [leafOf({ needs: [7] }), `${LEAF} needs: a list. ${NAMES}`],
  [leafOf({ sources: 'x' }), `${LEAF} sources: the text "x". ${NAMES}`],
  [leafOf({ sources: inMemorySources([]) }), `${LEAF} sources: an object. ${NAMES}`],
  [leafOf({ data: { people: 7 } }), `${LEAF} data: an object. Give a zod schema, such as z.object({ … }).`],
  [leafOf({ verify: true }), `${LEAF} verify: true. ${METHOD}`],
  [leafOf({ recover: 'again' }), `${LEAF} recover: the text "again". ${METHOD}`],
  [leafOf({ attempts: '2' }), `${LEAF} attempts: the text "2". Give a whole number of at least 1.`],
  [domainOf({ charter: undefined }), 'Domain "macro" has no charter. Say in a sentence what it is to look into.'],
  [domainOf({ charter: 7 }), `${DOMAIN} charter: 7. ${TEXT}`],
  [domainOf({ question: 3 }), `${DOMAIN} question: 3. ${TEXT}`],
  [domainOf({ needs: 'x' }), `${DOMAIN} needs: the text "x". ${NAMES}`],
  [domainOf({ join: 2 }), `${DOMAIN} join: 2. Give an object.`],
  [domainOf({ join: { quorum: '1' } }), `${DOMAIN} quorum the text "1". Give a whole number of at least 1.`],
  [domainOf({ synthesize: {} }), `${DOMAIN} synthesize: an object. ${METHOD}`],
  [domainOf({ execute: 'now' }), `${DOMAIN} execute: the text "now". ${METHOD}`],
  [
    scenarioOf({ sources: 'x' }),
    `${SCENARIO} sources: the text "x". Give a source adapter, such as inMemorySources([ … ]).`,
  ],
  [
    scenarioOf({ sources: ['x'] }),
    `${SCENARIO} sources: a list. Give a source adapter, such as inMemorySources([ … ]).`,
  ],
  [scenarioOf({ synthesize: 1 }), `${SCENARIO} synthesize: 1. ${METHOD}`],
  [scenarioOf({ execute: [] }), `${SCENARIO} execute: a list. ${METHOD}`],
  [scenarioOf({ limits: 3 }), `${SCENARIO} limits: 3. Give an object.`],
])('a field of the wrong type is named, with its value and what to give: %#', (define, message) => {
  expect(define).toThrow(new EspalierError('invalid-definition', message));
});

test('a limit of the wrong type says so', () => {
  const message = 'The limit maxDepth is the text "2". Give a whole number of at least 0.';
  expect(scenarioOf({ limits: { maxDepth: '2' } })).toThrow(new EspalierError('invalid-input', message));
});

test('a long text is cut', () => {
  expect(leafOf({ needs: 'x'.repeat(1_000) })).toThrow(`the text "${'x'.repeat(60)}…". ${NAMES}`);
});

test('all fields may be there, and any may be undefined', () => {
  const node = { description: 'd', question: 'q', needs: [], estimate: '2s' };
  const full = { ...node, sources: ['a'], data: z.object({}), verify: () => ({ ok: true }), recover: () => 'so' };
  expect(leafOf(full)()).toMatchObject(node);
  expect(leafOf(Object.fromEntries(Object.keys(full).map((key) => [key, undefined])))()).toMatchObject({
    kind: 'leaf',
  });
  const orchestrator = { join: { quorum: 1 }, synthesize: run, execute: run };
  expect(domainOf({ ...node, ...orchestrator })()).toMatchObject(orchestrator);
  expect(scenarioOf({ ...orchestrator, sources: inMemorySources([]), limits: {} })()).toMatchObject(orchestrator);
});

describe('a quorum among stages', () => {
  const needing = (name: string, ...needs: string[]) => defineLeaf({ name, run, needs });
  const [a, b, c] = [needing('a'), needing('b'), needing('c')];
  const quorumOf = (quorum: number, ...children: (typeof jobs)[]) => domainOf({ join: { quorum }, children });

  it('is within reach of the widest', () => {
    const wide = [needing('x', 'a'), needing('y', 'a'), needing('z', 'a')];
    expect(quorumOf(3, a, ...wide)).not.toThrow();
    expect(quorumOf(4, a, ...wide)).toThrow(
      new EspalierError(
        'invalid-definition',
        'Domain "macro" needs quorum 4 in each stage, but its widest of 2 stages has 3 children. Lower join.quorum to 3 or less.',
      ),
    );
    expect(quorumOf(2, a, needing('x', 'a'))).toThrow(/has 1 child\. Lower join\.quorum to 1 or less/);
  });

  it('may be below the width of a stage that a later one needs: no join closes over whom somebody needs', () => {
    expect(quorumOf(2, a, b, c, needing('x', 'a'), needing('y', 'x'))).not.toThrow();
  });

  it('holds for a scenario as well', () => {
    const define = scenarioOf({ domains: [a, b, needing('x', 'b')], join: { quorum: 3 } });
    expect(define).toThrow(/^Scenario "tech" needs quorum 3 in each stage, but its widest of 2 stages has 2/);
  });
});

it.each([
  ['2008/02/01', 'the text "2008/02/01"'],
  ['2008-02-30', 'the text "2008-02-30"'],
  [new Date(0), 'an object'],
])('a series in memory with the date %s is refused in one line, where it is written', (date, shown) => {
  const values = [
    ['2008-01-01', 1],
    [date, 2],
    [date, 3],
  ] as [string, number][];
  expect(() => inMemorySources([{ id: 'jobs', values }])).toThrow(
    new EspalierError(
      'invalid-data',
      `Value 2 of the series "jobs" in memory is dated ${shown}, which is no calendar date. Write it as YYYY-MM-DD, such as 2008-06-01.`,
    ),
  );
});
