/** What a rehearsal observed is believed over what a text shows. */
import { describe, expect, test } from 'vitest';
import { check } from '../../src/check/check.ts';
import type { LeafContext, LeafRun, Scenario } from '../../src/define/spec.ts';
import { domain, keepAll, leaf, many, scenario } from './planted.ts';

const waiting = (run: LeafRun): Scenario => scenario([leaf('first'), leaf('then', { needs: ['first'], run })]);
const told = (report: unknown) => ({ statement: String(report) });
const passedOn = (context: LeafContext) => told(context.prior('first'));

describe('what a rehearsal observed', () => {
  const observed = (path: string, prior: string[], sources: string[], isWhole = true) =>
    new Map([[path, { prior: new Set(prior), sources: new Set(sources), isWhole }]]);
  const pair = scenario([
    leaf('a'),
    leaf('b'),
    leaf('c', { needs: ['a', 'b'], sources: ['jobs/a', 'jobs/b'], run: (context) => passedOn(context) }),
  ]);

  test('tells which of several needs and sources are read', () => {
    const remarks = check(pair, { observed: observed('root/c', ['a', 'x'], ['jobs/a', 'jobs/c']) });
    expect(remarks.map(({ rule, message }) => [rule, message])).toEqual([
      ['hidden-dependency', expect.stringContaining('Reads the report of "x", as the rehearsal observed, which is no')],
      ['undeclared-source', expect.stringContaining('Reads "jobs/c", as the rehearsal observed, without declaring it')],
      ['needless-sequence', expect.stringContaining('Waits for "b", whose report it never reads, as the rehearsal')],
      ['unread-source', expect.stringContaining('Declares "jobs/b", which it never reads, as the rehearsal observed')],
    ]);
  });

  test('says nothing of what a node that did not come to its end would have read', () => {
    expect(check(pair, { observed: observed('root/c', [], [], false) })).toEqual([]);
    expect(check(pair)).toEqual([]);
  });

  test('is believed over a text that mentions prior and reads it elsewhere', () => {
    const mentions = waiting(({ prior, attempt }) => told(attempt > 1 ? prior('first') : 'once'));
    expect(check(mentions)).toEqual([]);
    expect(check(mentions, { observed: observed('root/then', [], []) })).toHaveLength(1);
  });

  test('of a domain with two functions only one is seen at work: their texts decide', () => {
    const two = scenario([
      leaf('first'),
      domain('then', many(2), {
        needs: ['first'],
        synthesize: keepAll,
        execute: ({ prior }) => told(prior('first')),
      }),
    ]);
    expect(check(two, { observed: observed('root/then', [], []) })).toEqual([]);
  });
});
