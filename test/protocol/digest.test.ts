import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { canonicalJson, digestOf, seal, sha256 } from '../../src/protocol/digest.ts';
import type { Outcome } from '../../src/protocol/report.ts';
import { deterministicSynthesis } from '../../src/analytics/deterministic-synthesis.ts';
import { reportOf as reportOver } from '../../src/tier/report.ts';
import { checkSynthesis } from '../../src/tier/synthesis-check.ts';
import { decisionOf, endedWith, findingOf, reportOf, synthesisOf, taskOf } from '../tier/samples.ts';
import { jsons, reports, tokens } from './arbitraries.ts';

const outcomes = fc.oneof(reports, tokens);
const timing = { startedAt: 1, endedAt: 2 };
/** The same JSON with its keys in another order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};

describe('canonical JSON: RFC 8785', () => {
  it('3.2.2: its example', () => {
    const given = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(canonicalJson(JSON.parse(given))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });
  it('3.2.3: keys by their UTF-16 code units', () => {
    const given = { '€': 1, '\r': 2, '\uFB33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: 7 };
    expect(Object.keys(JSON.parse(canonicalJson(given))).sort()).toEqual(Object.keys(given).sort());
    expect(canonicalJson(given)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\uFB33":3}');
  });
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('appendix B: the number %s is %s', (hex, text) => {
    const number = Buffer.from(hex, 'hex').readDoubleBE();
    expect([canonicalJson(number), canonicalJson([number]), canonicalJson({ b: 0, a: number })]).toEqual([
      text,
      `[${text}]`,
      `{"a":${text},"b":0}`,
    ]);
  });
  it('is what the library says, for any JSON in any order of keys', () => {
    const any = fc.oneof(jsons, fc.jsonValue({ stringUnit: 'binary' }), reports);
    fc.assert(
      fc.property(any, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
        expect(canonicalJson(reversed(value))).toBe(canonicalize(value));
      }),
      { numRuns: 300 },
    );
  });
  test.each<[unknown, string]>([
    [{ 10: 'a', 9: 'b' }, '{"10":"a","9":"b"}'],
    [{ b: undefined, a: 1 }, '{"a":1}'],
    [{ a: undefined }, '{}'],
    [undefined, 'null'],
    [[undefined], '[null]'],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [{ toJSON: () => ({ b: 1, a: 2 }) }, '{"a":2,"b":1}'],
  ])('%j is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
  test.each<[unknown, string]>([
    ['a\uD800b', String.raw`"a\ud800b"`],
    [{ b: '\uDC00', a: [1, null, undefined] }, String.raw`{"a":[1,null,null],"b":"\udc00"}`],
    [{ '\uD800': 1, a: { c: 1, b: Number.NaN } }, String.raw`{"a":{"b":null,"c":1},"\ud800":1}`],
  ])('what the RFC refuses is written as JSON.stringify does, in order of keys: case %#', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
});

describe('digest 1: says what was found, not when nor in which run', () => {
  it('is the same for any run, time and order of keys', () => {
    fc.assert(
      fc.property(outcomes, reports, (outcome, other) => {
        const { runId, timing, digest } = other;
        const elsewhere = { ...outcome, runId, digest, ...(outcome.kind === 'report' ? { timing } : { elapsedMs: 7 }) };
        if (elsewhere.kind === 'failure' && elsewhere.partial)
          elsewhere.partial = { ...elsewhere.partial, runId, timing, digest };
        expect(digestOf(elsewhere)).toBe(digestOf(outcome));
        expect(digestOf(reversed(outcome) as Outcome)).toBe(digestOf(outcome));
      }),
      { numRuns: 50 },
    );
  });

  const UNCOVERED =
    /^(partial\.)?(runId|digest|timing\.\w+|usage\.\w+\.hedges|elapsedMs|decision\.estimates\.criticalPathMs|decision\.stages\.\d+\.\d+\.(estimateMs|reserveMs))$/;
  /** Every place in a JSON value that holds no further ones. */
  function placesIn(value: unknown, at: readonly string[] = []): string[][] {
    if (typeof value !== 'object' || value === null) return [[...at]];
    const entries = Object.entries(value);
    return entries.length === 0 ? [[...at]] : entries.flatMap(([key, inner]) => placesIn(inner, [...at, key]));
  }
  function changedAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
    if (key === undefined) {
      if (typeof value === 'string') return `${value}!`;
      if (typeof value === 'number') return value === 1 ? 2 : 1;
      if (Array.isArray(value)) return [['changed']];
      return typeof value === 'boolean' ? !value : { changed: true };
    }
    const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
    copy[key] = changedAt(copy[key], rest);
    return copy;
  }
  it('changes with any other byte', () => {
    fc.assert(
      fc.property(outcomes, fc.nat(), (outcome, seed) => {
        const places = placesIn(outcome);
        for (const place of [places[seed % places.length], places[(seed * 7) % places.length]]) {
          const changed = changedAt(outcome, place ?? []) as Outcome;
          const isCovered = !UNCOVERED.test((place ?? []).join('.'));
          expect(digestOf(changed) === digestOf(outcome), place?.join('.')).toBe(!isCovered);
        }
      }),
      { numRuns: 300 },
    );
  });
  it('changes when something is added, taken away or moved', () => {
    const [a, b] = [findingOf('root/a'), findingOf('root/b')];
    const digests = [[], [a], [b], [a, b], [b, a], [a, a]].map((found) => digestOf(reportOf('root', found)));
    expect(new Set(digests).size).toBe(6);
    expect(digestOf(reportOf('root', [], { derived: [{ value: 1, op: 'count', from: [] }] }))).not.toBe(digests[0]);
  });
});

