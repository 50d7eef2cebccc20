import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberKey, numberOf, numbersIn } from '../../src/analytics/numbers.ts';
import { weightOf, type Finding } from '../../src/protocol/finding.ts';
import { Retention } from '../../src/protocol/retention.ts';
import { measureRetention, type RetentionInput } from '../../src/tier/retention.ts';
import { critical, finding, incomingOf, json, leavesUnder } from '../analytics/synthesis/tree.ts';

const measure = (over: Partial<RetentionInput>): Retention =>
  measureRetention({
    incoming: [],
    incomingCriticals: [],
    kept: [],
    escalations: [],
    narrative: '',
    dispositions: [],
    derived: [],
    ...over,
  });

const a = finding('root/a#x', { stance: 0.5, confidence: 0.8, statement: 'Growth was 2.13 %', value: 0.0213 });
const b = finding('root/b#x', { stance: -0.5, confidence: 0.4, statement: 'Jobs fell 0.6 points by 2008-04' });
const c = critical('root/c#x', { stance: -1, confidence: 0.5, statement: 'Down 27 %', value: -27.43 });

describe('books', () => {
  it('has lost nothing when nothing came in', () => {
    expect(measure({})).toEqual({
      incoming: 0,
      kept: 0,
      merged: 0,
      dropped: 0,
      recall: 1,
      verbatim: 1,
      numbersKept: 1,
      numbersFabricated: 0,
    });
  });

  it('counts each finding once and weighs what passed up', () => {
    expect(measure({ incoming: [a, b, c], kept: [a, c] })).toMatchObject({
      incoming: 3,
      kept: 2,
      merged: 0,
      dropped: 1,
      recall: expect.closeTo(1.9 / 2.1, 12), // 0.4 + 3·0.5 of 0.4 + 0.2 + 3·0.5
    });
  });

  it('counts a merged finding as passed up only with its sign', () => {
    const merged = finding('root#m', { stance: 0.3, from: [a.id, b.id] });
    expect(measure({ incoming: [a, b], kept: [merged] })).toMatchObject({
      merged: 2,
      recall: expect.closeTo(0.4 / 0.6, 12),
    });
    expect(measure({ incoming: [a], kept: [{ ...a, stance: -0.5 }] })).toMatchObject({ kept: 1, recall: 0 });
  });

  it('takes a finding that stands twice for what its disposition says', () => {
    const merged = finding('root#m', { from: [a.id] });
    const input = { incoming: [a], kept: [a, merged] };
    expect(measure(input)).toMatchObject({ kept: 1, merged: 0 });
    const dispositions = [{ id: a.id, as: 'merged', into: 'm' } as const];
    expect(measure({ ...input, dispositions })).toMatchObject({ kept: 0, merged: 1 });
  });

  it('believes the report, not the dispositions', () => {
    const dispositions = [{ id: a.id, as: 'kept' } as const];
    expect(measure({ incoming: [a], dispositions })).toMatchObject({ kept: 0, dropped: 1, recall: 0 });
  });

  it('has lost no signal where none came in', () => {
    expect(measure({ incoming: [finding('root/a#x', { stance: 0 })] })).toMatchObject({ dropped: 1, recall: 1 });
  });
});

describe('verbatim', () => {
  const incomingCriticals = [c, critical('root/d#x')];

  it('accepts the same bytes in another object and another order of keys', () => {
    const { id, path, ...rest } = c;
    expect(measure({ incomingCriticals: [c], escalations: [{ ...rest, path, id }] }).verbatim).toBe(1);
  });

  it('sees one changed byte, and one that is missing', () => {
    const escalations = incomingCriticals.map((one) => structuredClone(one));
    expect(measure({ incomingCriticals, escalations }).verbatim).toBe(1);
    expect(
      measure({ incomingCriticals, escalations: [{ ...c, statement: 'Down 28 %' }, ...escalations.slice(1)] }).verbatim,
    ).toBe(0.5);
    expect(measure({ incomingCriticals, escalations: escalations.slice(1), kept: [c] }).verbatim).toBe(0.5);
  });
});

