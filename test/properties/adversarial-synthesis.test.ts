/**
 * 1,000 seeded synthesizers that lie, and 1,000 that are honest and say so. What no check of texts can see is a number in
 * words, and one that some input happens to hold.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Ended } from '../../src/ports/activities.ts';
import type { Assessment } from '../../src/protocol/assessment.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import type { Derived, Disposition, SynthesisDraft } from '../../src/protocol/synthesis.ts';
import { reportOf as reportOver } from '../../src/tier/report.ts';
import { checkSynthesis, incomingOf } from '../../src/tier/synthesis-check.ts';
import { criticalOf, decisionOf, endedWith, findingOf, reportOf, taskOf, tokenOf } from '../tier/samples.ts';

const PATH = 'root/macro';
const task = taskOf(PATH);
const SEEDED = { numRuns: 1_000, seed: 2_008 };

const values = fc.integer({ min: -9_999, max: 9_999 }).map((n) => n / 10);
const share = fc.integer({ min: 0, max: 100 }).map((n) => n / 100);
const findings = fc.array(
  fc.record({ value: values, isCritical: fc.boolean(), stance: fc.constantFrom(-1, -0.4, 0.5) }),
  { minLength: 1, maxLength: 4 },
);
const child = fc.record({
  said: findings,
  /** A leaf, one that died and left a partial, or a domain with a balance and a narrative of its own. */
  kind: fc.constantFrom('leaf', 'token', 'domain'),
  coverage: share,
  dissent: share.map((n) => n / 2),
  logOdds: fc.integer({ min: -300, max: 300 }).map((n) => n / 100),
});
const children: fc.Arbitrary<Ended[]> = fc.array(child, { minLength: 1, maxLength: 4 }).map((all) =>
  all.map(({ said, kind, coverage, dissent, logOdds }, i) => {
    const path = `${PATH}/c${i}`;
    const found = said.map(({ value, isCritical, stance }, key) =>
      (isCritical ? criticalOf : findingOf)(path, `k${key}`, { value, stance }),
    );
    if (kind === 'token') return endedWith(tokenOf(path, { partial: reportOf(path, found, { status: 'partial' }) }));
    if (kind === 'leaf') return endedWith(reportOf(path, found));
    const votes = { supports: said.length, against: 0, neutral: 0, context: 0 };
    const assessment: Assessment = { coverage, dissent, logOdds, votes, label: '', patterns: [], risks: [] };
    const own = { op: 'sum' as const, value: sum(found), from: found.map(({ id }) => id) };
    const narrative = `In all ${figure(own.value)}.`;
    return endedWith(reportOf(path, found, { madeBy: 'synthesis', assessment, derived: [own], narrative }));
  }),
);

const kept = (found: readonly Finding[]): Disposition[] => found.map(({ id }) => ({ id, as: 'kept' }));
const sum = (found: readonly Finding[]): number => found.reduce((total, { value = 0 }) => total + value, 0);
const figure = (value: number): string => {
  const shown = Number(Math.abs(value).toFixed(2));
  return value < 0 ? `minus ${shown}` : `${shown}`;
};
const balanceOf = ({ outcome }: Ended): string[] => {
  if (outcome.kind !== 'report' || !outcome.assessment) return [];
  const { coverage, dissent, logOdds, votes } = outcome.assessment;
  const percent = Math.round(coverage * 100);
  return [`${outcome.path.slice(-2)} has ${figure(logOdds)}, ${percent} %, ${dissent}, ${votes.supports} for it`];
};

