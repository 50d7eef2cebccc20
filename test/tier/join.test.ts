import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { digestOf } from '../../src/protocol/digest.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import { Outcome } from '../../src/protocol/report.ts';
import { CANCELLED } from '../../src/tier/fault.ts';
import { cloneJoin, joinStep, openJoin, type JoinEffect, type JoinEvent } from '../../src/tier/join.ts';
import { criticalOf, findingOf, reportOf, tokenOf } from './samples.ts';

type Open = { names?: readonly string[]; quorum?: number; heard?: Record<string, readonly Finding[]> };
function open({ names = ['a', 'b', 'c'], quorum, heard = {} }: Open = {}) {
  const children = names.map((name) => ({ name, tier: 'leaf' as const }));
  const [join, effects] = openJoin({
    runId: 'run',
    path: 'root/d',
    children,
    startedAt: 100,
    quorum,
    heard: (name) => (Object.hasOwn(heard, name) ? (heard[name] ?? []) : []),
  });
  const joined = {
    join,
    effects: [...effects],
    step(event: JoinEvent) {
      joined.effects.push(...joinStep(join, event));
      return joined;
    },
    ends: (name: string, output: unknown = reportOf(`root/d/${name}`, [findingOf(`root/d/${name}`)]), at = 150) =>
      joined.step({ type: 'ended', name, output, at }),
    crashes: (name: string, error: unknown, at = 150) => joined.step({ type: 'crashed', name, error, at }),
    expires: (at = 900) => joined.step({ type: 'expired', at }),
    isCancelled: (at = 500) => joined.step({ type: 'cancelled', at }),
    ofType: <Type extends JoinEffect['type']>(type: Type) =>
      joined.effects.filter((effect): effect is Extract<JoinEffect, { type: Type }> => effect.type === type),
    get closed() {
      return joined.ofType('close')[0]?.joined;
    },
    get statuses() {
      return Object.fromEntries((joined.closed?.ended ?? []).map(({ name, outcome }) => [name, outcome.status]));
    },
  };
  return joined;
}
const failed = (name: string) => tokenOf(`root/d/${name}`);
const said = (name: string) => criticalOf(`root/d/${name}`, 'live');

