import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderNode, type NodeView } from '../../src/render/node-view.ts';
import { displayWidth } from '../../src/render/text-layout.ts';
import { anyText } from './hostile-text.ts';
import { ranSlowly } from './stored-run.ts';

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
const START = Date.UTC(2026, 10, 20, 10);

async function domainView(over: Partial<NodeView> = {}): Promise<NodeView> {
  const { domain } = await ranSlowly();
  return {
    runId: 'run',
    scenario: 'tree',
    path: 'root/d2',
    tier: 'domain',
    depth: 1,
    state: 'complete',
    asOf: '2008-06-01',
    startedAt: START,
    endedAt: START + 41_000,
    begun: 1,
    task: {
      question: 'Does it hold?',
      charter: 'domain 2',
      grant: {
        depthLeft: 1,
        issuedAt: START,
        deadline: START + 480_000,
        reserveMs: 2_000,
        budget: {},
        maxChildren: 8,
        sources: ['us/jobs'],
        tools: [],
      },
      needs: [{ path: 'root/d0', digest: 'x' }],
    },
    decision: {
      by: 'scenario',
      mode: 'divide',
      stages: [[{ name: 'l0', role: 'leaf' }], [{ name: 'l1', role: 'leaf', needs: ['l0'] }]],
      skipped: [{ name: 'l9', why: 'not chosen' }],
      demoted: ['deep'],
      estimates: { leaves: 2, criticalPathMs: 0 },
    },
    attempts: [
      {
        attempt: 1,
        startedAt: START,
        endedAt: START + 5_000,
        fault: { status: 'error', message: 'no', diagnosis: 'transient' },
        willRetry: true,
      },
      {
        attempt: 2,
        startedAt: START + 6_000,
        endedAt: START + 9_000,
        told: 'try harder',
        hedge: { at: START + 8_000, dropped: 'first' },
      },
    ],
    rejected: [{ status: 'invalid', message: 'cites nobody' }],
    missing: ['root/d2/l1'],
    outcome: domain,
    parts: [
      { phase: 'planning', ms: 20 },
      { waitedFor: 'l1', ms: 1_000 },
      { phase: 'synthesis', ms: 40_000 },
    ],
    standing: {
      digest: 'a'.repeat(64),
      holders: [
        { by: 'root', as: 'same' },
        { by: 'the receipt', as: 'same' },
      ],
    },
    ...over,
  };
}

