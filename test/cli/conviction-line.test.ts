import { describe, expect, it } from 'vitest';
import { plainProgress } from '../../src/cli/plain-progress.ts';
import { closingFrame, frameOf } from '../../src/cli/progress-frame.ts';
import { createProgress, type RunProgress } from '../../src/cli/run-progress.ts';
import type { RunEvent } from '../../src/protocol/index.ts';
import { plain } from '../../src/render/paint.ts';
import { displayWidth } from '../../src/render/text-layout.ts';
import { nodeStarted, planOf, reported, runStarted, stamped } from './progress-events.ts';
import { emptyReport } from '../render/sample-report.ts';

const lean = { coverage: 0.5, dissent: 0, logOdds: 0, votes: { against: 1, context: 0, neutral: 0, supports: 0 } };
/** Of the root over 15 leaves. */
function interim(conviction: number | undefined, leaves: number, at = 1_000, of = 15): RunEvent {
  const sample = emptyReport({ path: 'root', tier: 'root' });
  const report = {
    ...sample,
    assessment: { ...lean, label: '', patterns: [], risks: [], ...(conviction !== undefined && { conviction }) },
    decision: {
      by: 'scenario',
      mode: 'divide' as const,
      stages: [],
      skipped: [],
      estimates: { leaves: of, criticalPathMs: 1 },
    },
    usage: { ...sample.usage, subtree: { ...sample.usage.subtree, leaves } },
  };
  return stamped(
    { type: 'synthesis.interim', path: 'root', tier: 'root', ended: 1, children: 3, assessment: lean, report },
    at,
  );
}
const below = stamped({
  type: 'synthesis.interim',
  path: 'root/domain-0',
  tier: 'domain',
  ended: 1,
  children: 5,
  assessment: lean,
});

describe('the live tree', () => {
  const under = (...events: RunEvent[]): RunProgress => {
    const progress = createProgress(planOf(3, 5));
    for (const event of [runStarted(), nodeStarted('root', 'root'), ...events]) progress.apply(event);
    return progress;
  };
  const frame = (progress: RunProgress, columns = 79, rows = 23): string[] =>
    frameOf(progress, { columns, rows, now: 2_500, paint: plain });

  it('has a line for conviction once there is one, and shows how it moved', () => {
    const untold = frame(under(below, interim(undefined, 1)));
    expect(untold[2]).toContain('root');
    expect(frame(under(interim(-12, 4)))[2]).toBe('conviction −12 of 4 of 15 leaves');
    const moved = frame(under(interim(-12, 4), interim(-31, 8), interim(-31, 9), below));
    expect(moved[2]).toBe('conviction −12 → −31 of 9 of 15 leaves');
    expect(moved[3]).toContain('root');
    expect(frame(under(interim(0, 1, 0, 1)))[2]).toBe('conviction 0 of 1 of 1 leaf');
  });

  it('ends with the conviction of the brief', () => {
    const brief = interim(-40, 15);
    const report = brief.type === 'synthesis.interim' ? brief.report : undefined;
    if (!report) throw new Error('no report');
    const ended = stamped({ type: 'node.reported', path: 'root', tier: 'root', report });
    expect(frame(under(interim(-12, 4), ended))[2]).toBe('conviction −12 → −40 of 15 of 15 leaves');
    expect(frame(under(ended))[2]).not.toContain('conviction'); // of a run that is not incremental
    expect(frame(under(interim(-12, 4), reported('root', 'root')))[2]).toBe('conviction −12 of 4 of 15 leaves');
  });

  it('fits any terminal', () => {
    const progress = under(interim(-100, 12_345), interim(-31, 12_346));
    for (const columns of [20, 40, 60, 79]) {
      for (const rows of [1, 2, 3, 4, 10, 23]) {
        for (const lines of [frame(progress, columns, rows), closing(progress, columns, rows)]) {
          expect(lines.length).toBeLessThanOrEqual(Math.max(rows, 2));
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        }
      }
    }
  });
  const closing = (progress: RunProgress, columns: number, rows: number): string[] =>
    closingFrame(progress, { columns, rows, now: 2_500, paint: plain });
});

describe('plain progress', () => {
  const linesFor = (...events: RunEvent[]): string[] => {
    const lines: string[] = [];
    const view = plainProgress({ write: (text: string) => lines.push(text) > 0 } as NodeJS.WritableStream);
    view.show(runStarted(0));
    for (const event of events) view.show(event);
    return lines.slice(1);
  };

  it('says conviction first, and then when it has moved by 5 or more since it was last said', () => {
    const lines = linesFor(
      below,
      interim(undefined, 1),
      interim(-12, 4, 1_000),
      interim(-8, 5, 1_500),
      interim(-16, 6, 2_000),
      interim(-17, 7, 2_500),
      interim(3, 9, 3_000),
    );
    expect(lines).toEqual([
      '   1.00 s  conviction −12 of 4 of 15 leaves\n',
      '   2.50 s  conviction −12 → −17 of 7 of 15 leaves\n',
      '   3.00 s  conviction −17 → +3 of 9 of 15 leaves\n',
    ]);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80);
  });

  it('says that an interim could not be made', () => {
    const fault = { status: 'error' as const, message: 'no' };
    expect(linesFor(stamped({ type: 'interim.failed', path: 'root/a', fault }))).toEqual([
      '   1.00 s  root/a could not say how it stands: no\n',
    ]);
  });
});
