import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closingFrame, frameOf } from '../../src/cli/progress-frame.ts';
import { createProgress, type RunProgress } from '../../src/cli/run-progress.ts';
import type { RunEvent } from '../../src/protocol/index.ts';
import { plain } from '../../src/render/paint.ts';
import { displayWidth } from '../../src/render/text-layout.ts';
import { attemptStarted, failed, nodeStarted, planOf, reported, runStarted } from './progress-events.ts';

const NOW = 2_500;
const leaf = (domain: number, index: number): string => `root/domain-${domain}/some-rather-long-analyst-${index}`;

function under(domains: number, leaves: number, events: readonly RunEvent[]): RunProgress {
  const progress = createProgress(planOf(domains, leaves));
  for (const event of [runStarted(), nodeStarted('root', 'root'), ...events]) progress.apply(event);
  return progress;
}
const frame = (progress: RunProgress, columns: number, rows: number): string[] =>
  frameOf(progress, { columns, rows, now: NOW, paint: plain });

describe('a frame of the live tree', () => {
  const events = [
    nodeStarted('root/domain-0', 'domain'),
    nodeStarted('root/domain-1', 'domain'),
    attemptStarted(leaf(0, 0)),
    reported(leaf(0, 0), 'leaf'),
    attemptStarted(leaf(0, 1), 2),
    attemptStarted(leaf(1, 0)),
    failed(leaf(1, 0)),
  ];

  it('shows who works, who ended and how, and what waits', () => {
    expect(frame(under(2, 2, events), 79, 23).slice(1)).toEqual(
      [
        '2.5 s of 8 min, 2 of 4 ended, 1 running, 0 critical, as of 2008-06-01',
        '⠴ root                             2 of 4 leaves, 2.5 s',
        '├ ⠴ domain-0                       1 of 2 leaves, 2.5 s',
        '│ ├ ✓ some-rather-long-analyst-0   0 found, 1.0 s',
        '│ └ ⠴ some-rather-long-analyst-1   attempt 2, 2.5 s',
        '└ ⠴ domain-1                       1 of 2 leaves, 2.5 s',
        '  ├ ✗ some-rather-long-analyst-0   timeout, 1.0 s',
        '  └ · some-rather-long-analyst-1   ',
      ]
        .map((line) => line.replace(/ +$/, ''))
        .map((line) => line.replace('   ', '  ')),
    );
  });

  it('counts the leaves of a wide tree instead of listing them', () => {
    const lines = frame(under(3, 100, events), 79, 23);
    expect(lines.length).toBeLessThanOrEqual(23);
    expect(lines.join('\n')).toContain('│ ├ ⠴ some-rather-long-analyst-1');
    expect(lines.join('\n')).toContain('│ └ 1 done, 98 waiting');
    expect(lines.join('\n')).toContain('  └ 100 waiting');
  });

  it('keeps what runs in sight when even the domains are too many', () => {
    const done = Array.from({ length: 30 }, (_, d) => reported(`root/domain-${d}`, 'domain'));
    const lines = frame(under(40, 3, [...done, nodeStarted('root/domain-39', 'domain')]), 79, 10);
    expect(lines).toHaveLength(10);
    expect(lines.join('\n')).toContain('⠴ domain-39');
    expect(lines.at(-1)).toMatch(/^└ and \d+ more nodes$/);
  });

  it('fits any terminal (invariant 1)', () => {
    const size = fc.record({ columns: fc.integer({ min: 20, max: 120 }), rows: fc.integer({ min: 1, max: 40 }) });
    const tree = fc.record({ domains: fc.integer({ min: 0, max: 30 }), leaves: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(size, tree, ({ columns, rows }, { domains, leaves }) => {
        const progress = under(domains, leaves, domains > 1 && leaves > 1 ? events : []);
        const options = { columns, rows, now: NOW, paint: plain };
        for (const lines of [frameOf(progress, options), closingFrame(progress, options)]) {
          expect(lines.length).toBeLessThanOrEqual(Math.max(rows, 2));
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });

  it('is drawn in time for ten thousand leaves', () => {
    const progress = under(100, 100, events);
    const started = performance.now();
    for (let i = 0; i < 10; i++) frame(progress, 79, 23);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('the closing frame', () => {
  it('keeps the domains and drops the leaves', () => {
    const progress = under(2, 50, [
      reported('root/domain-0', 'domain'),
      failed('root/domain-1'),
      reported('root', 'root'),
    ]);
    expect(closingFrame(progress, { columns: 79, rows: 23, now: NOW, paint: plain })).toEqual([
      '✓ root        0 of 100 leaves, 100 cut off, 1.0 s',
      '├ ✓ domain-0  0 of 50 leaves, 50 cut off',
      '└ ✗ domain-1  0 of 50 leaves, 50 cut off, timeout',
      '',
    ]);
  });

  it('counts those that an interrupt cut off apart from those that ended', () => {
    const progress = under(1, 15, [
      nodeStarted('root/domain-0', 'domain'),
      ...Array.from({ length: 8 }, (_, i) => reported(leaf(0, i), 'leaf')),
      failed(leaf(0, 8)),
      ...Array.from({ length: 6 }, (_, i) => failed(leaf(0, 9 + i), 'cancelled')),
    ]);
    expect(frame(progress, 79, 10).slice(1)).toEqual([
      '2.5 s of 8 min, 9 of 15 ended, 0 running, 0 critical, as of 2008-06-01',
      '⠴ root                             9 of 15 leaves, 6 cut off, 2.5 s',
      '└ ⠴ domain-0                       9 of 15 leaves, 6 cut off, 2.5 s',
      '  ├ ✗ some-rather-long-analyst-8   timeout',
      '  ├ - some-rather-long-analyst-9   cancelled',
      '  ├ - some-rather-long-analyst-10  cancelled',
      '  ├ - some-rather-long-analyst-11  cancelled',
      '  ├ - some-rather-long-analyst-12  cancelled',
      '  └ 2 cut off, 8 done',
    ]);
    progress.apply(reported('root/domain-0', 'domain'));
    progress.apply(reported('root', 'root'));
    expect(closingFrame(progress, { columns: 79, rows: 23, now: NOW, paint: plain })[0]).toContain(
      'root        9 of 15 leaves, 6 cut off',
    );
    expect(closingFrame(progress, { columns: 50, rows: 23, now: NOW, paint: plain })[0]).toContain('9/15 6 cut');
  });
});