describe('digest 2: a parent covers its children', () => {
  it('also what a synthesis left out of them', () => {
    const over = (value: number) => {
      const ended = [endedWith(reportOf('root/macro/a', [findingOf('root/macro/a', 'said', { value })]))];
      const gathered = { task: taskOf('root/macro'), decision: decisionOf([]), ended };
      return seal(reportOver(gathered, { synthesis: synthesisOf() }), timing);
    };
    const [one, other] = [over(1), over(2)];
    expect([one, other]).toMatchObject([{ findings: [] }, { findings: [] }]);
    expect(one.digest).not.toBe(other.digest);
  });
});

it("needs no sorting: an orchestrator's report has its keys in order, as have its parts", () => {
  const disordered = (value: unknown): unknown[] => {
    if (typeof value !== 'object' || value === null) return [];
    const keys = Object.keys(value);
    const isSorted = Array.isArray(value) || keys.join() === keys.toSorted().join();
    return [...(isSorted ? [] : [keys]), ...Object.values(value).flatMap(disordered)];
  };
  const said = (name: string, stance: number) =>
    endedWith(
      reportOf(`root/macro/${name}`, [
        findingOf(`root/macro/${name}`, 'said', { stance, value: 1, measure: 'growth' }),
        findingOf(`root/macro/${name}`, 'own', { stance, measure: 'growth' }),
      ]),
    );
  const ended = [said('a', -0.5), said('b', -0.5), said('c', 0.5)];
  const gathered = { task: taskOf('root/macro'), decision: decisionOf([]), ended };
  const answer = checkSynthesis(deterministicSynthesis(gathered), gathered);
  const report = reportOver(gathered, answer);
  expect(report.findings.some((finding) => finding.from)).toBe(true);
  expect(report.conflicts).not.toEqual([]);
  const { findings, ...parts } = report;
  expect(disordered({ ...parts, decision: undefined })).toEqual([]);
  expect(disordered(findings.filter((finding) => finding.from))).toEqual([]);
});

describe('seal', () => {
  it('stamps timing and digest, and changes nothing else', () => {
    fc.assert(
      fc.property(outcomes, (outcome) => {
        const sealed = seal(outcome, timing);
        expect(digestOf(sealed)).toBe(sealed.digest);
        const stamped = outcome.kind === 'report' ? { timing } : { elapsedMs: 1 };
        const partial = outcome.kind === 'failure' && outcome.partial && { partial: seal(outcome.partial, timing) };
        expect(sealed).toEqual({ ...outcome, ...stamped, ...partial, digest: sealed.digest });
      }),
      { numRuns: 50 },
    );
  });
});

test('sha256 of UTF-8', () => {
  expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
