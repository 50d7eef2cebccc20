import { describe, expect, it } from 'vitest';
import type { Ended } from '../../src/ports/activities.ts';
import type { Assessment } from '../../src/protocol/assessment.ts';
import { Report, type UnsealedReport } from '../../src/protocol/report.ts';
import { interimEnded, interimHeard, makeInterim, openInterim, type Interim } from '../../src/tier/interim.ts';
import { json } from '../support/world.ts';
import { criticalOf, decisionOf, endedWith, findingOf, orchestrator, reportOf, taskOf, tokenOf } from './samples.ts';

const open = (): Interim =>
  openInterim(taskOf('root'), decisionOf([['d0', 'd1', 'd2'].map((name) => orchestrator(name))]));
const assessment = (coverage: number): Assessment => ({
  coverage,
  dissent: 0,
  label: '',
  logOdds: 1,
  patterns: [],
  risks: [],
  votes: { against: 0, context: 0, neutral: 0, supports: 1 },
});
const domain = (name: string, coverage: number, over: Partial<UnsealedReport> = {}): UnsealedReport => {
  const path = `root/${name}`;
  return reportOf(path, over.findings ?? [findingOf(path)], { assessment: assessment(coverage), ...over });
};
const sealed = (report: UnsealedReport): Report => endedWith(report).outcome as Report;
const died = (name: string, partial?: UnsealedReport): Ended =>
  endedWith(tokenOf(`root/${name}`, partial && { partial }));
const made = (interim: Interim, now = 5): Report => {
  const report = makeInterim(interim, now);
  if (!report) throw new Error('none was made');
  const plain = json(report);
  expect(Report.parse(plain)).toEqual(plain);
  return report;
};
const gapsOf = ({ gaps }: Report): string[] => gaps.map(({ path, kind }) => `${path}: ${kind}`);
const coverageOf = ({ assessment }: Report): number => assessment?.coverage ?? 0;

describe('an interim report', () => {
  it('holds what has ended, what its running children say so far, and who is pending (invariants 1 and 2)', () => {
    const interim = open();
    interimEnded(interim, endedWith(domain('d0', 1)));
    interimHeard(
      interim,
      'd1',
      sealed(domain('d1', 0.5, { gaps: [{ kind: 'pending', path: 'root/d1/l0', why: 'x' }] })),
    );
    const report = made(interim);
    expect(report).toMatchObject({ status: 'partial', madeBy: 'deterministic', tier: 'root' });
    expect(report.children.map(({ path }) => path)).toEqual(['root/d0', 'root/d1']);
    expect(gapsOf(report)).toEqual(['root/d1/l0: pending', 'root/d1: pending', 'root/d2: pending']);
    expect(coverageOf(report)).toBe(0.5);
    expect(report.timing.endedAt).toBe(5);
  });

  it('is partial, not failed, while nobody has found anything', () => {
    const interim = open();
    interimEnded(interim, died('d0'));
    expect(made(interim)).toMatchObject({ status: 'partial', findings: [] });
  });

  it('keeps the last interim of a child that dies with less, with its criticals and the gap (invariant 3)', () => {
    const interim = open();
    interimHeard(
      interim,
      'd0',
      sealed(domain('d0', 0.75, { gaps: [{ kind: 'pending', path: 'root/d0/l9', why: 'x' }] })),
    );
    expect(coverageOf(made(interim))).toBe(0.25);
    const critical = criticalOf('root/d0/l1');
    interimEnded(interim, died('d0', domain('d0', 0.1, { findings: [critical], escalations: [critical] })));
    const report = made(interim);
    expect(coverageOf(report)).toBe(0.25);
    expect(gapsOf(report)).toEqual(['root/d0: token', 'root/d1: pending', 'root/d2: pending']);
    expect(report.escalations).toEqual([critical]);
    interimHeard(interim, 'd0', sealed(domain('d0', 1))); // too late
    expect(coverageOf(made(interim))).toBe(0.25);
  });

  it('says of a child that was not needed that it was not', () => {
    const interim = open();
    interimHeard(interim, 'd0', sealed(domain('d0', 0.75)));
    interimEnded(interim, { ...died('d0'), notNeeded: true });
    expect(gapsOf(made(interim))).toContain('root/d0: not-needed');
  });

  it('takes the end of a child that covers as much', () => {
    const interim = open();
    interimHeard(interim, 'd0', sealed(domain('d0', 0.75)));
    const end = endedWith(domain('d0', 0.75, { narrative: 'The end.' }));
    interimEnded(interim, end);
    expect(made(interim).children[0]?.digest).toBe(end.outcome.digest);
    interimEnded(interim, died('d0'));
    expect(made(interim).children[0]?.digest).toBe(end.outcome.digest); // it ends once
  });

  it('takes no interim that covers less than the one before', () => {
    const interim = open();
    interimHeard(interim, 'd0', sealed(domain('d0', 0.75)));
    interimHeard(interim, 'd0', sealed(domain('d0', 0.5)));
    expect(coverageOf(made(interim))).toBe(0.25);
  });

  it('is not made when coverage would fall for another reason; a rounding is none', () => {
    const interim = open();
    interimEnded(interim, endedWith(domain('d0', 0.6)));
    const before = made(interim);
    const floor = (coverage: number): void => {
      interim.report = { ...before, assessment: { ...assessment(coverage) } };
    };
    floor(0.2 + 1e-12);
    expect(coverageOf(made(interim))).toBe(0.2 + 1e-12);
    floor(0.3);
    expect(makeInterim(interim, 6)).toBeUndefined();
  });

  it('mints no finding: of those that say the same the heaviest stands for all (invariant 2)', () => {
    const interim = open();
    const same = { measure: 'level', value: 7, source: { kind: 'series' as const, ref: 'the same' } };
    for (const name of ['d0', 'd1']) {
      const path = `root/${name}`;
      const finding = findingOf(path, 'said', { ...same, confidence: name === 'd1' ? 0.9 : 0.4 });
      interimEnded(interim, endedWith(domain(name, 1, { findings: [finding] })));
    }
    const report = made(interim);
    expect(report.findings.map(({ id }) => id)).toEqual(['root/d1#said']);
    expect(report.dispositions).toEqual([{ id: 'root/d0#said', as: 'dropped', why: 'repeats root/d1#said' }]);
  });

  it('is complete in itself when nothing is pending', () => {
    const interim = open();
    for (const name of ['d0', 'd1', 'd2']) interimEnded(interim, endedWith(domain(name, 1)));
    expect(made(interim)).toMatchObject({ status: 'complete', gaps: [] });
  });
});
