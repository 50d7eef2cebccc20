import { describe, expect, it, test } from 'vitest';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { EspalierError } from '../../src/errors.ts';

const run = () => [];
const jobs = defineLeaf({ name: 'jobs', run });
const rates = defineLeaf({ name: 'rates', run });
const macro = defineDomain({ name: 'macro', charter: 'Growth', children: [jobs, rates] });
/** What a scenario file that nobody has type-checked may hold. */
const leafOf = (over: object) => () => defineLeaf({ name: 'jobs', run, ...over });
const domainOf = (over: object) => () =>
  defineDomain({ name: 'macro', charter: 'Growth', children: [jobs, rates], ...over });
const scenarioOf = (over: object) => () =>
  defineScenario({ name: 'tech', thesis: 'Hold it', domains: [macro], ...over });
const needing = (name: string, ...needs: string[]) => defineLeaf({ name, run, needs });

const NAME = 'Use 1 to 128 letters, digits, "_", ".", "-" or spaces, starting with a letter, digit or "_".';
const DURATION = 'is not a positive duration of at most 24 days. Write one such as "90s", "8m" or "1h30m".';
const EMPTY = 'has no children. Add a leaf, or make it a leaf itself.';
const STRANGER = 'has a child that is neither a leaf nor a domain. Make it with defineLeaf or defineDomain.';

describe('a definition that cannot work says what is wrong, where, and what to do', () => {
  test.each<[() => unknown, string]>([
    // names
    [leafOf({ name: 'a/b' }), `Leaf name "a/b" cannot be part of a path. ${NAME}`],
    [leafOf({ name: '' }), `Leaf name "" cannot be part of a path. ${NAME}`],
    [leafOf({ name: undefined }), `Leaf name undefined cannot be part of a path. ${NAME}`],
    [leafOf({ name: 7 }), `Leaf name 7 cannot be part of a path. ${NAME}`],
    [leafOf({ name: 'a\u202Eb' }), `Leaf name "a\u202Eb" cannot be part of a path. ${NAME}`],
    [domainOf({ name: '..' }), `Domain name ".." cannot be part of a path. ${NAME}`],
    [scenarioOf({ name: 'a\nb' }), `Scenario name "a\\nb" cannot be part of a path. ${NAME}`],
    // leaves
    [leafOf({ run: undefined }), 'Leaf "jobs" has no run function. Add run: (context) => …'],
    [leafOf({ run: 'later' }), 'Leaf "jobs" has no run function. Add run: (context) => …'],
    [leafOf({ weight: 0 }), 'Leaf "jobs" has weight: 0. Give a number above 0.'],
    [leafOf({ attempts: 0 }), 'Leaf "jobs" has attempts: 0. Give a whole number of at least 1.'],
    [leafOf({ attempts: 1.5 }), 'Leaf "jobs" has attempts: 1.5. Give a whole number of at least 1.'],
    [leafOf({ pools: 'build' }), 'Leaf "jobs" has pools: the text "build". Give a list of names: ["a", "b"].'],
    [
      leafOf({ pools: ['source:x'] }),
      'Leaf "jobs" is in the pool "source:x". Only loads of sources are in such a pool. Leave it out.',
    ],
    [
      leafOf({ pools: ['total'] }),
      'Leaf "jobs" is in the pool "total". Use the name of one in limits.pools, or leave it out: every leaf is in the total.',
    ],
    [
      scenarioOf({ domains: [defineLeaf({ name: 'jobs', run, pools: ['biuld'] })], limits: { pools: { deep: 1 } } }),
      'Leaf "jobs" is in the pool "biuld", which has no limit (there are build, deep). Add it to limits.pools.',
    ],
    // children
    [domainOf({ children: [] }), `Domain "macro" ${EMPTY}`],
    [domainOf({ children: undefined }), `Domain "macro" ${EMPTY}`],
    [scenarioOf({ domains: [] }), `Scenario "tech" ${EMPTY}`],
    [scenarioOf({ domains: undefined }), `Scenario "tech" ${EMPTY}`],
    [domainOf({ children: [{ name: 'jobs', run }] }), `Domain "macro" ${STRANGER}`],
    [domainOf({ children: [undefined] }), `Domain "macro" ${STRANGER}`],
    [scenarioOf({ domains: [scenarioOf({})()] }), `Scenario "tech" ${STRANGER}`],
    [domainOf({ children: [jobs, jobs] }), 'Domain "macro" has two children named "jobs". Rename one of them.'],
    // needs
    [
      domainOf({ children: [jobs, needing('sum', 'jobz')] }),
      'Domain "macro": "sum" needs "jobz", which is not one of its siblings (jobs, sum). Correct the name or add the child.',
    ],
    [
      scenarioOf({ domains: [macro, needing('sum', 'jobs')] }),
      'Scenario "tech": "sum" needs "jobs", which is not one of its siblings (macro, sum). Correct the name or add the child.',
    ],
    [domainOf({ children: [needing('a', 'a')] }), 'Domain "macro" has a cycle of needs: a → a. Remove one of them.'],
    [
      domainOf({ children: [needing('z', 'a'), needing('a', 'b'), needing('b', 'c'), needing('c', 'a')] }),
      'Domain "macro" has a cycle of needs: a → b → c → a. Remove one of them.',
    ],
    [
      domainOf({ children: [needing('a', 'x', 'b'), needing('b', 'a'), needing('x')] }),
      'Domain "macro" has a cycle of needs: a → b → a. Remove one of them.',
    ],
    // joins
    [
      domainOf({ join: { quorum: 3 } }),
      'Domain "macro" needs quorum 3 but has 2 children. Lower join.quorum or add a child.',
    ],
    [
      scenarioOf({ join: { quorum: 2 } }),
      'Scenario "tech" needs quorum 2 but has 1 child. Lower join.quorum or add a child.',
    ],
    [domainOf({ join: { quorum: 0 } }), 'Domain "macro" has quorum 0. Give a whole number of at least 1.'],
    [domainOf({ join: { quorum: 1.5 } }), 'Domain "macro" has quorum 1.5. Give a whole number of at least 1.'],
    // theses
    [scenarioOf({ thesis: undefined }), 'Scenario "tech" has no thesis. Say in a sentence what is to be examined.'],
    [scenarioOf({ thesis: '  ' }), 'Scenario "tech" has no thesis. Say in a sentence what is to be examined.'],
    [scenarioOf({ thesis: 7 }), 'Scenario "tech" has no thesis. Say in a sentence what is to be examined.'],
  ])('invalid-definition %#', (define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'invalid-definition', message }) as Error);
  });

  test.each<[() => unknown, string]>([
    ...['2008-06-31', '2007-02-29', '2008-6-1', '01.06.2008', 'today', ''].map((asOf): [() => unknown, string] => [
      scenarioOf({ asOf }),
      `The as-of date "${asOf}" is not a calendar date. Write it as YYYY-MM-DD.`,
    ]),
    [scenarioOf({ limits: { deadline: '-8m' } }), `The deadline "-8m" ${DURATION}`],
    [scenarioOf({ limits: { deadline: -1 } }), `The deadline "-1" ${DURATION}`],
    [scenarioOf({ limits: { deadline: 0 } }), `The deadline "0" ${DURATION}`],
    [leafOf({ estimate: 'soon' }), `The estimate of leaf "jobs" "soon" ${DURATION}`],
    [domainOf({ estimate: '25d' }), `The estimate of domain "macro" "25d" ${DURATION}`],
    [scenarioOf({ limits: { maxDepth: -1 } }), 'The limit maxDepth is -1. Give a whole number of at least 0.'],
    [scenarioOf({ limits: { maxDepth: 1.5 } }), 'The limit maxDepth is 1.5. Give a whole number of at least 0.'],
    [
      scenarioOf({ limits: { budget: { usd: -1 } } }),
      'The limit budget.usd is -1. Give a number from 0 to 1000000, in US dollars.',
    ],
    [
      scenarioOf({ limits: { budget: { leaves: 1.5 } } }),
      'The limit budget.leaves is 1.5. Give a whole number of at least 0.',
    ],
    [
      scenarioOf({ limits: { budget: { euros: 1 } as never } }),
      'The limit budget has "euros". Give any of usd, tokens and leaves.',
    ],
    [scenarioOf({ limits: { budget: 5 as never } }), 'The limit budget is 5. Give { usd, tokens, leaves }.'],
    [scenarioOf({ limits: { concurrency: 0 } }), 'The limit concurrency is 0. Give a whole number of at least 1.'],
    [
      scenarioOf({ limits: { concurrency: Number.POSITIVE_INFINITY } }),
      'The limit concurrency is Infinity. Give a whole number of at least 1.',
    ],
    [scenarioOf({ limits: { maxChildren: 0 } }), 'The limit maxChildren is 0. Give a whole number of at least 1.'],
  ])('invalid-input %#', (define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'invalid-input', message }) as Error);
  });
});

