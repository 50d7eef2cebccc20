/** 1,000 synthesizers that lie in one of six ways, and 1,000 that are honest and say so. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Ended } from '../../src/ports/activities.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import type { Derived, Disposition, SynthesisDraft } from '../../src/protocol/synthesis.ts';
import { reportOf as reportOver } from '../../src/tier/report.ts';
import { checkSynthesis, incomingOf } from '../../src/tier/synthesis-check.ts';
import { criticalOf, decisionOf, endedWith, findingOf, reportOf, taskOf } from '../tier/samples.ts';

const PATH = 'root/macro';
const task = taskOf(PATH);
const values = fc.integer({ min: -9_999, max: 9_999 }).map((n) => n / 10);
const children: fc.Arbitrary<Ended[]> = fc
  .array(fc.array(fc.record({ value: values, isCritical: fc.boolean() }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((all) =>
    all.map((said, child) => {
      const path = `${PATH}/c${child}`;
      const findings = said.map(({ value, isCritical }, key) =>
        (isCritical ? criticalOf : findingOf)(path, `k${key}`, { value }),
      );
      return endedWith(reportOf(path, findings));
    }),
  );

const kept = (findings: readonly Finding[]): Disposition[] => findings.map(({ id }) => ({ id, as: 'kept' }));
const sum = (findings: readonly Finding[]): number => findings.reduce((total, { value = 0 }) => total + value, 0);
const figure = (value: number): string => (value < 0 ? `minus ${-value}` : `${value}`);

/** Speaks of counts, sums, means and extremes, and declares each. */
function honest(ended: readonly Ended[]): SynthesisDraft {
  const findings = incomingOf(ended);
  const from = findings.map(({ id }) => id);
  const all = findings.map(({ value = 0 }) => value);
  const derived: Derived[] = [
    { op: 'count', value: findings.length, from },
    { op: 'sum', value: sum(findings), from },
    { op: 'mean', value: sum(findings) / findings.length, from },
    { op: 'min', value: Math.min(...all), from },
    { op: 'max', value: Math.max(...all), from },
  ];
  const said = derived.map(({ op, value }) => `${op} ${figure(Number(value.toFixed(2)))}`).join(', ');
  const cited = findings.map(({ id, value = 0 }) => `${figure(value)} [${id}]`).join(', ');
  return { narrative: `Of ${ended.length} children: ${said}. ${cited}.`, dispositions: kept(findings), derived };
}

it('an honest one is never refused, and loses nothing', () => {
  fc.assert(
    fc.property(children, (ended) => {
      const checked = checkSynthesis(honest(ended), { task, ended });
      expect('fault' in checked ? checked.fault.message : 'well').toBe('well');
      if ('fault' in checked) return;
      const { retention } = reportOver({ task, decision: decisionOf([]), ended }, checked);
      expect(retention).toMatchObject({ dropped: 0, recall: 1, verbatim: 1, numbersFabricated: 0, numbersKept: 1 });
    }),
    { numRuns: 1_000 },
  );
});

/** Each takes an honest synthesis and makes one lie of it; and says whether it can be refused, or only measured. */
const lies: Record<string, (draft: SynthesisDraft, at: number) => SynthesisDraft> = {
  'invents a citation': (draft, at) => ({ ...draft, narrative: `${draft.narrative} See [${PATH}/c${at}#invented].` }),
  'invents a number': (draft, at) => ({ ...draft, narrative: `${draft.narrative} It will be ${20_000.5 + at}.` }),
  'invents a date': (draft, at) => ({ ...draft, narrative: `${draft.narrative} It was so in 19${10 + (at % 80)}-03.` }),
  'declares a sum that is none': (draft, at) => ({
    ...draft,
    derived: (draft.derived ?? []).map((one) => (one.op === 'sum' ? { ...one, value: one.value + 1 + at } : one)),
  }),
  'keeps what nobody said': (draft, at) => ({
    ...draft,
    dispositions: [...draft.dispositions, { id: `${PATH}/c${at}#invented`, as: 'kept' }],
  }),
  'disposes of one twice': (draft, at) => ({
    ...draft,
    dispositions: [...draft.dispositions, ...draft.dispositions.slice(at % draft.dispositions.length).slice(0, 1)],
  }),
};

it('a lie is refused every time', () => {
  const caught = new Map(Object.keys(lies).map((name) => [name, 0]));
  fc.assert(
    fc.property(children, fc.constantFrom(...Object.keys(lies)), fc.nat(9_999), (ended, name, at) => {
      const lie = lies[name];
      if (!lie) throw new Error('unreachable');
      expect(checkSynthesis(lie(honest(ended), at), { task, ended }), name).toMatchObject({
        fault: { status: 'invalid' },
      });
      caught.set(name, (caught.get(name) ?? 0) + 1);
    }),
    { numRuns: 1_000 },
  );
  for (const [name, times] of caught) expect(times, name).toBeGreaterThan(50);
});

it('what is dropped is counted as loss exactly, and criticals are put back', () => {
  fc.assert(
    fc.property(children, fc.nat(), (ended, mask) => {
      const findings = incomingOf(ended);
      const isLost = (index: number): boolean => ((mask >> (index % 30)) & 1) === 1;
      const dispositions = findings.flatMap(({ id }, index): Disposition[] =>
        isLost(index) ? (index % 2 === 0 ? [{ id, as: 'dropped', why: 'dull' }] : []) : [{ id, as: 'kept' }],
      );
      const checked = checkSynthesis({ narrative: '', dispositions }, { task, ended });
      if ('fault' in checked) throw new Error(checked.fault.message);
      const report = reportOver({ task, decision: decisionOf([]), ended }, checked);
      const lost = findings.filter(({ critical }, index) => isLost(index) && !critical);
      expect(report.retention).toMatchObject({
        dropped: lost.length,
        kept: findings.length - lost.length,
        verbatim: 1,
      });
      const weight = (some: readonly Finding[]): number =>
        some.reduce(
          (all, { stance, confidence, critical }) => all + Math.abs(stance) * confidence * (critical ? 3 : 1),
          0,
        );
      const whole = weight(findings);
      expect(report.retention?.recall).toBeCloseTo(whole === 0 ? 1 : 1 - weight(lost) / whole, 10);
      expect(report.escalations).toEqual(findings.filter(({ critical }) => critical));
    }),
    { numRuns: 1_000 },
  );
});