/** Speaks of counts, sums, means and extremes, and declares each; of its children's balance, which it was given. */
function honest(ended: readonly Ended[]): SynthesisDraft {
  const found = incomingOf(ended);
  const from = found.map(({ id }) => id);
  const all = found.map(({ value = 0 }) => value);
  const [first = 0, second = 0] = all;
  const sorted = all.toSorted((a, b) => a - b);
  const middle = (at: number): number => sorted[at] ?? 0;
  const median = (middle(Math.floor((all.length - 1) / 2)) + middle(Math.floor(all.length / 2))) / 2;
  const derived: Derived[] = [
    { op: 'count', value: found.length, from },
    { op: 'sum', value: sum(found), from },
    { op: 'mean', value: sum(found) / found.length, from },
    { op: 'median', value: median, from },
    { op: 'min', value: Math.min(...all), from },
    { op: 'max', value: Math.max(...all), from },
    ...(all.length > 1 ? [{ op: 'difference' as const, value: first - second, from: from.slice(0, 2) }] : []),
    ...(all.length > 1 && second !== 0
      ? [{ op: 'ratio' as const, value: first / second, from: from.slice(0, 2) }]
      : []),
  ];
  const said = derived.map(({ op, value }) => `${op} ${figure(value)}`).join(', ');
  const cited = found.map(({ id, value = 0 }) => `${figure(value)} [${id}]`).join(', ');
  const told = ended.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.narrative : [])).join(' ');
  return {
    narrative: `Of ${ended.length} children: ${said}. ${cited}. ${ended.flatMap(balanceOf).join('; ')}. ${told}`,
    dispositions: kept(found),
    derived,
  };
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
    SEEDED,
  );
});

type Lie = (draft: SynthesisDraft, at: number, ended: readonly Ended[]) => SynthesisDraft;
const invented = (at: number): number => 20_000.5 + at;
const nobody = (at: number): string => `${PATH}/c${at}#invented`;
const said =
  (text: (at: number) => string): Lie =>
  (draft, at) => ({ ...draft, narrative: `${draft.narrative} ${text(at)}` });
/** A text of its own beside the narrative. */
const beside =
  (text: (at: number) => string): Lie =>
  (draft, at, ended) => {
    const [one = '', other = one] = ended.map(({ outcome }) => outcome.path);
    const ids = draft.dispositions.map(({ id }) => id);
    const [statement, [lead = '']] = [text(at), ids];
    const sides = { supports: { findings: ids, weight: 1 }, against: { findings: ids, weight: 1 } };
    const places: Partial<SynthesisDraft>[] = [
      { conflicts: [{ ...sides, statement, path: PATH, resolution: 'open', dissent: 0.5 }] },
      { relations: [{ between: [one, other], kind: 'reinforces', strength: 1, statement }] },
      {
        merges: [{ key: 'one', lead, statement }],
        dispositions: ids.map((id) => ({ id, as: 'merged' as const, into: 'one' })),
      },
    ];
    return { ...draft, ...places[at % places.length] };
  };
/** Each takes an honest synthesis and makes one lie of it, of which an honest reader would be misled. */
const lies: Record<string, Lie> = {
  'invents a citation': said((at) => `See [${nobody(at)}].`),
  'invents a citation beside its narrative': beside((at) => `See [${nobody(at)}].`),
  'invents a number': said((at) => `It will be ${invented(at)}.`),
  'invents a number with commas': said((at) => `It will be ${invented(at).toLocaleString('en-US')}.`),
  'invents a share': said((at) => `It is ${invented(at)} % likely.`),
  'invents a number beside its narrative': beside((at) => `It will be ${invented(at)}.`),
  'invents a date': said((at) => `It was so in 19${10 + (at % 80)}-03.`),
  'declares a sum that is none': (draft, at) => ({
    ...draft,
    derived: (draft.derived ?? []).map((one) => (one.op === 'sum' ? { ...one, value: one.value + 1 + at } : one)),
  }),
  'counts one twice': (draft) => ({
    ...draft,
    derived: (draft.derived ?? []).map((one) =>
      one.op === 'count' ? { ...one, value: one.value + 1, from: [...one.from, ...one.from.slice(0, 1)] } : one,
    ),
  }),
  'derives from what nobody said': (draft, at) => ({
    ...draft,
    derived: [...(draft.derived ?? []), { op: 'sum', value: invented(at), from: [nobody(at)] }],
  }),
  'keeps what nobody said': (draft, at) => ({
    ...draft,
    dispositions: [...draft.dispositions, { id: nobody(at), as: 'kept' }],
  }),
  'disposes of one twice': (draft, at) => ({
    ...draft,
    dispositions: [...draft.dispositions, ...draft.dispositions.slice(at % draft.dispositions.length).slice(0, 1)],
  }),
  'lets one lead that is not merged': (draft) => ({
    ...draft,
    merges: [{ key: 'one', lead: draft.dispositions[0]?.id ?? '', statement: 'All in one' }],
  }),
  'relates a node that is no child': (draft, at) => ({
    ...draft,
    relations: [{ between: [PATH, `root/x${at}`], kind: 'contradicts', strength: 1, statement: 'They differ' }],
  }),
};