describe('numbers', () => {
  it('counts the distinct ones that the findings, escalations or narrative still hold', () => {
    // 0.0213, 2.13 | 0.6, 2008-04 | −27.43, 27
    expect(measure({ incoming: [a, b, c] }).numbersKept).toBe(0);
    expect(measure({ incoming: [a, b, c], kept: [a] }).numbersKept).toBeCloseTo(2 / 6, 12);
    expect(measure({ incoming: [a, b, c], kept: [a], escalations: [c] }).numbersKept).toBeCloseTo(4 / 6, 12);
    expect(measure({ incoming: [a, b], narrative: 'by 2008-04' }).numbersKept).toBeCloseTo(1 / 4, 12);
  });

  it.each([
    ['rounding', 'Growth of 2.1 % [root/a#99]', 0],
    ['a value as percent', '2.13 %, or 2 %', 0],
    ['a sign in words', 'a fall of 27.4', 0],
    ['invention', 'Growth of 2.2 %, then 2.2 %', 2],
    ['false precision', 'Growth of 2.134 %', 1],
    ['a turned sign', 'a rise of +27.4', 1],
    ['an invented date', 'by 2008-05', 1],
  ])('tells %s apart', (_, narrative, numbersFabricated) => {
    expect(measure({ incoming: [a, b, c], narrative })).toMatchObject({ numbersFabricated });
  });

  it('accepts a declared number only when it recomputes', () => {
    const incoming = [a, b, c];
    const from = incoming.map(({ id }) => id);
    const narrative = '3 findings';
    expect(measure({ incoming, narrative }).numbersFabricated).toBe(1);
    expect(measure({ incoming, narrative, derived: [{ value: 3, op: 'count', from }] }).numbersFabricated).toBe(0);
    const wrong = [{ value: 3, op: 'count', from: from.slice(1) } as const];
    expect(measure({ incoming, narrative, derived: wrong }).numbersFabricated).toBe(1);
  });

  it('knows what the task gave, and what stands in reasons, dates and data', () => {
    const rich = finding('root/a#x', {
      source: { kind: 'series', ref: 's', asOf: '2007-12-31' },
      critical: { rule: 'sahm', reason: 'from 0.5 points' },
      data: { level: [11.25], note: 'base 1982' },
    });
    const narrative = 'As of 2008-06-01 of 5 shares: 0.5, 11.3 and 1982, from 2007-12.';
    const given = ['Hold 5 shares', '2008-06-01'];
    expect(measure({ incoming: [rich], narrative, given }).numbersFabricated).toBe(0);
    expect(measure({ incoming: [rich], narrative }).numbersFabricated).toBe(2);
  });
});

describe('for any report', () => {
  type Fate = 'kept' | 'merged' | 'turned' | 'dropped';
  const fates = fc.array(fc.constantFrom<Fate>('kept', 'merged', 'turned', 'dropped'), {
    minLength: 40,
    maxLength: 40,
  });
  const figures = (one: Finding): string[] =>
    [...(one.value === undefined ? [] : [numberOf(one.value)]), ...numbersIn(one.statement)].map(numberKey);

  it('equals a count by brute force', () => {
    fc.assert(
      fc.property(leavesUnder('root').map(incomingOf), fates, (incoming, drawn) => {
        const fate = (i: number): Fate => drawn[i] ?? 'dropped';
        const mergedFrom = (one: Finding, i: number): Finding => {
          const stance = fate(i) === 'turned' ? (one.stance === 0 ? 0.5 : -one.stance) : one.stance;
          return { ...finding(`root#${i}`), statement: 'merged', stance, from: [one.id] };
        };
        const kept = incoming.flatMap((one, i) =>
          fate(i) === 'kept' ? one : fate(i) === 'dropped' ? [] : mergedFrom(one, i),
        );
        const incomingCriticals = incoming.filter((one) => one.critical);
        const escalations = incomingCriticals.filter((_, i) => i % 3 > 0).map((one) => structuredClone(one));
        const measured = measure({ incoming, kept, incomingCriticals, escalations });

        const having = (...wanted: Fate[]): Finding[] => incoming.filter((_, i) => wanted.includes(fate(i)));
        const weigh = (findings: Finding[]): number => findings.reduce((total, one) => total + weightOf(one), 0);
        const total = weigh(incoming);
        const cameIn = [...new Set(incoming.flatMap(figures))];
        const held = new Set([...kept, ...escalations].flatMap(figures));
        const verbatim = incomingCriticals.filter((one) => escalations.some((other) => json(one) === json(other)));
        expect(Retention.parse(measured)).toEqual({
          incoming: incoming.length,
          kept: having('kept').length,
          merged: having('merged', 'turned').length,
          dropped: having('dropped').length,
          recall: total > 0 ? expect.closeTo(weigh(having('kept', 'merged')) / total, 9) : 1,
          verbatim: incomingCriticals.length > 0 ? verbatim.length / incomingCriticals.length : 1,
          numbersKept: cameIn.length > 0 ? cameIn.filter((key) => held.has(key)).length / cameIn.length : 1,
          numbersFabricated: 0,
        });
      }),
      { numRuns: 300 },
    );
  });

  it('measures 10,000 findings in linear time', () => {
    const many = (n: number): Finding[] =>
      Array.from({ length: n }, (_, i) =>
        critical(`root/n${i}#x`, { statement: `Down ${i / 8} % since 2008-04-01`, value: i }),
      );
    const timeOf = (n: number): number => {
      const incoming = many(n);
      const escalations = incoming.map((one) => ({ ...one }));
      const startedAt = performance.now();
      measure({ incoming, incomingCriticals: incoming, kept: escalations, escalations, narrative: 'Down 5 %' });
      return performance.now() - startedAt;
    };
    timeOf(1_000);
    expect(timeOf(10_000)).toBeLessThan(3_000);
  });
});
