import { describe, expect, test } from 'vitest';
import { check, type CheckOptions } from '../../src/check/check.ts';
import type { RuleId } from '../../src/check/remark.ts';
import { RULES } from '../../src/check/rules/index.ts';
import type { LeafContext, LeafRun, Scenario } from '../../src/define/spec.ts';
import { agent, asking, domain, keepAll, leaf, many, models, scenario } from './planted.ts';

type Planted = {
  rule: RuleId;
  what: string;
  fault: Scenario;
  path: string;
  says: string;
  nearMiss: Scenario;
  options?: CheckOptions;
};
const waiting = (run: LeafRun): Scenario => scenario([leaf('first'), leaf('then', { needs: ['first'], run })]);
const told = (report: unknown) => ({ statement: String(report) });
const passedOn = (context: LeafContext) => told(context.prior('first'));
const reads = (id: string) => ({ sources: [id], run: ({ sources }: LeafContext) => said(sources.series(id)) });
const said = async (read: Promise<unknown>) => ({ statement: String(await read) });
const nested = (over: object = {}) => scenario([domain('d', [leaf('a'), leaf('b')]), leaf('c')], over);
const timed = (a: string, b: string, over: object = {}) =>
  scenario([domain('d', [leaf('a', { estimate: a }), leaf('b', { estimate: b })], over), leaf('c')]);
const spending = (d: number, e: number) =>
  scenario([domain('d', many(2), { budget: { usd: d } }), domain('e', many(2), { budget: { usd: e } })], {
    limits: { budget: { usd: 1 } },
  });
const quorum = (ids: readonly string[], suffice = 2, over: object = {}) =>
  scenario([
    domain(
      'd',
      ids.map((id, i) => leaf(`l${i}`, reads(id))),
      { join: { quorum: suffice }, ...over },
    ),
    leaf('c'),
  ]);

