import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reviewOf } from '../../src/runtime/record/review.ts';
import { renderRun } from '../../src/render/run-view.ts';
import { displayWidth } from '../../src/render/text-layout.ts';
import { anyText } from './hostile-text.ts';
import { ranSlowly } from './stored-run.ts';

/** As one line, so that wrapping does not matter. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe.each([80, 40])('a stored run in %i columns', (width) => {
  it('says where the time went and who waited', async () => {
    const { view } = await ranSlowly();
    const text = renderRun(view, { width });
    for (const said of [
      'tree: complete, 10 nodes, 6 leaves, depth 2 of 2',
      'started 2026-11-20 10:00:00 UTC, took 41 s of 8 min',
      '6 findings at the root, 1 critical, 0 gaps',
      'Bottleneck: domain at depth 1, root/d2: 40 s of 41 s, mostly synthesis; root waited 38 s for it alone.',
      'Where the time went: 98 % domain at depth 1, 2 % leaf.',
      'root/d2/l1: work 1.0 s, 2 %',
      'root waited 38 s for d2 alone, after d0',
      'Nothing was lost on the way up.',
      'All nodes together: 10 s of work, 0 s of waiting for a slot',
      '6 attempts at 6 leaves, no retry.',
      "Cost: no model was used. Per completed leaf (6): 1.0 attempts, 8.3 s of all nodes' work.",
    ]) {
      expect(flat(text)).toContain(said);
    }
    expect(text).not.toContain('$');
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('escapes all that was said', async () => {
    const { view } = await ranSlowly();
    fc.assert(
      fc.property(anyText, anyText, anyText, (thesis, scenario, hostname) => {
        const holder = { pid: 1, hostname, silentMs: 5 };
        const text = renderRun({ ...view, thesis, scenario, runId: scenario, asOf: thesis, holder }, { width });
        // oxlint-disable-next-line no-control-regex -- those are what must not be there
        expect(text).not.toMatch(/[\0-\x09\x0B-\x1F\x7F-\x9F\u202E\u200B]/);
      }),
    );
  });
});

describe('a stored run', () => {
  it('fits on a screen, with its tree', async () => {
    const { view } = await ranSlowly();
    const text = renderRun(view);
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
    expect(text.slice(0, text.indexOf('\nNodes')).split('\n').length).toBeLessThanOrEqual(42);
    const bars = Object.fromEntries(text.split('\n').map((line) => [line.trim().split(' ')[0], line]));
    expect(bars['d2']).toMatch(/━{20,} +41 s$/);
    expect(bars['d1']).toMatch(/ ━━ +1\.0 s$/);
  });

  it('shows of a big tree what fits of it, and says how much is below', async () => {
    const { view } = await ranSlowly();
    const leaves = Array.from({ length: 40 }, (_, i) => ({
      path: `root/d0/m${i}`,
      depth: 2,
      state: 'complete',
      from: 0,
      to: 1,
    }));
    const text = renderRun({ ...view, nodes: [...view.nodes, ...leaves] });
    expect(text).toContain('Nodes down to depth 1');
    expect(text).toMatch(/d0 .*, 42 nodes below/);
  });

  it('names failures, retries and what was lost', async () => {
    const { view } = await ranSlowly({ faults: ['root/d1/l0=throw', 'root/d0=hang'] });
    const text = flat(renderRun(view));
    expect(text).toContain('2 retries: root/d1/l0 (3 attempts).');
    const hedged = flat(renderRun({ ...view, review: { ...view.review, hedges: 2 } }));
    expect(hedged).toContain('2 attempts straggled and had a second execution.');
    expect(text).toContain('Failed: 1 node, timeout (root/d0); 1 node, error (root/d1/l0).');
    expect(text).toContain('What 1 failed node used is not known.');
    const { retention } = view.review;
    const worst = { ...retention.tiers[0]!, path: 'root/d1', incoming: 9, dropped: 4, recall: 0.5, level: 'leafward' };
    const lossy = { ...view.review, retention: { ...retention, worstTier: worst, worstNode: worst } };
    expect(flat(renderRun({ ...view, review: lossy }))).toContain(
      'Most was lost at the tier leafward, and there at root/d1: 4 of 9 findings dropped, and with them 50 % of the signal.',
    );
    const light = { ...worst, path: 'root', level: 'root', recall: 1 };
    const harmless = { ...view.review, retention: { ...retention, worstTier: light, worstNode: light } };
    expect(flat(renderRun({ ...view, review: harmless }))).toContain(
      'Most was lost at root: 4 of 9 findings dropped, and with them none of the signal.',
    );
  });

  it('tells slots from work', async () => {
    const { view } = await ranSlowly({ concurrency: 1 });
    const waits = view.review.criticalPath.find(({ phase }) => phase === 'slot');
    expect(waits).toBeDefined();
    const bottleneck = { path: 'root/d1/l1', level: 'leaf', phase: 'slot' as const, ms: 5_000, share: 0.5 };
    const text = renderRun({ ...view, concurrency: 1, review: { ...view.review, bottleneck } });
    expect(flat(text)).toContain('Bottleneck: slots. root/d1/l1 waited 5.0 s of 50 s to be let to work, 1 at once.');
  });

  it('prints money only where a model was used', async () => {
    const { view } = await ranSlowly();
    const total = { usd: 1.5, inputTokens: 4_000, outputTokens: 1_000, attempts: 6, nodeSeconds: 60 };
    const perCompletedLeaf = { usd: 0.25, inputTokens: 600, outputTokens: 200, attempts: 1, nodeSeconds: 10 };
    const cost = { usesModel: true, total, completedLeaves: 6, perCompletedLeaf, nodes: [], unknown: 0 };
    expect(flat(renderRun({ ...view, review: { ...view.review, cost } }))).toContain(
      "Cost: $1.50, 5,000 tokens. Per completed leaf (6): $0.2500, 800 tokens, 1.0 attempts, 10 s of all nodes' work.",
    );
  });

  it('says who works on it, or how to go on', async () => {
    const { view } = await ranSlowly();
    const holder = { pid: 77, hostname: 'host', silentMs: 2_000 };
    expect(renderRun({ ...view, state: 'running', holder })).toContain(
      'Process 77 on host works on it; its last sign of life is 2.0 s old.',
    );
    const interrupted = renderRun({ ...view, state: 'interrupted' });
    expect(interrupted).toContain(
      'Go on with it: espalier resume run\nNothing is known of it after 2026-11-20 10:00:41 UTC.',
    );
    const resumed = renderRun({ ...view, review: { ...view.review, reused: 4 } });
    expect(resumed).toContain('It was resumed: 4 nodes had ended before.');
    expect(flat(resumed)).toContain('started 2026-11-20 10:00:00 UTC, ended 2026-11-20 10:00:41 UTC, 8 min given');
    expect(resumed).not.toContain('Do what was cut off');
  });

  it('says how to do what was cut off, also when the run has ended', async () => {
    const { view } = await ranSlowly({ faults: ['root/d0=hang'] });
    const hint = 'Do what was cut off: espalier resume run';
    expect(renderRun(view)).toContain(hint);
    expect(renderRun({ ...view, holder: { pid: 77, hostname: 'host', silentMs: 1 } })).not.toContain(hint);
  });

  it('says so when nothing has begun', async () => {
    const { view } = await ranSlowly();
    expect(renderRun({ ...view, nodes: [], review: reviewOf([]) })).toContain('No node has begun');
  });
});