describe('join 1: every child ends exactly once', () => {
  it('a duplicate, a late and an unknown end are ignored and named', () => {
    const joined = open().ends('a').ends('a').crashes('a', new Error('x')).ends('z').expires().ends('b').ends('z');
    expect(joined.ofType('ignored').map(({ name, why }) => [name, why])).toEqual([
      ['a', 'duplicate'],
      ['a', 'duplicate'],
      ['z', 'unknown'],
      ['b', 'late'],
      ['z', 'unknown'],
    ]);
    expect(joined.ofType('sealed').map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
  it('the first end stands', () => {
    const joined = open().ends('a').ends('a', failed('a')).expires();
    expect(joined.statuses).toMatchObject({ a: 'complete' });
  });
  test.each(['__proto__', 'constructor', 'toString'])('a child may be named %s', (name) => {
    const joined = open({ names: [name] });
    expect(joined.ends('hasOwnProperty').ofType('ignored')).toMatchObject([{ why: 'unknown' }]);
    expect(joined.ends(name).closed?.ended).toMatchObject([{ name }]);
  });
  test.each([
    [undefined, 'silent', 'ended without output'],
    [null, 'silent', 'ended without output'],
    ['done', 'invalid', 'ended with neither a report nor a failure token'],
    [{ kind: 'report' }, 'invalid', 'ended with neither a report nor a failure token'],
    [reportOf('root/d/b'), 'invalid', 'ended with neither a report nor a failure token'], // another's path
  ])('an end that is none: %j', (output, status, message) => {
    const joined = open().step({ type: 'ended', name: 'a', output, at: 150 });
    expect(joined.ofType('sealed')[0]?.outcome).toMatchObject({ kind: 'failure', status, message });
  });
  test.each([
    [new Error('broke'), 'error', 'broke'],
    ['broke', 'error', 'broke'],
    [undefined, 'error', 'undefined'],
    [Object.assign(new Error('slow'), { code: 'timeout' }), 'timeout', 'slow'],
    [Object.assign(new Error('no'), { code: 'ENOENT' }), 'error', 'no'],
  ])('a crash with %s', (error, status, message) => {
    expect(open().crashes('a', error).ofType('sealed')[0]?.outcome).toMatchObject({
      status,
      message,
      path: 'root/d/a',
    });
  });
});

describe('join 2: closes exactly once', () => {
  it('when all have ended, by the last', () => {
    const joined = open().ends('c').ends('a', failed('a')).ends('b');
    expect(joined.closed?.closedBy).toBe('all');
    expect(joined.effects.at(-1)?.type).toBe('close');
    expect(joined.expires().isCancelled().ofType('close')).toHaveLength(1);
  });
  it('at once when there is nobody to wait for', () => {
    expect(open({ names: [] }).closed).toEqual({ closedBy: 'all', ended: [] });
  });
  it('at its quorum of reports: tokens and failed reports do not count', () => {
    const joined = open({ quorum: 1, names: ['a', 'b', 'c', 'd'] });
    joined.ends('a', failed('a')).ends('b', reportOf('root/d/b', [], { status: 'failed' }));
    expect(joined.closed).toBeUndefined();
    expect(joined.ends('c').closed?.closedBy).toBe('quorum');
    expect(joined.ofType('stop').map(({ name }) => name)).toEqual(['d']);
    expect(joined.closed?.ended[3]).toMatchObject({
      name: 'd',
      notNeeded: true,
      outcome: { status: 'cancelled', message: 'not needed: the quorum was reached', retryable: false },
    });
    expect(joined.closed?.ended.filter(({ notNeeded }) => notNeeded)).toHaveLength(1);
  });
  it('a quorum above the width is all, and the last of all is no quorum', () => {
    expect(open({ quorum: 9 }).ends('a').ends('b').ends('c').closed?.closedBy).toBe('all');
    expect(open({ quorum: 3 }).ends('a').ends('b').ends('c').closed?.closedBy).toBe('all');
  });
  it('at the deadline, with tokens for the rest', () => {
    const joined = open().ends('b').expires(900);
    expect(joined.closed?.closedBy).toBe('deadline');
    expect(joined.ofType('stop').map(({ name }) => name)).toEqual(['a', 'c']);
    const outcome = { status: 'timeout', message: 'no answer by the join deadline', elapsedMs: 800, retryable: true };
    expect(joined.closed?.ended[0]).toMatchObject({ name: 'a', outcome });
    expect(joined.closed?.ended[0]).not.toHaveProperty('notNeeded');
  });
  it('when it is cancelled', () => {
    const joined = open().ends('b').isCancelled(500);
    expect(joined.closed?.closedBy).toBe('cancel');
    expect(joined.statuses).toEqual({ a: 'cancelled', b: 'complete', c: 'cancelled' });
    expect(joined.closed?.ended[0]?.outcome).toMatchObject({ ...CANCELLED, elapsedMs: 400 });
  });
});

describe('join 3: at its close, one sealed outcome per declared child, in declared order', () => {
  it('for any order of arrival, any deadline, any quorum', () => {
    const names = ['d', 'b', 'a', 'c', 'e'];
    const order = fc.shuffledSubarray(names, { minLength: 0 });
    const quorum = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
    fc.assert(
      fc.property(order, quorum, fc.boolean(), (arriving, quorum, isCancelled) => {
        const joined = open({ names, ...(quorum !== undefined && { quorum }) });
        for (const name of arriving) joined.ends(name);
        if (isCancelled) joined.isCancelled();
        else joined.expires();
        expect(joined.closed?.ended.map(({ name }) => name)).toEqual(names);
        expect(joined.ofType('close')).toHaveLength(1);
        for (const { outcome } of joined.closed?.ended ?? []) expect(Outcome.safeParse(outcome).success).toBe(true);
      }),
    );
  });
  it('sealed: timing from its opening to the end, and a digest that holds', () => {
    const [a, b] = open().ends('a', failed('a'), 170).ends('b', reportOf('root/d/b'), 180).ofType('sealed');
    expect(b?.outcome).toMatchObject({ timing: { startedAt: 100, endedAt: 180 } });
    expect(a?.outcome).toMatchObject({ elapsedMs: 70 });
    for (const sealed of [a, b]) expect(digestOf(sealed?.outcome as Outcome)).toBe(sealed?.outcome.digest);
  });
  it('a partial is sealed with its token; a clock that goes back gives no negative time', () => {
    const token = tokenOf('root/d/a', { partial: reportOf('root/d/a', [said('a')]) });
    const [sealed] = open().ends('a', token, 40).ofType('sealed');
    const outcome = sealed?.outcome;
    const partial = outcome?.kind === 'failure' ? outcome.partial : undefined;
    expect(outcome).toMatchObject({ elapsedMs: 0, partial: { timing: { startedAt: 100, endedAt: 40 } } });
    expect(partial && digestOf(partial)).toBe(partial?.digest);
  });
  it('is wide: 70,000 children close in one step', () => {
    const names = Array.from({ length: 70_000 }, (_, i) => `n${i}`);
    const joined = open({ names, quorum: 1 });
    expect(joinStep(joined.join, { type: 'ended', name: 'n3', output: reportOf('root/d/n3'), at: 1 })).toHaveLength(
      140_000,
    );
  });
});

describe('join 4: what was heard is in the outcome', () => {
  const heard = { a: [said('a'), findingOf('root/d/a', 'quiet')] };
  test.each<[string, (joined: ReturnType<typeof open>) => unknown]>([
    ['is stopped at the deadline', (joined) => joined.expires()],
    ['is cancelled', (joined) => joined.isCancelled()],
    ['crashes', (joined) => joined.crashes('a', new Error('x')).expires()],
    ['ends without output', (joined) => joined.ends('a', null).expires()],
    ['ends with rubbish', (joined) => joined.ends('a', 7).expires()],
    ['is not needed', (joined) => joined.ends('b')],
    ['fails with a partial of its own', (joined) => joined.ends('a', failed('a')).expires()],
  ])('of a child that %s: all of it, as its partial', (_, end) => {
    const joined = open({ heard, quorum: 1 });
    end(joined);
    expect(joined.closed?.ended[0]?.outcome).toMatchObject({
      kind: 'failure',
      partial: { status: 'partial', findings: heard.a, escalations: [said('a')] },
    });
  });
  it('of a child that reports: the criticals that its report lacks', () => {
    const own = findingOf('root/d/a', 'own');
    const joined = open({ heard })
      .ends('a', reportOf('root/d/a', [own]))
      .expires();
    expect(joined.closed?.ended[0]?.outcome).toMatchObject({ findings: [own, said('a')], escalations: [said('a')] });
  });
});

describe('cloneJoin', () => {
  it('branches: what happens to the copy does not happen to the original', () => {
    const { join } = open().ends('a');
    const copy = cloneJoin(join);
    joinStep(copy, { type: 'expired', at: 900 });
    expect([copy.closedBy, copy.ended.size, join.closedBy, join.ended.size]).toEqual(['deadline', 3, undefined, 1]);
  });
});