const PLANTED: Planted[] = [
  {
    rule: 'strongest-model',
    what: 'the strongest model for mechanical work',
    fault: asking('rules'),
    path: 'root/a',
    says: "the policy has scripted-deep for it, the strongest model. Let the policy have a weaker class: work: { rules: 'fast' }.",
    nearMiss: asking('structured'),
    options: { models, policy: 'deep' },
  },
  {
    rule: 'needless-sequence',
    what: 'a leaf that waits and takes nothing',
    fault: waiting(() => ({ statement: 'on my own' })),
    path: 'root/then',
    says: 'Waits for "first", whose report it never reads, as far as its text shows. Remove it from needs, or read prior("first").',
    nearMiss: waiting(({ prior }) => told(prior('first'))),
  },
  {
    rule: 'needless-sequence',
    what: 'a context that is handed on may be read',
    fault: waiting((context) => ({ statement: context.task.question })),
    path: 'root/then',
    says: 'as far as its text shows',
    nearMiss: waiting((context) => passedOn(context)),
  },
  {
    rule: 'needless-sequence',
    what: 'a domain without code of its own',
    fault: scenario([leaf('first'), domain('then', [leaf('a'), leaf('b')], { needs: ['first'] })]),
    path: 'root/then',
    says: 'Waits for "first"',
    nearMiss: scenario([
      leaf('first'),
      domain('then', [leaf('a'), leaf('b')], {
        needs: ['first'],
        synthesize: ({ task }) => ({ narrative: String(task.prior.length), dispositions: [] }),
      }),
    ]),
  },
  {
    rule: 'needless-sequence',
    what: 'a verify may be what reads',
    fault: scenario([
      leaf('first'),
      leaf('then', { needs: ['first'], verify: (_, { task }) => ({ ok: task.path !== '' }) as never }),
    ]),
    path: 'root/then',
    says: 'Waits for "first"',
    nearMiss: scenario([
      leaf('first'),
      leaf('then', { needs: ['first'], verify: (_, { task }) => ({ ok: task.prior.length > 0 }) as never }),
    ]),
  },
  {
    rule: 'hidden-dependency',
    what: 'a sibling that is not needed',
    fault: scenario([leaf('first'), leaf('then', { run: ({ prior }) => told(prior('first')) })]),
    path: 'root/then',
    says: 'Reads the report of "first", as far as its text shows, without needing it: there is never one. Add "first" to its needs.',
    nearMiss: waiting(({ prior }) => told(prior('first'))),
  },
  {
    rule: 'hidden-dependency',
    what: 'a cousin, through the tier above',
    fault: scenario([
      domain('x', [leaf('first'), leaf('other')]),
      domain('y', [leaf('then', { run: (context) => told(context.prior('first')) }), leaf('last')]),
    ]),
    path: 'root/y/then',
    says: 'which is no sibling of it',
    nearMiss: scenario([
      domain('y', [
        leaf('then', { run: (context) => ({ statement: `prior("first") ${context.attempt}` }) }),
        leaf('z'),
      ]),
    ]),
  },
  {
    rule: 'undeclared-source',
    what: 'a source that is not among its own',
    fault: scenario([leaf('a', { sources: ['jobs/a'], run: ({ sources }) => said(sources.series('jobs/b')) })]),
    path: 'root/a',
    says: 'Reads "jobs/b", as far as its text shows, without declaring it: the read is refused. Add "jobs/b" to its sources.',
    nearMiss: scenario([leaf('a', { sources: ['jobs/a'], run: ({ sources }) => said(sources.series('jobs/a')) })]),
  },
  {
    rule: 'undeclared-source',
    what: 'an execute that reads what no child declares',
    fault: scenario([
      domain('d', [leaf('a', reads('jobs/a')), leaf('b')], {
        execute: (context) => said(context.sources.series('jobs/b')),
      }),
    ]),
    path: 'root/d',
    says: 'the sources of a child',
    nearMiss: scenario([
      domain('d', [leaf('a', reads('jobs/a')), leaf('b')], {
        execute: (context) => said(context.sources.series('jobs/a')),
      }),
    ]),
  },
  {
    rule: 'unread-source',
    what: 'a leaf that has sources and takes none',
    fault: scenario([leaf('a', { sources: ['jobs/a'], run: ({ gap }) => gap('stale', 'not looked at') })]),
    path: 'root/a',
    says: 'Declares "jobs/a", which it never reads, as far as its text shows.',
    nearMiss: scenario([leaf('a', reads('jobs/a'))]),
  },
  {
    rule: 'names-another-agent',
    what: 'by its name',
    fault: scenario([agent('jobs-analyst', 'Wait for rates-analyst.'), agent('rates-analyst', 'Rates.')]),
    path: 'root/jobs-analyst',
    says: 'Its definition names "rates-analyst".',
    nearMiss: scenario([
      agent('jobs-analyst', 'Wait for rates-analysts.'),
      agent('rates-analyst', 'I am rates-analyst.'),
    ]),
  },
  {
    rule: 'names-another-agent',
    what: 'by a word in quotes',
    fault: scenario([agent('jobs', 'Ask the agent `rates`.'), agent('rates', 'Rates.')]),
    path: 'root/jobs',
    says: 'Its definition names "rates".',
    nearMiss: scenario([agent('jobs', 'Mind the rates.'), agent('rates', 'Jobs and rates.')]),
  },
  {
    rule: 'missing-verification',
    what: 'authoring',
    fault: scenario([leaf('a', { work: 'authoring' }), leaf('b', { work: 'rules' })]),
    path: 'root/a',
    says: 'Its work is authoring, and nothing says when that is done well. Give it a verify.',
    nearMiss: scenario([leaf('a', { work: 'authoring', verify: () => ({ ok: true }) }), leaf('b', { work: 'rules' })]),
  },
  {
    rule: 'missing-verification',
    what: 'structured',
    fault: scenario([leaf('a', { work: 'structured' })]),
    path: 'root/a',
    says: 'nothing checks the structure',
    nearMiss: scenario([leaf('a', { work: 'structured', data: { safeParse: () => ({ success: true }) } as never })]),
  },
  {
    rule: 'deeper-than-limit',
    what: 'a domain at the limit',
    fault: nested({ limits: { maxDepth: 1 } }),
    path: 'root/d',
    says: 'Stands at maxDepth 1, so "a" and "b" never run: they are gaps, since it has no execute. Raise maxDepth.',
    nearMiss: nested({ limits: { maxDepth: 2 } }),
  },
  {
    rule: 'deeper-than-limit',
    what: 'a limit that is given for the run',
    fault: nested(),
    path: 'root',
    says: 'maxDepth 0',
    nearMiss: scenario([leaf('a')], { limits: { maxDepth: 1 } }),
    options: { maxDepth: 0 },
  },
  {
    rule: 'deadline-too-short',
    what: 'stages that add up',
    fault: scenario([leaf('a', { estimate: '40s' }), leaf('b', { needs: ['a'], estimate: '30s', run: passedOn })], {
      limits: { deadline: '1m' },
    }),
    path: 'root',
    says: 'Takes 70.2 s by its estimates, with 10 at once and most of the way at root/a, and is due in 60 s.',
    nearMiss: scenario([leaf('a', { estimate: '40s' }), leaf('b', { estimate: '30s' })], {
      limits: { deadline: '1m' },
    }),
  },
  {
    rule: 'deadline-too-short',
    what: 'more work than the slots can do',
    fault: scenario(
      many(4, () => ({ estimate: '20s' })),
      { limits: { deadline: '1m', concurrency: 1 } },
    ),
    path: 'root',
    says: 'Takes 80 s by its estimates, with 1 at once',
    nearMiss: scenario(
      many(4, () => ({ estimate: '20s' })),
      { limits: { deadline: '1m', concurrency: 2 } },
    ),
  },
  {
    rule: 'overcommitted-budget',
    what: 'domains that may spend more together than the run',
    fault: spending(0.6, 0.5),
    path: 'root',
    says: 'Its children "d" and "e" may spend $1.1 together, and it may spend $1. Lower their budgets, or raise its own.',
    nearMiss: spending(0.6, 0.4),
  },
  {
    rule: 'flat-heap',
    what: 'leaves of two families under one root',
    fault: scenario(many(51, (i) => reads(`${i % 2 ? 'jobs' : 'prices'}/${i}`))),
    path: 'root',
    says: '51 leaves stand under one root, and read "prices" and "jobs".',
    nearMiss: scenario(many(51, (i) => reads(`jobs/${i}`))),
  },
  {
    rule: 'tier-too-wide',
    what: '51 children',
    fault: scenario([domain('d', many(51)), leaf('c')]),
    path: 'root/d',
    says: 'Has 51 children, and one synthesis for all.',
    nearMiss: scenario([domain('d', many(50)), leaf('c')]),
  },
  {
    rule: 'tier-too-wide',
    what: 'what is a heap is not told twice',
    fault: scenario(many(51)),
    path: 'root',
    says: 'Has 51 children',
    nearMiss: scenario(many(51, (i) => reads(`${i % 2 ? 'jobs' : 'prices'}/${i}`))),
  },
  {
    rule: 'single-child-tier',
    what: 'a domain over one leaf',
    fault: scenario([domain('d', [leaf('a')]), leaf('c')]),
    path: 'root/d',
    says: 'Has one child, "a": there is nothing to bring together. Put the child in its place.',
    nearMiss: scenario([leaf('a')]),
  },
  {
    rule: 'tier-not-worth-it',
    what: 'two quick leaves under a long synthesis',
    fault: timed('10s', '15s', { synthesize: keepAll }),
    path: 'root/d',
    says: 'Saves 10 s by its estimates, and its synthesis is granted 20 s.',
    nearMiss: timed('20s', '25s', { synthesize: keepAll }),
  },
  {
    rule: 'tier-not-worth-it',
    what: 'only what is estimated is judged',
    fault: timed('50ms', '60ms'),
    path: 'root/d',
    says: 'Saves 50 ms',
    nearMiss: scenario([domain('d', [leaf('a', { estimate: '50ms' }), leaf('b')]), leaf('c')]),
  },
  {
    rule: 'early-synthesis',
    what: 'the only reader of a family',
    fault: quorum(['jobs/a', 'jobs/b', 'prices/a']),
    path: 'root/d',
    says: 'May synthesize without "l2", since 2 suffice, though none of the others stands in for it.',
    nearMiss: quorum(['jobs/a', 'jobs/b', 'jobs/c']),
  },
  {
    rule: 'early-synthesis',
    what: 'where each reads another family, the quorum is a choice',
    fault: quorum(['jobs/a', 'jobs/b', 'prices/a'], 1),
    path: 'root/d',
    says: 'since 1 suffices',
    nearMiss: quorum(['jobs/a', 'rates/a', 'prices/a'], 1),
  },
  {
    rule: 'early-synthesis',
    what: 'a child that the synthesis names',
    fault: quorum(['jobs/a', 'jobs/b', 'jobs/c'], 2, {
      synthesize: ({ children }: { children: { name: string }[] }) => ({
        narrative: children.find(({ name }) => name === 'l1')?.name ?? '',
        dispositions: [],
      }),
    }),
    path: 'root/d',
    says: 'without "l1"',
    nearMiss: quorum(['jobs/a', 'jobs/b', 'jobs/c'], 2, { synthesize: keepAll }),
  },
];