it('a lie is refused every time', () => {
  const caught = new Map(Object.keys(lies).map((name) => [name, 0]));
  fc.assert(
    fc.property(children, fc.constantFrom(...Object.keys(lies)), fc.nat(9_999), (ended, name, at) => {
      const lie = lies[name];
      if (!lie) throw new Error('unreachable');
      const answer = checkSynthesis(lie(honest(ended), at, ended), { task, ended });
      expect(answer, name).toMatchObject({ fault: { status: 'invalid' } });
      caught.set(name, (caught.get(name) ?? 0) + 1);
    }),
    SEEDED,
  );
  for (const [name, times] of caught) expect(times, name).toBeGreaterThan(30);
});

const weightOfAll = (some: readonly Finding[]): number =>
  some.reduce((all, { stance, confidence, critical }) => all + Math.abs(stance) * confidence * (critical ? 3 : 1), 0);

it('what is dropped or merged is counted exactly, and criticals are put back', () => {
  fc.assert(
    fc.property(children, fc.array(fc.nat(3), { minLength: 16, maxLength: 16 }), (ended, choices) => {
      const found = incomingOf(ended);
      const fateOf = (index: number): string => ['kept', 'merged', 'dropped', 'unaccounted'][choices[index] ?? 0] ?? '';
      const lead = found.find((_, index) => fateOf(index) === 'merged');
      const dispositions = found.flatMap(({ id }, index): Disposition[] => {
        const as = fateOf(index);
        if (as === 'dropped') return [{ id, as, why: 'dull' }];
        if (as === 'merged') return [{ id, as, into: 'one' }];
        return as === 'kept' ? [{ id, as }] : [];
      });
      const merges = lead ? [{ key: 'one', lead: lead.id, statement: 'All in one' }] : [];
      const checked = checkSynthesis({ narrative: '', dispositions, merges }, { task, ended });
      if ('fault' in checked) throw new Error(checked.fault.message);
      const report = reportOver({ task, decision: decisionOf([]), ended }, checked);

      const isOf = (fates: string[]) => (finding: Finding, index: number) =>
        !finding.critical && fates.includes(fateOf(index));
      const lost = found.filter(isOf(['dropped', 'unaccounted']));
      const merged = found.filter(isOf(['merged']));
      const incoming = found.length;
      expect(report.retention).toMatchObject({
        incoming,
        dropped: lost.length,
        merged: merged.length,
        kept: incoming - lost.length - merged.length,
        verbatim: 1,
      });
      // A merged one passes up with its sign, or not at all.
      const weight = weightOfAll(merged);
      const stance = weight > 0 ? merged.reduce((all, one) => all + one.confidence * one.stance, 0) : 0;
      const turned = merged.filter((one) => Math.sign(one.stance) !== Math.sign(stance));
      const whole = weightOfAll(found);
      const passed = whole - weightOfAll(lost) - weightOfAll(turned);
      expect(report.retention?.recall).toBeCloseTo(whole === 0 ? 1 : passed / whole, 10);
      const criticals = found.filter(({ critical }) => critical);
      expect(report.escalations).toEqual(criticals);
      expect(report.findings.filter(({ critical }) => critical)).toEqual(criticals);
    }),
    SEEDED,
  );
});
