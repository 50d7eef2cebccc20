/** leaf-logic 6: an attempt that is executed twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/protocol/fault.ts';
import type { UnsealedOutcome, UnsealedReport } from '../../src/protocol/report.ts';
import { beginLeaf, leafStep, type LeafEffect, type LeafEvent } from '../../src/tier/leaf-logic.ts';
import { hasHedgeLeft, noteLeaf, openHedging, takeHedge } from '../../src/tier/hedging.ts';
import { CRITICAL, draftOf, taskOf } from './samples.ts';

const PATH = 'root/macro/jobs';
const error: Fault = { status: 'error', message: 'it broke' };
const other: Fault = { status: 'error', message: 'it broke too' };

function leaf(attempts = 3) {
  const [state, first] = beginLeaf(taskOf(PATH), attempts);
  const effects: LeafEffect[] = [first];
  const step = (...events: LeafEvent[]): LeafEffect[] => {
    const now = events.flatMap((event) => leafStep(state, event));
    effects.push(...now);
    return now;
  };
  const hedge = (): LeafEffect[] => step({ type: 'straggling' }, { type: 'hedged' });
  const outcome = (): UnsealedOutcome | undefined => effects.find((effect) => effect.type === 'end')?.outcome;
  const ended = (): UnsealedReport => outcome() as UnsealedReport;
  return { effects, step, hedge, ended, outcome };
}
const typesOf = (effects: readonly LeafEffect[]): string[] => effects.map(({ type }) => type);
const idsOf = (findings: readonly { id: string }[]): string[] => findings.map(({ id }) => id);
const answers = [draftOf({ statement: 'plain' }), draftOf({ statement: 'bad', ...CRITICAL })];

describe('leaf-logic 6: hedged', () => {
  it('once in an attempt, and only while it is executed', () => {
    const { step, hedge } = leaf();
    expect(typesOf(hedge())).toEqual(['hedge', 'execute']);
    expect(hedge()).toEqual([]);
    step({ type: 'failed', fault: error }, { type: 'failed', fault: error, isHedge: true });
    expect(hedge()).toEqual([]); // recovering
    step({ type: 'recovered', enrichment: 'look closer' });
    expect(typesOf(hedge())).toEqual(['hedge', 'execute']);
  });

  it.each([false, true])('the first valid answer counts, by the hedge: %s', (isHedge) => {
    const { step, hedge, ended, effects } = leaf();
    hedge();
    step({ type: 'executed', output: answers, isHedge });
    expect(effects).toContainEqual({ type: 'drop', attempt: 1, isHedge: !isHedge });
    step({ type: 'executed', output: draftOf({ statement: 'too late' }), isHedge: !isHedge });
    step({ type: 'failed', fault: error, isHedge: !isHedge }, { type: 'said', draft: 'rubbish', isHedge: !isHedge });
    step({ type: 'verified' });
    expect(ended()).toMatchObject({ kind: 'report', status: 'complete', usage: { self: { attempts: 1, hedges: 1 } } });
    expect(idsOf(ended().findings)).toEqual([`${PATH}#0`, `${PATH}#1`]);
  });

  it('verification that fails is a failed attempt, whoever had answered', () => {
    const { step, hedge } = leaf();
    hedge();
    step({ type: 'executed', output: answers, isHedge: true });
    expect(typesOf(step({ type: 'failed', fault: error, isHedge: true }))).toEqual(['give-up-attempt', 'recover']);
  });

  it.each([false, true])('an execution that fails is dropped, and the other goes on, hedge first: %s', (isHedge) => {
    const { step, hedge, ended } = leaf();
    hedge();
    expect(step({ type: 'failed', fault: error, isHedge })).toEqual([
      { type: 'drop', attempt: 1, isHedge, fault: error },
    ]);
    step({ type: 'executed', output: answers, isHedge: !isHedge }, { type: 'verified' });
    expect(ended().status).toBe('complete');
  });

  it('an answer that fails its schema does not end the race', () => {
    const { step, hedge, ended } = leaf();
    hedge();
    const [said, drop] = step({ type: 'executed', output: [...answers, { statement: 7 }] });
    expect([said?.type, drop]).toMatchObject(['say', { type: 'drop', isHedge: false, fault: { status: 'invalid' } }]);
    step({ type: 'executed', output: answers, isHedge: true }, { type: 'verified' });
    expect(idsOf(ended().findings)).toEqual([`${PATH}#0`, `${PATH}#1`]);
  });

  it('the attempt fails with the last of them, once', () => {
    const { step, hedge, effects } = leaf(1);
    hedge();
    step({ type: 'failed', fault: error, isHedge: true }, { type: 'failed', fault: other });
    expect(effects.filter(({ type }) => type === 'give-up-attempt')).toEqual([
      { type: 'give-up-attempt', attempt: 1, fault: other, willRetry: false },
    ]);
  });

  it('a hedge that is refused by a rate limit costs the first nothing', () => {
    const { step, hedge } = leaf();
    hedge();
    const refused: Fault = { ...error, diagnosis: 'rate-limited' };
    expect(typesOf(step({ type: 'failed', fault: refused, isHedge: true }))).toEqual(['drop']);
    expect(typesOf(step({ type: 'failed', fault: refused }))).toEqual(['back-off']);
  });

  it('what both say live is said once; what the loser alone said is retracted, unless it is critical', () => {
    const { step, hedge, ended, effects } = leaf();
    const live = (statement: string, isHedge: boolean, over = {}): LeafEvent => ({
      type: 'said',
      draft: draftOf({ statement, ...over }),
      isHedge,
    });
    step(live('one', false), live('only the first', false), live('alarm', false, CRITICAL));
    hedge();
    step(live('one', true), live('two', true));
    step({ type: 'executed', output: [draftOf({ statement: 'two' })], isHedge: true }, { type: 'verified' });
    expect(ended().findings.map(({ statement }) => statement)).toEqual(['one', 'two', 'alarm']);
    expect(effects.filter(({ type }) => type === 'say')).toHaveLength(4);
  });

  it('what it keeps is of the execution that counts', () => {
    const { step, hedge, ended } = leaf();
    hedge();
    const artifact = (ref: string) => ({ ref, bytes: 1, sha256: 'x' });
    step({ type: 'kept', artifact: artifact('a') }, { type: 'kept', artifact: artifact('b'), isHedge: true });
    step({ type: 'executed', output: answers, isHedge: true }, { type: 'verified' });
    expect(ended().artifacts).toEqual([artifact('b')]);
  });

  it('closed in the midst of it, it keeps what either has said', () => {
    const { step, hedge, outcome } = leaf();
    hedge();
    step({ type: 'said', draft: draftOf({ key: 'a' }) }, { type: 'said', draft: draftOf({ key: 'b' }), isHedge: true });
    step({ type: 'closed', fault: { status: 'timeout', message: 'too late' } });
    const token = outcome();
    expect(token?.kind === 'failure' && idsOf(token.partial?.findings ?? [])).toEqual([`${PATH}#a`, `${PATH}#b`]);
  });
});

describe('hedging 1', () => {
  it('never more than its share of the leaves that have begun', () => {
    const steps = fc.array(fc.boolean(), { maxLength: 300 });
    fc.assert(
      fc.property(fc.constantFrom(0.01, 0.05, 0.3, 1), steps, (extra, drawn) => {
        const hedging = openHedging({ extra });
        for (const isLeaf of drawn) {
          const had = hasHedgeLeft(hedging);
          if (isLeaf) noteLeaf(hedging);
          else expect(takeHedge(hedging)).toBe(had);
          expect(hedging.hedges).toBeLessThanOrEqual(extra * hedging.leaves);
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});

describe('leaf-logic 1, 2, 3: with hedges too, in any order of events', () => {
  const given = (isHedge: boolean): LeafEvent[] => [
    { type: 'executed', output: [draftOf({ key: 'a' }), draftOf({ key: 'b', ...CRITICAL })], isHedge },
    { type: 'executed', output: [draftOf({ key: 'c', ...CRITICAL }), { statement: 7 }], isHedge },
    { type: 'executed', output: undefined, isHedge },
    { type: 'failed', fault: error, isHedge },
    { type: 'failed', fault: { ...error, diagnosis: 'rate-limited' }, isHedge },
    { type: 'said', draft: draftOf({ statement: 'live' }), isHedge },
    { type: 'said', draft: draftOf({ statement: 'alarm', ...CRITICAL }), isHedge },
    { type: 'said', draft: 'rubbish', isHedge },
  ];
  const events: LeafEvent[] = [
    ...given(false),
    ...given(true),
    { type: 'straggling' },
    { type: 'hedged' },
    { type: 'hedged' },
    { type: 'verified' },
    { type: 'recovered', enrichment: 'look closer' },
    { type: 'backed-off' },
    { type: 'closed', fault: { status: 'timeout', message: 'too late' } },
  ];
  it('ends at most once, in at most its attempts, with every critical finding that was said', () => {
    let hedged = 0;
    const sequences = fc.array(fc.constantFrom(...events), { minLength: 10, maxLength: 40 });
    fc.assert(
      fc.property(sequences, fc.integer({ min: 1, max: 3 }), (drawn, most) => {
        const { step, effects, outcome } = leaf(most);
        for (const event of drawn) step(event);
        const ofType = (type: LeafEffect['type']): LeafEffect[] => effects.filter((effect) => effect.type === type);
        hedged += ofType('execute').filter((effect) => 'isHedge' in effect).length;
        expect(ofType('end').length).toBeLessThanOrEqual(1);
        if (ofType('end').length === 1) expect(effects.at(-1)?.type).toBe('end');
        for (const effect of effects) if ('attempt' in effect) expect(effect.attempt).toBeLessThanOrEqual(most);
        const end = outcome();
        if (!end) return;
        const kept = new Set(idsOf((end.kind === 'report' ? end : end.partial)?.escalations ?? []));
        const said = effects.flatMap((effect) =>
          effect.type === 'say' && effect.finding.critical ? effect.finding : [],
        );
        expect(idsOf(said).filter((id) => !kept.has(id))).toEqual([]);
      }),
      { seed: 3, numRuns: 1_000 },
    );
    expect(hedged).toBeGreaterThan(200);
  });

  it('is never left without somebody at work: what has not ended waits for an answer, a verdict or a pause', () => {
    const sequences = fc.array(fc.constantFrom(...events), { maxLength: 30 });
    fc.assert(
      fc.property(sequences, (drawn) => {
        const { step, outcome } = leaf();
        for (const event of drawn) step(event);
        // every execution that may be out fails, until no attempt is left
        for (let i = 0; i < 40 && !outcome(); i++) {
          step({ type: 'failed', fault: error }, { type: 'failed', fault: error, isHedge: true });
          step({ type: 'recovered', enrichment: 'look closer' }, { type: 'backed-off' });
        }
        expect(outcome()).toBeDefined();
      }),
      { seed: 4, numRuns: 1_000 },
    );
  });
});
