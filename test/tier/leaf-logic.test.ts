import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { UnsealedOutcome, type UnsealedReport, type UnsealedToken } from '../../src/protocol/report.ts';
import type { Fault } from '../../src/protocol/fault.ts';
import {
  beginLeaf,
  cloneLeaf,
  leafStep,
  type LeafEffect,
  type LeafEvent,
  type LeafState,
} from '../../src/tier/leaf-logic.ts';
import { CRITICAL, draftOf, taskOf } from './samples.ts';

const PATH = 'root/macro/jobs';
const error: Fault = { status: 'error', message: 'it broke' };
const timeout: Fault = { status: 'timeout', message: 'too late' };

function leafAt(attempts = 3) {
  const [state, first] = beginLeaf(taskOf(PATH), attempts);
  const effects: LeafEffect[] = [first];
  const leaf = {
    state,
    effects,
    step(event: LeafEvent) {
      effects.push(...leafStep(state, event));
      return leaf;
    },
    executed: (output: unknown) => leaf.step({ type: 'executed', output }),
    says: (draft: unknown) => leaf.step({ type: 'said', draft }),
    fails: (fault = error) => leaf.step({ type: 'failed', fault }),
    recovers: (enrichment = 'look closer') => leaf.step({ type: 'recovered', enrichment }),
    backsOff: () => leaf.step({ type: 'backed-off' }),
    verified: () => leaf.step({ type: 'verified' }),
    closes: (fault = timeout) => leaf.step({ type: 'closed', fault }),
    ofType: <Type extends LeafEffect['type']>(type: Type) =>
      effects.filter((effect): effect is Extract<LeafEffect, { type: Type }> => effect.type === type),
    get outcome() {
      return leaf.ofType('end').at(-1)?.outcome;
    },
    get report() {
      return leaf.outcome as UnsealedReport;
    },
    get token() {
      return leaf.outcome as UnsealedToken;
    },
  };
  return leaf;
}
const idsOf = (findings: readonly { id: string }[] | undefined): string[] => (findings ?? []).map(({ id }) => id);

