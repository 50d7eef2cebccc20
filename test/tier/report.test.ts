import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Ended } from '../../src/ports/activities.ts';
import type { Assessment } from '../../src/protocol/assessment.ts';
import type { Decision } from '../../src/protocol/decision.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import type { Gap } from '../../src/protocol/gap.ts';
import { UnsealedReport } from '../../src/protocol/report.ts';
import type { SynthesisDraft } from '../../src/protocol/synthesis.ts';
import { reportOf as reportOver } from '../../src/tier/report.ts';
import {
  CRITICAL,
  criticalOf,
  decisionOf,
  endedWith,
  findingOf,
  leaf,
  reportOf,
  synthesisOf,
  taskOf,
  tokenOf,
} from './samples.ts';

const DOMAIN = 'root/macro';
const at = (name: string): string => `${DOMAIN}/${name}`;
type Over = { ended: readonly Ended[]; synthesis?: Partial<SynthesisDraft>; decision?: Decision };
function reportWith({ ended, synthesis = {}, decision }: Over): UnsealedReport {
  const stages = [ended.map(({ name }) => leaf(name))];
  const gathered = { task: taskOf(DOMAIN), decision: decision ?? decisionOf(stages), ended };
  return reportOver(gathered, { synthesis: synthesisOf(synthesis) });
}
const replaced = (ended: readonly Ended[]): UnsealedReport =>
  reportOver(
    { task: taskOf(DOMAIN), decision: decisionOf([]), ended },
    { fault: { status: 'invalid', message: 'it lied' } },
  );
const keep = (...findings: readonly Finding[]) => findings.map(({ id }) => ({ id, as: 'kept' as const }));
const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id);

const a = findingOf(at('a'));
const b = findingOf(at('b'));
const alarm = criticalOf(at('a'), 'alarm');
const dying = criticalOf(at('b'), 'dying');

describe('report 1: every escalation of every child stands in it, unchanged', () => {
  const token = tokenOf(at('b'), { partial: reportOf(at('b'), [dying], { status: 'partial' }) });
  const ended = [endedWith(reportOf(at('a'), [a, alarm])), endedWith(token)];
  test.each([
    ['a synthesis that names none', () => reportWith({ ended })],
    [
      'a synthesis that drops them',
      () =>
        reportWith({
          ended,
          synthesis: { dispositions: [a, alarm, dying].map(({ id }) => ({ id, as: 'dropped', why: 'dull' })) },
        }),
    ],
    ['a replaced synthesis', () => replaced(ended)],
  ])('under %s', (_, make) => {
    const { escalations } = make();
    expect(escalations).toEqual([alarm, dying]);
    expect(escalations[0]).toBe(ended[0]?.outcome.kind === 'report' ? ended[0].outcome.escalations[0] : undefined);
  });
  it('once, and measured as verbatim', () => {
    const twice = reportOf(at('a'), [alarm, alarm]);
    const report = reportWith({ ended: [endedWith({ ...twice, escalations: [alarm, alarm] })] });
    expect(report.escalations).toEqual([alarm]);
    expect(report.retention).toMatchObject({ verbatim: 1, incoming: 1, kept: 1 });
  });
  it('a critical that its child did not escalate sounds the alarm', () => {
    const report = reportWith({ ended: [endedWith({ ...reportOf(at('a'), [alarm]), escalations: [] })] });
    expect(report.retention?.verbatim).toBe(0);
  });
});

describe('report 2: critical findings are kept whatever the synthesis says', () => {
  test.each([
    ['dropped', { dispositions: [{ id: alarm.id, as: 'dropped', why: 'dull' }] }],
    [
      'merged',
      {
        dispositions: [
          { id: alarm.id, as: 'merged', into: 'k' },
          { id: a.id, as: 'merged', into: 'k' },
        ],
        merges: [{ key: 'k', lead: alarm.id, statement: 'Nothing much' }],
      },
    ],
    ['unaccounted', {}],
  ] satisfies [string, Partial<SynthesisDraft>][])('%s', (_, synthesis) => {
    const report = reportWith({ ended: [endedWith(reportOf(at('a'), [a, alarm]))], synthesis });
    expect(report.findings).toContainEqual(alarm);
    expect(report.dispositions.map(({ id }) => id)).not.toContain(alarm.id);
    for (const { from } of report.findings) expect(from ?? []).not.toContain(alarm.id);
  });
});

