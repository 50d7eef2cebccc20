import { describe, expect, it } from 'vitest';
import { renderTerminalBrief } from '../../src/render/terminal-brief.ts';
import { displayWidth } from '../../src/render/text-layout.ts';
import { critical, emptyReport, floodedReport, fullReport, meagreReport, partialReport } from './sample-report.ts';

const files = { Brief: 'runs/x/brief.md', Report: 'runs/x/brief.json' };

describe('the brief on a terminal', () => {
  it('says verdict, risks, contradictions, gaps and where the whole is', () => {
    const screen = renderTerminalBrief(fullReport(), { files });
    expect(screen).toContain('as of 2008-06-01: thesis contradicted, conviction −54\n');
    expect(screen).toContain('  1 MSFT stands 27 % below its high\n    root/company/msft#drawdown\n');
    expect(screen).toContain('  - company (+0.42) contradicts macro (-1.59)\n');
    expect(screen).toContain('  - root/macro/receipts: stale, last observation 2007-01-01\n');
    expect(screen).toContain('Brief   runs/x/brief.md\n');
  });

  it.each([80, 40])('fits %d columns', (width) => {
    for (const report of [fullReport(), partialReport(), emptyReport({ status: 'failed' }), floodedReport(80)]) {
      for (const line of renderTerminalBrief(report, { width }).split('\n')) {
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  it('stays a screenful under a flood and under a huge statement', () => {
    expect(renderTerminalBrief(floodedReport(80)).split('\n').length).toBeLessThan(36);
    const huge = critical('root/a#x', { statement: 'very '.repeat(200_000) });
    const screen = renderTerminalBrief(emptyReport({ findings: [huge], escalations: [huge] }));
    expect(screen.split('\n').length).toBeLessThan(20);
  });

  it('warns of a partial brief before anything that rests on it', () => {
    const screen = renderTerminalBrief(partialReport());
    expect(screen).toContain('! This brief is partial. Missing: root/sector.');
    const gaps = ['root/a', 'root/b', 'root'].map((path) => ({
      path,
      kind: 'token' as const,
      why: path.length > 4 ? 'cut off' : 'error',
    }));
    expect(renderTerminalBrief({ ...partialReport(), gaps })).toContain('Missing: root/a, root/b and root.');
    expect(screen.indexOf('partial')).toBeLessThan(screen.indexOf('Key risks'));
  });

  it('says before anything that rests on it when most of the work could say nothing', () => {
    expect(renderTerminalBrief(meagreReport()).split('\n').slice(1, 3)).toEqual([
      '! Low coverage: this brief rests on 7 % of the work; the rest could say nothing.',
      'as of 2008-06-01: thesis contradicted, conviction −54',
    ]);
    expect(renderTerminalBrief(fullReport())).not.toContain('Low coverage');
  });

  it('steers no terminal', () => {
    const hostile = critical('root/a#x', { statement: '\u001b[2Jgone\r\n' });
    const screen = renderTerminalBrief(emptyReport({ findings: [hostile], escalations: [hostile] }));
    expect(screen).toContain('⟨U+001B⟩[2Jgone⟨U+000D⟩⟨U+000A⟩');
  });
});