describe('leaf-logic: every sequence of events', () => {
  const transient: Fault = { status: 'error', message: 'try again', diagnosis: 'transient' };
  const refused: Fault = { status: 'error', message: 'slow down', diagnosis: 'rate-limited' };
  const events: LeafEvent[] = [
    { type: 'executed', output: [draftOf({ key: 'a' }), draftOf({ key: 'b', ...CRITICAL })] },
    { type: 'executed', output: { gap: 'undone', why: 'no time' } },
    { type: 'executed', output: [draftOf({ key: 'c', ...CRITICAL }), { statement: 7 }] },
    { type: 'executed', output: undefined },
    { type: 'verified' },
    { type: 'failed', fault: error },
    { type: 'failed', fault: transient },
    { type: 'failed', fault: refused },
    { type: 'backed-off' },
    { type: 'recovered', enrichment: 'look closer' },
    { type: 'said', draft: draftOf({ key: 'live' }) },
    { type: 'said', draft: draftOf({ key: 'alarm', ...CRITICAL }) },
    { type: 'said', draft: 'rubbish' },
    { type: 'closed', fault: timeout },
  ];
  const keyOf = ({ phase, attempt, refusals, task, said, present, gaps }: LeafState): string =>
    JSON.stringify([
      phase,
      attempt,
      refusals,
      task.enrichments.length,
      [...(said?.keys() ?? [])],
      idsOf([...(present ?? [])]),
      gaps,
    ]);

  const isTransient = (effects: readonly LeafEffect[]): boolean =>
    effects.some((effect) => effect.type === 'back-off' && effect.fault === transient);
  const isRequest = ({ type }: LeafEffect): boolean => !['say', 'give-up-attempt'].includes(type);
  function checkStep(before: LeafState, state: LeafState, effects: readonly LeafEffect[], most: number): void {
    const where = `${keyOf(before)} → ${keyOf(state)}`;
    // 2: attempts are capped, and each knows one thing more than the one before
    expect(state.attempt, where).toBeLessThanOrEqual(most);
    const learnt = state.task.enrichments.length - before.task.enrichments.length;
    const begun = effects.find((effect) => effect.type === 'execute');
    expect(learnt, where).toBe(begun && before.phase === 'recovering' ? 1 : 0);
    expect(state.attempt - before.attempt, where).toBe(learnt || (isTransient(effects) ? 1 : 0));
    // 5: refusals cost no attempt, and are capped
    const backOff = effects.find((effect) => effect.type === 'back-off');
    expect(state.refusals - before.refusals, where).toBe(backOff?.fault === refused ? 1 : 0);
    expect(state.refusals, where).toBeLessThanOrEqual(8);
    // whoever drives it is always asked for exactly one thing, or is still busy with the last
    const asked = effects.filter(isRequest);
    expect(asked.length, where).toBe(before.phase === state.phase ? 0 : 1);
    for (const effect of effects) {
      if (effect.type === 'execute') {
        expect([effect.attempt, effect.task], where).toEqual([state.attempt, state.task]);
      }
    }
    const ends = effects.filter((effect) => effect.type === 'end');
    expect(ends.length, where).toBe(state.phase === 'reported' ? 1 : 0);
    for (const { outcome } of ends) checkEnd(outcome, state, where);
  }
  function checkEnd(outcome: UnsealedOutcome, { said = new Map(), attempt }: LeafState, where: string): void {
    expect(UnsealedOutcome.safeParse(outcome).error, where).toBeUndefined();
    const body = outcome.kind === 'report' ? outcome : outcome.partial;
    // 3: every critical that was ever said stands in the end, as a finding and as an escalation
    const criticals = idsOf([...said.values()].filter((finding) => finding.critical));
    expect(idsOf(body?.findings), where).toEqual(expect.arrayContaining(criticals));
    expect(idsOf(body?.escalations).sort(), where).toEqual(criticals.sort());
    if (outcome.kind === 'failure') {
      expect([outcome.attempts, outcome.path], where).toEqual([attempt, PATH]);
      expect(idsOf(outcome.partial?.findings), where).toEqual([...said.keys()]);
    }
  }

  test.each([1, 2, 3])('with %d attempts', (most) => {
    const seen = new Set<string>();
    const go = (state: LeafState): void => {
      const key = keyOf(state);
      if (seen.has(key)) return;
      seen.add(key);
      const movesOn = new Set<string>();
      for (const event of events) {
        const next = cloneLeaf(state);
        const effects = leafStep(next, event);
        if (state.phase === 'reported') {
          // 1: after its end nothing is answered and nothing changes
          expect(effects).toEqual([]);
          expect(keyOf(next)).toBe(key);
          continue;
        }
        checkStep(state, next, effects, most);
        expect(keyOf(state)).toBe(key); // the clone was changed, not the original
        if (next.phase !== state.phase) movesOn.add(event.type);
        go(next);
      }
      const due = {
        executing: ['executed', 'failed', 'said', 'closed'],
        verifying: ['verified', 'failed', 'closed'],
        recovering: ['recovered', 'failed', 'closed'],
        'backing-off': ['backed-off', 'closed'],
        reported: [],
      }[state.phase];
      expect(movesOn).toEqual(new Set(due));
    };
    go({ ...beginLeaf(taskOf(PATH), most)[0], refusals: most === 3 ? 8 : 7 }); // the last, or none, is left
    expect(seen.size).toBeGreaterThan(most * 40);
  });
});

describe('leaf-logic 1: ends once', () => {
  it('with a report of what the last attempt found', () => {
    const { report, effects } = leafAt()
      .executed([draftOf({ key: 'a' }), draftOf()])
      .verified()
      .closes();
    expect(report).toMatchObject({ kind: 'report', status: 'complete', madeBy: 'leaf', tier: 'leaf', depth: 2 });
    expect(idsOf(report.findings)).toEqual([`${PATH}#a`, `${PATH}#1`]);
    expect(report.usage.self).toMatchObject({ nodes: 1, leaves: 1, attempts: 1, depth: 2 });
    expect(effects.map(({ type }) => type)).toEqual(['execute', 'say', 'say', 'verify', 'end']);
  });
  it('or with a token, and what was said until then as its partial', () => {
    const leaf = leafAt(1)
      .says(draftOf({ key: 'live' }))
      .closes();
    expect(leaf.token).toMatchObject({ kind: 'failure', status: 'timeout', message: 'too late', attempts: 1 });
    expect(leaf.token.partial).toMatchObject({ status: 'partial', findings: [{ id: `${PATH}#live` }] });
    expect(leafAt(1).fails().token).not.toHaveProperty('partial');
  });
});

