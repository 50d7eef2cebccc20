import { describe, expect, it, test } from 'vitest';
import { FailureToken, UnsealedReport, type UnsealedOutcome } from '../../src/protocol/report.ts';
import { executedReport, rootReport } from '../../src/tier/report.ts';
import { HOST_VERSION } from '../../src/version.ts';
import { criticalOf, decisionOf, endedWith, findingOf, grantOf, leaf, reportOf, taskOf, tokenOf } from './samples.ts';

const PATH = 'root/macro';
const alarm = criticalOf(PATH);
const demoted = decisionOf([], { mode: 'execute', demoted: ['jobs', 'output'] });
const demotion = { path: PATH, kind: 'demoted', why: 'depth is spent: executed without jobs, output' };
const undone = { path: `${PATH}/jobs`, kind: 'undone', why: 'no execute' } as const;

describe('executedReport: a node that did its task as a leaf', () => {
  it('keeps its own place in the tree, its decision, and says what it went without', () => {
    const report = reportOf(PATH, [alarm], { tier: 'leaf', gaps: [undone], status: 'partial' });
    expect(executedReport(taskOf(PATH), demoted, report)).toEqual({
      ...report,
      tier: 'domain',
      decision: demoted,
      gaps: [undone, demotion],
    });
  });
  it('is no demotion when it did nothing but name each child as undone', () => {
    const gaps = ['jobs', 'output'].map((name) => ({ ...undone, path: `${PATH}/${name}` }));
    const gapsOf = (findings: (typeof alarm)[], left: typeof gaps): unknown => {
      const outcome = executedReport(taskOf(PATH), demoted, reportOf(PATH, findings, { tier: 'leaf', gaps: left }));
      return outcome.kind === 'report' && outcome.gaps;
    };
    expect(gapsOf([], gaps)).toEqual(gaps);
    expect(gapsOf([alarm], gaps)).toEqual([...gaps, demotion]);
    expect(gapsOf([], gaps.slice(1))).toEqual([...gaps.slice(1), demotion]);
  });
  it('by its own choice is no demotion', () => {
    const decision = decisionOf([], { mode: 'execute' });
    expect(executedReport(taskOf(PATH), decision, reportOf(PATH))).toMatchObject({ decision, gaps: [] });
    expect(executedReport(taskOf(PATH), decision, tokenOf(PATH))).not.toHaveProperty('partial');
  });
  test.each([
    ['with a partial', { partial: reportOf(PATH, [alarm], { status: 'partial' }) }, [alarm]],
    ['with none', {}, []],
  ])('a token %s names the demotion too', (_, over, findings) => {
    const outcome = executedReport(taskOf(PATH), demoted, tokenOf(PATH, over));
    expect(outcome).toMatchObject({
      kind: 'failure',
      status: 'error',
      partial: { status: 'partial', decision: demoted, gaps: [demotion], findings, escalations: findings },
    });
    expect(FailureToken.safeParse(endedWith(outcome).outcome).error).toBeUndefined();
  });
});

describe('rootReport: the root always ends in a report', () => {
  const task = taskOf('root', { asOf: '2008-06-01', grant: grantOf({ depthLeft: 2 }), question: 'Hold it?' });
  it('which adds what only the root knows of its run', () => {
    const usage = { ...reportOf('root').usage.self, depth: 3 };
    const outcome = reportOf('root', [], { gaps: [demotion as never, undone], usage: { self: usage, subtree: usage } });
    expect(rootReport(task, outcome)).toEqual({
      ...outcome,
      question: 'Hold it?',
      run: { maxDepth: 2, observedDepth: 3, demotions: [PATH], asOf: '2008-06-01', hostVersion: HOST_VERSION },
    });
    expect(rootReport(taskOf('root'), outcome).run).not.toHaveProperty('asOf');
  });
  const gap = { path: 'root', kind: 'token', why: 'timeout: too late', status: 'timeout' };
  const timeout = { status: 'timeout', message: 'too late' } as const;
  test.each<[string, UnsealedOutcome, object]>([
    [
      'that left nothing',
      tokenOf('root', timeout),
      { status: 'failed', findings: [], gaps: [gap], madeBy: 'deterministic' },
    ],
    [
      'that left findings',
      tokenOf('root', { ...timeout, partial: reportOf('root', [criticalOf('root')], { gaps: [undone] }) }),
      { status: 'partial', findings: [criticalOf('root')], escalations: [criticalOf('root')], gaps: [undone, gap] },
    ],
    [
      'that left only a failed report',
      tokenOf('root', { ...timeout, partial: reportOf('root', [], { status: 'failed' }) }),
      { status: 'failed', gaps: [gap] },
    ],
  ])('also in place of a token %s', (_, token, expected) => {
    const report = rootReport(task, token);
    expect(report).toMatchObject({ kind: 'report', path: 'root', tier: 'root', question: 'Hold it?', ...expected });
    expect(UnsealedReport.safeParse(report).error).toBeUndefined();
  });
  it('weighs its own findings when it executed by itself, and only then', () => {
    const decision = decisionOf([], { mode: 'execute' });
    const against = findingOf('root', 'said', { stance: -1, confidence: 1 });
    const own = rootReport(task, reportOf('root', [against], { decision }));
    expect(own.assessment).toMatchObject({
      votes: { against: 1 },
      coverage: 1,
      conviction: expect.any(Number) as number,
    });
    expect(own.assessment?.conviction).toBeLessThan(0);
    for (const report of [reportOf('root', [], { decision }), reportOf('root', [against])]) {
      expect(rootReport(task, report)).not.toHaveProperty('assessment');
    }
  });
  it('is of plain data: its task, its outcome and its findings are not altered', () => {
    const outcome = Object.freeze(reportOf('root', [findingOf('root')]));
    const before = JSON.stringify([task, outcome]);
    rootReport(task, outcome);
    executedReport(task, decisionOf([[leaf('a')]]), outcome);
    expect(JSON.stringify([task, outcome])).toBe(before);
  });
});
