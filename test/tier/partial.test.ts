import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { UnsealedOutcome } from '../../src/protocol/report.ts';
import { emptyPartial, withHeard } from '../../src/tier/partial.ts';
import { criticalOf, findingOf, reportOf, tokenOf } from './samples.ts';

const PATH = 'root/macro';
const quiet = findingOf(PATH, 'quiet');
const alarm = criticalOf(PATH, 'alarm');
const known = criticalOf(PATH, 'known');

describe('withHeard: a report stays what its maker made of it', () => {
  it('but for the criticals it lacks', () => {
    const report = reportOf(PATH, [known]);
    expect(withHeard(report, [quiet, alarm, known])).toEqual({
      ...report,
      findings: [known, alarm],
      escalations: [known, alarm],
    });
  });
  it('and is the same object when it lacks none', () => {
    const report = reportOf(PATH, [known, quiet]);
    expect(withHeard(report, [known])).toBe(report);
    expect(withHeard(report, [])).toBe(report);
  });
  it('a critical that is among the findings is escalated, not doubled', () => {
    const report = { ...reportOf(PATH, [alarm]), escalations: [] };
    expect(withHeard(report, [alarm])).toMatchObject({ findings: [alarm], escalations: [alarm] });
  });
  test.each([
    ['failed', 'partial'],
    ['partial', 'partial'],
    ['complete', 'complete'],
  ] as const)('a %s report with a critical that was heard is %s', (status, after) => {
    expect(withHeard(reportOf(PATH, [], { status }), [alarm])).toMatchObject({ status: after });
  });
});

describe('withHeard: a token gets all that was heard as its partial', () => {
  it('beside what it holds, which comes first', () => {
    const token = tokenOf(PATH, { partial: reportOf(PATH, [known], { narrative: 'So far.', status: 'failed' }) });
    expect(withHeard(token, [quiet, known, alarm])).toMatchObject({
      kind: 'failure',
      partial: {
        narrative: 'So far.',
        status: 'partial',
        findings: [known, quiet, alarm],
        escalations: [known, alarm],
      },
    });
  });
  it('and none when nothing was', () => {
    const token = tokenOf(PATH);
    expect(withHeard(token, [])).toBe(token);
  });
  it('in place of one it is labelled as what was heard', () => {
    expect(withHeard(tokenOf(PATH, { tier: 'domain' }), new Set([quiet]))).toMatchObject({
      partial: {
        path: PATH,
        tier: 'domain',
        depth: 1,
        status: 'partial',
        madeBy: 'deterministic',
        findings: [quiet],
        narrative: 'What was heard before it ended: it broke.',
      },
    });
  });
});

it('loses no critical, doubles none and changes none, whatever was known and heard', () => {
  const all = [quiet, alarm, known, findingOf(PATH, 'other')];
  const some = fc.subarray(all);
  fc.assert(
    fc.property(some, some, fc.boolean(), fc.boolean(), (own, heard, isToken, hasPartial) => {
      const outcome = isToken ? tokenOf(PATH, hasPartial ? { partial: reportOf(PATH, own) } : {}) : reportOf(PATH, own);
      const after = withHeard(outcome, heard);
      const body = after.kind === 'report' ? after : after.partial;
      const before = isToken && !hasPartial ? [] : own;
      const criticals = all.filter((finding) => finding.critical && [...before, ...heard].includes(finding));
      expect(body?.escalations.toSorted(byId) ?? []).toEqual(criticals.toSorted(byId));
      const ids = body?.findings.map(({ id }) => id) ?? [];
      expect(new Set(ids).size).toBe(ids.length);
      for (const finding of body?.findings ?? []) expect(all).toContain(finding);
      expect(UnsealedOutcome.safeParse(after).error).toBeUndefined();
    }),
  );
});
const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

test('emptyPartial counts the attempts of a leaf, and no leaf of an orchestrator', () => {
  expect(emptyPartial(tokenOf('root/macro/jobs')).usage.self).toMatchObject({ leaves: 1, attempts: 3, depth: 2 });
  expect(emptyPartial(tokenOf(PATH)).usage.subtree).toMatchObject({ nodes: 1, leaves: 0, depth: 1 });
});