describe('leaf-logic 2: attempts are capped, enrichments grow', () => {
  it('an attempt knows what every failure before it taught', () => {
    const leaf = leafAt(3).fails().recovers('first').fails(timeout).recovers('second').fails();
    expect(leaf.ofType('execute').map(({ attempt, task }) => [attempt, task.enrichments])).toEqual([
      [1, []],
      [2, ['first']],
      [3, ['first', 'second']],
    ]);
    const given = { attempt: 1, fault: error, willRetry: true };
    expect(leaf.ofType('give-up-attempt')).toMatchObject([
      given,
      { ...given, attempt: 2, fault: timeout },
      { ...given, attempt: 3, willRetry: false },
    ]);
    expect(leaf.token).toMatchObject({ status: 'error', attempts: 3, message: 'it broke' });
  });
  it('a recovery that fails is not tried again', () => {
    expect(leafAt(3).fails().fails(timeout).token).toMatchObject({ status: 'timeout', attempts: 1 });
  });
  it('answers to what was not asked are ignored', () => {
    const leaf = leafAt().verified().recovers();
    expect(leaf.state).toMatchObject({ phase: 'executing', attempt: 1 });
    leaf
      .executed(draftOf())
      .executed(draftOf({ key: 'again' }))
      .recovers();
    expect(leaf.state.phase).toBe('verifying');
  });
});

describe('leaf-logic 2: after a transient fault the same task again', () => {
  const transient: Fault = { status: 'error', message: 'try again', diagnosis: 'transient' };
  it('is an attempt like any other, but nothing is learnt', () => {
    const leaf = leafAt(3).fails(transient).backsOff().fails().recovers('first').fails(transient);
    expect(
      leaf.ofType('execute').map(({ attempt, task, enrichment }) => [attempt, task.enrichments, enrichment]),
    ).toEqual([
      [1, [], undefined],
      [2, [], undefined],
      [3, ['first'], 'first'],
    ]);
    expect(leaf.ofType('back-off')).toMatchObject([{ attempt: 2, before: 0 }]);
    expect(leaf.ofType('give-up-attempt').map(({ willRetry }) => willRetry)).toEqual([true, true, false]);
    expect(leaf.token).toMatchObject({ attempts: 3, message: 'try again' });
  });
});