describe('report 3: every incoming finding has exactly one disposition', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const incoming = names.map((name) => findingOf(at(name), 'said', name === 'e' ? CRITICAL : {}));
  const fates = fc.tuple(...names.map(() => fc.constantFrom('kept', 'k', 'l', 'dropped', 'unaccounted')));
  it('for any synthesis that keeps books', () => {
    fc.assert(
      fc.property(fates, (fates) => {
        const dispositions = incoming.flatMap(({ id }, i) => {
          const fate = fates[i] ?? 'unaccounted';
          if (fate === 'unaccounted') return [];
          if (fate === 'kept') return { id, as: fate };
          return fate === 'dropped' ? { id, as: fate, why: 'dull' } : { id, as: 'merged', into: fate };
        }) as SynthesisDraft['dispositions'];
        const merges = ['k', 'l'].flatMap((key) => {
          const lead = incoming.find((_, i) => fates[i] === key)?.id;
          return lead === undefined ? [] : { key, lead, statement: 'Merged' };
        });
        const ended = names.map((name, i) => endedWith(reportOf(at(name), incoming[i] ? [incoming[i]] : [])));
        const { findings, ...report } = reportWith({ ended, synthesis: { dispositions, merges } });
        const fateOf = (id: string): string[] => [
          ...findings.filter((finding) => finding.id === id).map(() => 'kept'),
          ...findings.filter((finding) => finding.from?.includes(id)).map(() => 'merged'),
          ...report.dispositions.filter((one) => one.id === id && one.as === 'dropped').map(() => 'dropped'),
        ];
        for (const { id } of incoming) expect(fateOf(id)).toHaveLength(1);
        const { kept, merged, dropped } = report.retention ?? { kept: 0, merged: 0, dropped: 0 };
        expect(kept + merged + dropped).toBe(incoming.length);
        expect(report.dispositions.filter(({ as }) => as === 'merged')).toHaveLength(merged);
        expect(UnsealedReport.safeParse({ ...report, findings }).error).toBeUndefined();
      }),
    );
  });
  it('one that was not named is dropped, "unaccounted"', () => {
    const report = reportWith({ ended: [endedWith(reportOf(at('a'), [a]))] });
    expect(report.dispositions).toEqual([{ id: a.id, as: 'dropped', why: 'unaccounted' }]);
    expect(report).toMatchObject({ status: 'failed', findings: [], retention: { dropped: 1, recall: 0 } });
  });
  it('those that were kept are not listed', () => {
    const report = reportWith({ ended: [endedWith(reportOf(at('a'), [a]))], synthesis: { dispositions: keep(a) } });
    expect(report).toMatchObject({ dispositions: [], findings: [a], status: 'complete' });
  });
});