describe.each(PLANTED)('$rule: $what', ({ rule, fault, path, says, nearMiss, options }) => {
  test('is remarked once, where it is', () => {
    const found = check(fault, options).filter((remark) => remark.rule === rule);
    expect(found.map((remark) => remark.path)).toEqual([path]);
    expect(found[0]?.message).toContain(says);
    expect(found[0]?.message).not.toContain('\n');
  });

  test('and not where there is none', () => {
    expect(check(nearMiss).filter((remark) => remark.rule === rule)).toEqual([]);
  });
});

test('every rule has a fault planted', () => {
  expect(RULES.map(({ id }) => id).filter((id) => !PLANTED.some(({ rule }) => rule === id))).toEqual([]);
});

test('no join closes over a child that a later stage needs', () => {
  const children = ['jobs/a', 'jobs/b', 'prices/a'].map((id, i) => leaf(`l${i}`, reads(id)));
  const last = leaf('last', { needs: ['l2'], run: ({ prior }) => told(prior('l2')) });
  expect(check(scenario([...children, last], { join: { quorum: 2 } }))).toEqual([]);
});

test('the gravest come first, then who comes first in the tree', () => {
  const found = check(
    scenario(
      [
        domain('d', [domain('e', [leaf('a', { work: 'authoring' })])]),
        leaf('b', { work: 'authoring' }),
        leaf('c', { run: ({ prior }) => told(prior('b')) }),
        leaf('f', { needs: ['b'] }),
      ],
      { limits: { maxDepth: 3 } },
    ),
  );
  expect(found.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
    'error root/c',
    'warning root/d/e/a',
    'warning root/b',
    'warning root/f',
    'note root/d',
    'note root/d/e',
  ]);
});

test('domains that are not chosen are not checked', () => {
  const two = scenario([domain('d', [leaf('a', { work: 'authoring' }), leaf('b')]), domain('e', many(2))]);
  expect(check(two, { domains: ['e'] }).map(({ path }) => path)).toEqual([]);
  expect(check(two, { domains: ['d'] }).map(({ path }) => path)).toEqual(['root/d/a']);
});

test('what is no scenario is misuse', () => {
  expect(() => check({} as never)).toThrow(/The scenario to run is an object/);
  expect(() => check(nested(), { domains: ['x'] })).toThrow(/There is no domain "x"/);
});
