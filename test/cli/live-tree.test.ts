import { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { liveTree } from '../../src/cli/live-tree.ts';
import { plainProgress } from '../../src/cli/plain-progress.ts';
import { createProgress } from '../../src/cli/run-progress.ts';
import { attemptFailed, escalated, nodeStarted, planOf, reported, runStarted, stamped } from './progress-events.ts';
import { critical } from '../render/sample-report.ts';

/** A terminal that keeps what is written to it. */
function terminal(columns: number, rows: number): { stream: WriteStream; written: () => string } {
  const written: string[] = [];
  const stream = Object.assign(Object.create(WriteStream.prototype) as WriteStream, {
    isTTY: true,
    columns,
    rows,
    write: (text: string) => written.push(text) > 0,
    on: () => stream,
    off: () => stream,
  });
  return { stream, written: () => written.join('') };
}

describe('the live tree', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('redraws on a tick, with notices above the tree in one write', () => {
    vi.useFakeTimers();
    const { stream, written } = terminal(80, 24);
    const view = liveTree(stream, createProgress(planOf(2, 3)));
    view.show(runStarted(Date.now()));
    const first = written().length;
    for (let i = 0; i < 50; i++) view.show(escalated(`root/domain-0/leaf-${i}`));
    expect(written()).toHaveLength(first);
    vi.advanceTimersByTime(100);
    expect(written()).toContain('CRITICAL root/domain-0/leaf-49: What root/domain-0/leaf-49#k says');
    expect(written().split('\u001b[?2026h')).toHaveLength(4); // the first frame, the notices, the tree
    view.close();
  });

  it('wraps a notice to two lines, and cuts it at the end of a clause', () => {
    vi.useFakeTimers();
    const { stream, written } = terminal(80, 24);
    const view = liveTree(stream, createProgress(planOf(2, 3)));
    const statement =
      'US employment, construction (2009-01): 12.2 % below a year earlier (robust z -3.2), the last 3 months at an ' +
      'annual -21.1 %, mean break at 2008-10 (sup-F 11.7)';
    const finding = critical('root/macro/cyclical-jobs#k', { statement });
    view.show(stamped({ type: 'finding.escalated', path: 'root', finding }));
    view.close();
    const shown = stripVTControlCharacters(written());
    expect(shown).toContain('CRITICAL root/macro/cyclical-jobs: US employment, construction (2009-01):\n');
    expect(shown).toContain('  12.2 % below a year earlier (robust z -3.2), …\n');
  });

  it('leaves the tree of the domains behind, and stops', () => {
    vi.useFakeTimers();
    const { stream, written } = terminal(40, 24);
    const view = liveTree(stream, createProgress(planOf(2, 3)));
    view.show(runStarted(Date.now()));
    view.show(reported('root', 'root', Date.now()));
    view.close();
    const closed = written();
    expect(closed).toContain('✓ root');
    vi.advanceTimersByTime(1_000);
    view.close();
    expect(written()).toBe(closed);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('plain progress', () => {
  it('says of a node without children to activate that it executes, or why it may not divide', () => {
    const lines: string[] = [];
    const view = plainProgress({ write: (text: string) => lines.push(text) > 0 } as NodeJS.WritableStream);
    const estimates = { leaves: 0, criticalPathMs: 0 };
    const decision = { by: 'scenario', mode: 'execute' as const, stages: [], skipped: [], estimates };
    view.show(stamped({ type: 'node.planned', path: 'root/a', decision }));
    view.show(stamped({ type: 'node.planned', path: 'root/b', decision: { ...decision, demoted: ['c'] } }));
    view.show(stamped({ type: 'depth.refused', path: 'root/b', maxDepth: 1, children: ['c'] }));
    expect(lines).toEqual([
      '   0.00 s  root/a executes the task itself\n',
      '   0.00 s  root/b may not divide: depth is spent, 1 child refused\n',
    ]);
  });

  it('cuts nothing: who reads a log may search it', () => {
    const lines: string[] = [];
    const view = plainProgress({ write: (text: string) => lines.push(text) > 0 } as NodeJS.WritableStream);
    const finding = critical('root/a#k', { statement: `${'very '.repeat(100)}12.2 %` });
    view.show(stamped({ type: 'finding.escalated', path: 'root', finding }));
    expect(lines.join('')).toContain(`very 12.2 %\n`);
  });

  it('says what matters, one line each, with the time since the start', () => {
    const lines: string[] = [];
    const stream = { write: (text: string) => lines.push(text) > 0 } as NodeJS.WritableStream;
    const view = plainProgress(stream);
    for (const event of [
      runStarted(0),
      nodeStarted('root/domain-0', 'domain', 0),
      escalated('root/domain-0/leaf-0'),
      attemptFailed('root/domain-0/leaf-1', true),
      reported('root/domain-0/leaf-2', 'leaf'),
      reported('root/domain-0', 'domain', 12_340),
    ]) {
      view.show(event);
    }
    view.say('Interrupted.');
    expect(lines).toEqual([
      '   0.00 s  wide: Hold, due in 8 min\n',
      '   1.00 s  CRITICAL root/domain-0/leaf-0: What root/domain-0/leaf-0#k says\n',
      '   1.00 s  root/domain-0/leaf-1 attempt 1 failed (error): no, trying again\n',
      '  12.34 s  root/domain-0 complete: 0 findings\n',
      'Interrupted.\n',
    ]);
  });
});