describe('a merged finding', () => {
  const parts = [
    findingOf(at('a'), 'x', { stance: 1, confidence: 0.2, flags: ['one'], value: 3, unit: '%', data: { n: 1 } }),
    findingOf(at('b'), 'y', { stance: -0.5, confidence: 0.6, flags: ['one', 'two'], value: 4, unit: 'pp' }),
  ];
  const dispositions = parts.map(({ id }) => ({ id, as: 'merged' as const, into: 'both' }));
  const mergedFrom = (findings: readonly Finding[], lead: string) =>
    reportWith({
      ended: findings.map((finding) => endedWith(reportOf(finding.path, [finding]))),
      synthesis: { dispositions, merges: [{ key: 'both', lead, statement: 'Both say so' }] },
    }).findings;

  it('has value, unit and source of its lead, the weighted stance, the greatest confidence, and its parts', () => {
    const [merged] = mergedFrom(parts, `${at('b')}#y`);
    expect(merged).toMatchObject({
      id: `${DOMAIN}#both`,
      path: DOMAIN,
      statement: 'Both say so',
      value: 4,
      unit: 'pp',
      confidence: 0.6,
      flags: ['one', 'two'],
      from: [`${at('a')}#x`, `${at('b')}#y`],
      source: parts[1]?.source,
    });
    expect(merged?.stance).toBeCloseTo((0.2 * 1 - 0.6 * 0.5) / 0.8, 12);
    expect(merged).not.toHaveProperty('data');
    for (const held of [merged, merged?.flags, merged?.from]) expect(Object.isFrozen(held)).toBe(true);
  });
  it('of parts without confidence takes no side', () => {
    const doubtful = parts.map((part) => ({ ...part, confidence: 0 }));
    expect(mergedFrom(doubtful, `${at('a')}#x`)[0]).toMatchObject({ stance: 0, confidence: 0 });
  });
  it('is valid for any parts', () => {
    const part = fc.record({
      stance: fc.double({ min: -1, max: 1, noNaN: true }),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(part, part, (x, y) => {
        const [one, two] = parts;
        if (!one || !two) return;
        const [merged] = mergedFrom(
          [
            { ...one, ...x },
            { ...two, ...y },
          ],
          one.id,
        );
        expect(merged?.stance).toBeGreaterThanOrEqual(-1);
        expect(merged?.stance).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('report 4: a report lists every gap of its subtree', () => {
  const stale: Gap = { path: at('a'), kind: 'stale', why: 'ends in 2001' };
  const undone: Gap = { path: at('b'), kind: 'undone', why: 'no time' };
  it('those of reports, of partials, of tokens, of the decision and of the synthesis', () => {
    const own: Gap = { path: DOMAIN, kind: 'insufficient', why: 'too few' };
    const ended = [
      endedWith(reportOf(at('a'), [a], { gaps: [stale] })),
      endedWith(tokenOf(at('b'), { status: 'timeout', partial: reportOf(at('b'), [], { gaps: [undone] }) })),
      endedWith(tokenOf(at('c'), { status: 'cancelled', message: 'not needed' }), { notNeeded: true }),
    ];
    const decision = decisionOf([], { skipped: [{ name: 'd', why: 'not asked for' }] });
    const { gaps } = reportWith({ ended, decision, synthesis: { gaps: [own], dispositions: keep(a) } });
    expect(gaps).toEqual([
      { path: at('d'), kind: 'skipped', why: 'not asked for' },
      stale,
      undone,
      { path: at('b'), kind: 'token', why: 'timeout: it broke', status: 'timeout' },
      { path: at('c'), kind: 'not-needed', why: 'not needed' },
      own,
    ]);
  });
  it('a replaced synthesis is one', () => {
    const why = 'invalid: it lied; replaced by the deterministic one';
    expect(replaced([endedWith(reportOf(at('a'), [a]))])).toMatchObject({
      status: 'partial',
      madeBy: 'deterministic',
      findings: [a],
      gaps: [{ path: DOMAIN, kind: 'synthesis', why }],
    });
  });
  it('a replaced one drops nothing, however much came in: nobody has judged it', () => {
    const many = Array.from({ length: 60 }, (_, i) => findingOf(at('a'), `k${i}`));
    expect(replaced([endedWith(reportOf(at('a'), many))])).toMatchObject({
      findings: { length: 60 },
      retention: { kept: 60, dropped: 0, recall: 1 },
    });
  });
  test.each<[Gap['kind'], string]>([
    ...(['token', 'undone', 'synthesis'] as const).map((kind) => [kind, 'partial'] as [Gap['kind'], string]),
    ...(['skipped', 'not-needed', 'demoted', 'stale', 'insufficient'] as const).map(
      (kind) => [kind, 'complete'] as [Gap['kind'], string],
    ),
  ])('a gap of kind %s leaves it %s, or failed when no finding survived', (kind, status) => {
    const ended = [endedWith(reportOf(at('a'), [a], { gaps: [{ path: at('a'), kind, why: '' }] }))];
    expect(reportWith({ ended, synthesis: { dispositions: keep(a) } }).status).toBe(status);
    expect(reportWith({ ended }).status).toBe('failed');
  });
});

describe('what else a report says', () => {
  it('names its children with their digests, and adds up what they used', () => {
    const ended = [endedWith(reportOf(at('a'), [a])), endedWith(tokenOf(at('b')))];
    const { children, usage, tier, depth, question } = reportWith({ ended });
    expect(children).toEqual([
      { path: at('a'), status: 'complete', digest: ended[0]?.outcome.digest },
      { path: at('b'), status: 'error', digest: ended[1]?.outcome.digest },
    ]);
    expect(usage.self).toMatchObject({ nodes: 1, leaves: 0, attempts: 0, depth: 1 });
    expect(usage.subtree).toMatchObject({ nodes: 3, leaves: 2, attempts: 4, depth: 2 });
    expect({ tier, depth, question }).toEqual({ tier: 'domain', depth: 1, question: 'What is so?' });
  });
  it('numbers in the task are no fabrication, others are', () => {
    const task = taskOf(DOMAIN, { question: 'Hold 5 names', charter: 'since 1987', asOf: '2008-06-01' });
    const narrative = 'Of 5 names, since 1987, 42 stand.';
    const gathered = { task, decision: decisionOf([]), ended: [] };
    const report = reportOver(gathered, { synthesis: synthesisOf({ narrative }) });
    expect(report.retention?.numbersFabricated).toBe(1);
  });
  it('never throws, whatever was found: the deterministic synthesis replaces any other', () => {
    const findings = fc.array(
      fc.record({
        stance: fc.double({ min: -1, max: 1, noNaN: true }),
        confidence: fc.double({ min: 0, max: 1, noNaN: true }),
        value: fc.double({ noNaN: true, noDefaultInfinity: true }),
        statement: fc.string({ unit: 'binary', minLength: 1 }),
        measure: fc.constantFrom('m', 'n'),
        flags: fc.subarray(['context', 'own']),
      }),
    );
    fc.assert(
      fc.property(findings, (bodies) => {
        const said = bodies.map((body, i) => findingOf(at('a'), `${i}`, { ...body, ...(i % 3 === 0 && CRITICAL) }));
        const report = replaced([endedWith(reportOf(at('a'), said)), endedWith(reportOf(at('b'), [b]))]);
        expect(UnsealedReport.safeParse(report).error).toBeUndefined();
        expect(idsOf(report.escalations)).toEqual(idsOf(said.filter((finding) => finding.critical)));
      }),
    );
  });
});

describe('report 5: an assessment that the rules did not make is said to be so', () => {
  const ended = [endedWith(reportOf('root/a', [findingOf('root/a', 'one', { stance: -0.6 })]))];
  const task = taskOf('root');
  const gathered = { task, decision: decisionOf([[leaf('a')]]), ended };
  const { assessment: ours } = reportOver(gathered, { synthesis: synthesisOf({}) });
  const told = (assessment: Assessment | undefined): Assessment | undefined =>
    reportOver(gathered, { synthesis: synthesisOf({ ...(assessment && { assessment }) }) }).assessment;

  it('with what they make of the same findings beside it, under our label', () => {
    const { label, ...figures } = ours as Assessment;
    const invented = { ...figures, label: 'a sure thing', conviction: 99, verdict: 'supported' as const };
    const { conviction, coverage, logOdds, verdict } = figures;
    expect(conviction).toBeLessThan(99);
    expect(told({ ...invented, byRules: { coverage: 1, logOdds: 9, conviction: 99 } })).toEqual({
      ...invented,
      label,
      byRules: { conviction, coverage, logOdds, verdict },
    });
  });

  it('to whoever reads of it as a child, too; and it is no sum of evidence', () => {
    const [path, said] = ['root/macro', findingOf('root/macro/a')];
    const child = {
      task: taskOf(path),
      decision: decisionOf([[leaf('a')]]),
      ended: [endedWith(reportOf(said.path, [said]))],
    };
    const { assessment: sums } = reportOver(child, { synthesis: synthesisOf({}) });
    expect(sums).toHaveProperty('evidence');
    const own = { ...(sums as Assessment), logOdds: 5 };
    const domain = endedWith(reportOver(child, { synthesis: synthesisOf({ assessment: own }) }));
    const { children } = reportOver({ ...gathered, ended: [domain] }, { synthesis: synthesisOf({}) });
    expect(children).toMatchObject([{ assessment: { logOdds: 5, byRules: { logOdds: sums?.logOdds } } }]);
    expect(domain.outcome).not.toHaveProperty('assessment.evidence');
  });

  it('and one that the rules made is not, whoever passes it on', () => {
    expect(told(ours)).toEqual(ours);
    expect(ours).not.toHaveProperty('byRules');
  });
});