describe('a definition that works', () => {
  it('keeps what was written, and adds what was left out', () => {
    const spec = { name: 'tech', thesis: 'Hold it', domains: [macro], asOf: '2008-02-29' };
    expect(defineScenario(spec)).toEqual({
      ...spec,
      kind: 'scenario',
      limits: {
        maxDepth: 2,
        deadlineMs: 480_000,
        concurrency: 10,
        pools: { build: { most: 2, least: 1 } },
        maxChildren: 10_000,
        budget: {},
      },
      stages: [[macro]],
    });
    expect(macro).toMatchObject({ kind: 'domain', name: 'macro', stages: [[jobs, rates]] });
    expect(jobs).toMatchObject({ kind: 'leaf', name: 'jobs', run });
  });
  it('nests to any depth, mixes leaves and domains, and shares a child', () => {
    const nested = defineDomain({ name: 'outer', charter: 'All', children: [macro, jobs] });
    expect(defineScenario({ name: 'tech', thesis: 'Hold it', domains: [nested, macro, jobs] }).stages).toEqual([
      [nested, macro, jobs],
    ]);
  });
  it('may ask for a quorum of all', () => {
    expect(domainOf({ join: { quorum: 2 } })()).toMatchObject({ join: { quorum: 2 } });
  });
  test.each(['__proto__', 'constructor', 'toString'])('may name a child %s', (name) => {
    const odd = defineLeaf({ name, run });
    const after = defineLeaf({ name: 'after', run, needs: [name] });
    expect(defineDomain({ name: 'macro', charter: '', children: [after, odd] }).stages).toEqual([[odd], [after]]);
  });
});

describe('EspalierError', () => {
  it('is known by its marker, also that of another copy of the package', () => {
    const own = new EspalierError('invalid-input', 'no', { cause: 'x' });
    const other = Object.assign(new Error('no'), { [Symbol.for('espalier.error')]: true, code: 'invalid-input' });
    for (const error of [own, other]) expect(EspalierError.isInstance(error)).toBe(true);
    for (const error of [new Error('no'), undefined, null, 'no', {}])
      expect(EspalierError.isInstance(error)).toBe(false);
    expect(own).toMatchObject({ name: 'EspalierError', cause: 'x', message: 'no' });
    expect(Object.keys(own)).not.toContain('espalier.error');
  });
});