describe.each([80, 40])('a node of a stored run in %i columns', (width) => {
  it('tells its story', async () => {
    const text = renderNode(await domainView(), { width });
    for (const said of [
      'complete; node of run run, tree',
      'Does it hold? Charter: domain 2 As of 2008-06-01',
      'Granted: 8 min, until 2026-11-20 10:08:00 UTC; 2.0 s of it kept back for its synthesis; 1 tier below it, at most 8 children; to read us/jobs',
      'It was given the reports of root/d0',
      'by the scenario: to divide stage 1: l0 stage 2: l1 (needs l0)',
      'skipped l9: not chosen',
      'demoted, depth was spent; not spawned: deep',
      'went on without l1',
      '1. 2026-11-20 10:00:00 UTC, 5.0 s, failed (error, transient): no',
      '2. 2026-11-20 10:00:06 UTC, 3.0 s Hedged after 2.0 s by a second execution, which went on alone. It had been told: try harder',
      'invalid: cites nobody',
      'Reported: complete, made by the deterministic synthesis',
      'CRITICAL (alarm: it rings) Said by root/d2/l0 root/d2/l0#said: stance +0.50, confidence 80 %',
      '2 of 2 findings kept, 0 merged, 0 dropped; signal 100 %',
      'l0: complete, digest',
      'began 2026-11-20 10:00:00 UTC, took 41 s planning 20 ms, then waited 1.0 s for l1, then synthesis 40 s',
      `Digest ${'a'.repeat(12)} root vouches for root/d2 the receipt vouches for root`,
    ]) {
      expect(flat(text)).toContain(said);
    }
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('escapes all that was said', async () => {
    const view = await domainView();
    if (view.outcome?.kind !== 'report' || !view.task || !view.decision) throw new Error('it has them');
    const { outcome, task, decision } = view;
    const token = {
      kind: 'failure',
      schemaVersion: 1,
      runId: 'run',
      path: 'p',
      tier: 'leaf',
      status: 'error',
    } as const;
    fc.assert(
      fc.property(anyText, (said) => {
        const findings = outcome.findings.map((finding) => ({
          ...finding,
          id: said,
          statement: said,
          unit: said,
          value: 1,
          critical: { rule: said, reason: said },
        }));
        const gaps = [{ path: said, kind: 'token' as const, why: said }];
        const hostile: NodeView = {
          ...view,
          scenario: said,
          invalidated: said,
          task: { ...task, question: said, charter: said, grant: { ...task.grant, sources: [said] } },
          decision: { ...decision, by: said, skipped: [{ name: said, why: said }], demoted: [said] },
          attempts: [{ attempt: 1, startedAt: START, told: said, fault: { status: 'error', message: said } }],
          rejected: [{ status: 'error', message: said }],
          outcome: {
            ...outcome,
            narrative: said,
            findings,
            escalations: findings,
            gaps,
            dispositions: [{ as: 'dropped', id: said, why: said || 'x' }],
            artifacts: [{ ref: said, bytes: 1, sha256: said }],
          },
        };
        const failed: NodeView = {
          ...hostile,
          outcome: {
            ...token,
            message: said,
            attempts: 1,
            retryable: true,
            elapsedMs: 1,
            digest: 'd',
            partial: outcome,
          },
        };
        for (const one of [hostile, failed]) {
          // oxlint-disable-next-line no-control-regex -- those are what must not be there
          expect(renderNode(one, { width })).not.toMatch(/[\0-\x09\x0B-\x1F\x7F-\x9F\u202E\u200B]/);
        }
      }),
    );
  });
});

describe('a node of a stored run', () => {
  it('raises its voice where a digest is not what it was', async () => {
    const standing = { digest: 'a'.repeat(64), holders: [{ by: 'root', as: 'other' as const }] };
    const text = renderNode(await domainView({ standing }));
    expect(text).toContain('root names another digest of root/d2: something was changed');
  });

  it('names the big outputs that it refers to', async () => {
    const { outcome, ...view } = await domainView();
    if (outcome?.kind !== 'report') throw new Error('it is a report');
    const artifacts = [{ ref: 'root/d2/l0#table.csv', bytes: 4_200, sha256: 'b'.repeat(64) }];
    expect(renderNode({ ...view, outcome: { ...outcome, artifacts } })).toContain(
      `\n1 artifact, kept in the store\n  - root/d2/l0#table.csv: 4,200 bytes, SHA-256 ${'b'.repeat(12)}\n`,
    );
  });

  it('names what it did not pass up, and why', async () => {
    const { outcome, ...view } = await domainView();
    if (outcome?.kind !== 'report') throw new Error('it is a report');
    const dispositions = Array.from({ length: 14 }, (_, i) => ({ as: 'dropped' as const, id: `a#${i}`, why: 'light' }));
    const text = renderNode({ ...view, outcome: { ...outcome, dispositions } });
    expect(flat(text)).toMatch(/dropped, light: a#0, a#1, .* a#11 and 2 more Time/);
  });

  it('says how it failed, what it had said, and that a run goes on without it', async () => {
    const { outcome: partial, ...view } = await domainView({ state: 'timeout', begun: 2 });
    if (partial?.kind !== 'report') throw new Error('it is a report');
    const { runId, path, tier } = partial;
    const outcome = { kind: 'failure', schemaVersion: 1, runId, path, tier, status: 'timeout' } as const;
    const text = renderNode({
      ...view,
      outcome: {
        ...outcome,
        message: 'closed itself',
        attempts: 2,
        retryable: true,
        elapsedMs: 9,
        digest: 'd',
        partial,
      },
    });
    expect(text).toContain('Failed: timeout\n  closed itself\n  after 2 attempts; it could be tried again');
    expect(
      renderNode({
        ...view,
        outcome: {
          ...outcome,
          message: 'boom',
          attempts: 3,
          retryable: true,
          needsHuman: true,
          elapsedMs: 9,
          digest: 'd',
        },
      }),
    ).toContain('boom\n  after 3 attempts; it needs a human');
    expect(text).toContain('What it had said until then');
    expect(text).toContain('It began 2 times: the run was interrupted and resumed.');
  });

  it('says what is not there yet', async () => {
    const { outcome: _, standing: _standing, ...view } = await domainView({ state: 'running' });
    expect(renderNode(view)).toContain('It has not ended');
    expect(renderNode({ ...view, state: 'complete' })).toContain('How it ended cannot be read');
    const open = { digest: 'a'.repeat(64), holders: [], open: 'root' };
    expect(renderNode({ ...view, standing: open })).toContain('root has not reported, and so does not vouch');
  });
});