describe('leaf-logic 5: a refusal by a rate limit costs no attempt', () => {
  const refused: Fault = { status: 'error', message: 'slow down', diagnosis: 'rate-limited', retryAfterMs: 7 };
  it('eight times; the ninth is an attempt that failed', () => {
    const leaf = leafAt(2);
    for (let i = 0; i < 8; i++) leaf.fails(refused).backsOff();
    expect(leaf.ofType('back-off').map(({ before }) => before)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(leaf.ofType('execute').map(({ attempt }) => attempt)).toEqual(Array.from({ length: 9 }, () => 1));
    expect(leaf.ofType('give-up-attempt')).toEqual([]);
    leaf.fails(refused).recovers();
    expect(leaf.state).toMatchObject({ phase: 'executing', attempt: 2 });
    expect(leaf.fails(refused).token).toMatchObject({ attempts: 2, message: 'slow down' });
  });
  it('and of what the refused one had said only criticals stand', () => {
    const { report } = leafAt()
      .says(draftOf({ key: 'plain' }))
      .says(draftOf({ key: 'alarm', ...CRITICAL }))
      .fails(refused)
      .backsOff()
      .executed(draftOf({ key: 'b' }))
      .verified();
    expect(idsOf(report.findings)).toEqual([`${PATH}#alarm`, `${PATH}#b`]);
    expect(report.usage.self).toMatchObject({ attempts: 1 });
  });
  it('also of one that was being verified; of a recovery it is its failure', () => {
    expect(leafAt().executed(draftOf()).fails(refused).backsOff().state).toMatchObject({
      phase: 'executing',
      attempt: 1,
    });
    expect(leafAt().fails().fails(refused).token).toMatchObject({ message: 'slow down', attempts: 1 });
  });
});

describe('leaf-logic 3: a critical that was said is in the end', () => {
  const alarm = draftOf({ key: 'alarm', ...CRITICAL });
  it.each([
    ['live, in an attempt that failed', () => leafAt().says(alarm).fails()],
    ['in an answer that was not verified', () => leafAt().executed(alarm).fails()],
    ['in an answer that was partly rubbish', () => leafAt().executed([alarm, { statement: 7 }, draftOf({ key: 'b' })])],
    ['while recovering', () => leafAt().fails().says(alarm)],
  ])('%s', (_, begin) => {
    const { report } = begin()
      .recovers()
      .executed(draftOf({ key: 'later' }))
      .verified();
    expect(idsOf(report.findings)).toEqual([`${PATH}#alarm`, `${PATH}#later`]);
    expect(idsOf(report.escalations)).toEqual([`${PATH}#alarm`]);
    expect(idsOf(begin().closes().token.partial?.escalations)).toEqual([`${PATH}#alarm`]);
  });
  it('once, and live only once, though said again', () => {
    const leaf = leafAt().says(alarm).fails().recovers().says(alarm).executed([alarm]).verified();
    expect(leaf.ofType('say')).toHaveLength(1);
    expect(idsOf(leaf.report.escalations)).toEqual([`${PATH}#alarm`]);
  });
  it('a finding of a failed attempt that is not critical is only in a partial', () => {
    const failing = () =>
      leafAt(2)
        .says(draftOf({ key: 'old' }))
        .fails()
        .recovers();
    expect(
      idsOf(
        failing()
          .executed(draftOf({ key: 'new' }))
          .verified().report.findings,
      ),
    ).toEqual([`${PATH}#new`]);
    expect(idsOf(failing().closes().token.partial?.findings)).toEqual([`${PATH}#old`]);
  });
});

describe('leaf-logic 4: what the author returned is parsed', () => {
  const statement = 'It is so';
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  test.each<[string, unknown, string]>([
    ['a text', 'all is well', 'the result is not a finding: it is "all is well"; it must be an object'],
    ['no statement', { stance: 1 }, 'the result is not a finding: statement is missing; it must be a text'],
    [
      'an empty statement',
      { statement: '' },
      'the result is not a finding: statement is ""; it must be at least 1 characters long',
    ],
    [
      'a value that is no number',
      { statement, value: Number.NaN },
      'the result is not a finding: value is NaN; it must be a finite number',
    ],
    ['a stance beyond 1', { statement, stance: 1.4 }, 'the result is not a finding: stance is 1.4; it must be −1 to 1'],
    [
      'a confidence below 0',
      { statement, confidence: -1 },
      'the result is not a finding: confidence is -1; it must be 0 to 1',
    ],
    [
      'a key with a hash',
      { statement, key: 'a#b' },
      'the result is not a finding: key: a key is 1 to 128 characters without "/", "#", "~" or control characters',
    ],
    [
      'a critical without a reason',
      { statement, critical: { rule: 'r' } },
      'the result is not a finding: critical.reason is missing; it must be a text',
    ],
    ['the second of three', [{ statement }, 7, null], 'result 2 of 3 is not a finding: it is 7; it must be an object'],
    [
      'a gap of an unknown kind',
      { gap: 'forgot', why: '' },
      'the result is not a finding: gap is "forgot"; it must be one of token, undone, synthesis, skipped, not-needed, demoted, stale, insufficient',
    ],
    [
      'a gap of a child that is a path',
      { gap: 'undone', why: '', child: '../x' },
      'the result is not a finding: child: a name is 1 to 128 letters, digits, "_", ".", "-" or spaces',
    ],
    [
      'data with a cycle',
      { statement, data: cyclic },
      'the result is not a finding: data: data has a cycle, more than 64 levels or more than 100,000 values',
    ],
    [
      'a getter that throws',
      {
        get statement(): never {
          throw new Error('boo');
        },
      },
      'the result is not a finding: it cannot be read: boo',
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          has() {
            throw new Error('boo');
          },
        },
      ),
      'the result is not a finding: it cannot be read: boo',
    ],
  ])('%s', (_, output, message) => {
    expect(leafAt(1).executed(output).token).toMatchObject({ status: 'invalid', message });
  });
  test.each([undefined, null])('%s is silence', (output) => {
    expect(leafAt(1).executed(output).token).toMatchObject({ status: 'silent', message: 'ended without output' });
  });
  it('live, rubbish fails the attempt at work; later it is ignored', () => {
    const message = 'a finding said live is not a finding: it is 7; it must be an object';
    expect(leafAt(1).says(7).token).toMatchObject({ status: 'invalid', message });
    expect(leafAt(2).fails().says(7).state.phase).toBe('recovering');
    expect(leafAt(2).executed([]).says(7).state.phase).toBe('verifying');
  });
  it('an empty list is an answer: nothing to report', () => {
    expect(leafAt().executed([]).verified().report).toMatchObject({ status: 'complete', findings: [], gaps: [] });
  });
  it('whatever comes back, it never throws, and can be asked on', () => {
    fc.assert(
      fc.property(fc.anything({ withSparseArray: true, withNullPrototype: true }), (output) => {
        const leaf = leafAt(2).executed(output).says(output).closes();
        expect(UnsealedOutcome.safeParse(leaf.outcome).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('gaps', () => {
  test.each<[unknown, string, string]>([
    [{ gap: 'stale', why: 'ends in 2001' }, 'complete', PATH],
    [{ gap: 'undone', why: 'no time' }, 'failed', PATH],
    [[{ gap: 'undone', why: 'no time', child: 'ism' }, draftOf()], 'partial', `${PATH}/ism`],
  ])('%j makes the report %s', (output, status, path) => {
    const { report } = leafAt().executed(output).verified();
    expect([report.status, report.gaps[0]?.path]).toEqual([status, path]);
  });
});
