import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recomputes } from '../../../src/analytics/derived.ts';
import { deterministicSynthesis } from '../../../src/analytics/deterministic-synthesis.ts';
import { splitCitations } from '../../../src/analytics/numbers.ts';
import { Synthesis } from '../../../src/protocol/synthesis.ts';
import { measureRetention } from '../../../src/tier/retention.ts';
import {
  critical,
  finding,
  gathered,
  incomingOf,
  json,
  keptFindings,
  leaf,
  leavesUnder,
  orchestrator,
  shuffled,
  token,
  type Gathered,
} from './tree.ts';

const macro = gathered('root/macro', [
  leaf('root/macro/jobs', critical('root/macro/jobs#sahm', { statement: 'Unemployment is 0.6 points over its low.' })),
  leaf('root/macro/gdp', finding('root/macro/gdp#growth', { stance: 0.4, statement: 'GDP grew 2.1 % in 2008-03' })),
]);
const company = gathered('root/company', [
  leaf(
    'root/company/ibm',
    finding('root/company/ibm#trend', { stance: 0.9, confidence: 0.8, statement: 'IBM rose 18 %' }),
  ),
]);
const root = gathered(
  'root',
  [macro, company].map((node) => orchestrator(node, deterministicSynthesis(node))),
);

describe('the narrative', () => {
  it('says what came in, how it leans and what is heaviest, with citations', () => {
    expect(deterministicSynthesis(macro).narrative).toBe(
      '2 findings came in, 1 is critical. 1 speaks for the thesis, 1 speaks against the thesis. ' +
        'On balance the evidence leans against the thesis. ' +
        'Heaviest for the thesis: GDP grew 2.1 % in 2008-03 [root/macro/gdp#growth]. ' +
        'Heaviest against the thesis: Unemployment is 0.6 points over its low [root/macro/jobs#sahm].',
    );
  });

  it('concludes at the root, and says what held the conclusion down', () => {
    const { narrative, assessment } = deterministicSynthesis(root);
    expect(assessment).toMatchObject({
      conviction: 20,
      verdict: 'not established',
      capped: { by: ['root/macro/jobs#sahm'] },
    });
    expect(narrative).toContain(
      'does not settle the thesis and leans for it, held down by critical findings against it',
    );
  });

  it.each([
    [0, 1, 0, 'leans neither way'],
    [0.05, 1, 4, 'leans slightly for it, too little to call'],
    [-0.05, 1, -4, 'leans slightly against it, too little to call'],
    [0.2, 1, 16, 'leans for it'],
    [0.2, 40, 0, 'leans for it only as far as it goes, though not every child could say something'],
  ])('leans by stance %d of one in %d as conviction shows it: %d', (stance, children, conviction, says) => {
    const silent = Array.from({ length: children - 1 }, (_, i) => `silent-${i}`);
    const node = gathered('root', [leaf('root/a', finding('root/a#x', { stance }))], silent);
    const { narrative, assessment } = deterministicSynthesis(node);
    expect(assessment?.conviction).toBe(conviction);
    expect(narrative).toContain(`On balance the evidence does not settle the thesis and ${says}`);
  });

  it('leans by the log-odds that stand beside a domain', () => {
    const domain = (stance: number): string =>
      deterministicSynthesis(gathered('root/a', [leaf('root/a/b', finding('root/a/b#x', { stance }))])).narrative;
    expect(domain(0.11)).toContain('the evidence leans slightly for the thesis, too little to call.');
    expect(domain(0.003)).toContain('the evidence leans neither way.');
  });

  it('serves tasks without a thesis', () => {
    const flat = gathered('root/audit', [
      leaf('root/audit/a', finding('root/audit/a#x', { stance: 0, confidence: 0.3, statement: 'Clause 4 is missing' })),
      leaf(
        'root/audit/b',
        finding('root/audit/b#x', { stance: 0, confidence: 0.9, statement: 'Clause 7 is unsigned' }),
      ),
    ]);
    expect(deterministicSynthesis(flat).narrative).toBe(
      '2 findings came in. None takes a side. On balance the evidence leans neither way. ' +
        'Reported: Clause 7 is unsigned [root/audit/b#x]. Reported: Clause 4 is missing [root/audit/a#x].',
    );
  });

  it('points to the gaps when nothing came in, or not everything', () => {
    const nothing = deterministicSynthesis(gathered('root/macro', [token('root/macro/a', 'leaf')]));
    expect(nothing.narrative).toBe('No child reported a finding. The gaps say what is missing and why.');
    const some = deterministicSynthesis(
      gathered(
        'root/macro',
        macro.ended.map((one) => one.outcome),
        ['late'],
      ),
    );
    expect(some.narrative).toContain('not every child could say something; the gaps say why');
  });

  it('names children that contradict each other, but no name that reads as a number', () => {
    const domain = (name: string, stance: number): Gathered =>
      gathered(`root/${name}`, [leaf(`root/${name}/a`, finding(`root/${name}/a#x`, { stance }))]);
    const reports = [domain('macro', -0.9), domain('group 7', 0.9)].map((node) =>
      orchestrator(node, deterministicSynthesis(node)),
    );
    const { narrative, relations } = deterministicSynthesis(gathered('root', reports));
    expect(relations).toMatchObject([{ kind: 'contradicts', between: ['root/group 7', 'root/macro'] }]);
    expect(narrative).toContain('Of the children, one child contradicts macro.');
  });

  it('cuts a long statement between words and cites no id that brackets cannot hold', () => {
    const long = finding('root/a#x', { statement: `[see #5] ${'1,234 '.repeat(100)}` });
    const odd = finding('root/b#ohlc[0]', { stance: 0.9, confidence: 1 });
    const node = gathered('root', [leaf('root/a', long), leaf('root/b', odd)]);
    const { narrative } = deterministicSynthesis(node);
    expect(narrative).toMatch(/\(see #5\) 1,234 .* 1,234 … \[root\/a#x\]/);
    expect(splitCitations(narrative).cited).toEqual(['root/a#x']);
  });
});

describe('dispositions', () => {
  const many = (n: number, over: (i: number) => object = () => ({})): Gathered =>
    gathered('root/macro', [
      leaf(
        'root/macro/a',
        ...Array.from({ length: n }, (_, i) =>
          finding(`root/macro/a#${i}`, { confidence: (i + 1) / (n + 1), ...over(i) }),
        ),
      ),
    ]);
  const keptBy = (node: Gathered, options = {}): string[] =>
    deterministicSynthesis(node, options).dispositions.flatMap(({ id, as }) => (as === 'kept' ? id : []));

  it('keeps the 24 heaviest of a domain and the 20 heaviest of a root', () => {
    expect(keptBy(many(30))).toEqual(Array.from({ length: 24 }, (_, i) => `root/macro/a#${i + 6}`).sort());
    const atRoot = { ...many(30), task: { ...many(30).task, tier: 'root' as const } };
    expect(keptBy(atRoot)).toHaveLength(20);
    expect(deterministicSynthesis(atRoot).dispositions[0]).toEqual({
      id: 'root/macro/a#0',
      as: 'dropped',
      why: 'below the 20 heaviest',
    });
  });

  it('keeps every critical finding beyond the limit, and the heaviest of either side', () => {
    const flood = many(60, (i) => (i < 50 ? { stance: -1, critical: { rule: 'r', reason: 'deep' } } : { stance: 0.2 }));
    expect(keptBy(flood)).toHaveLength(51);
    expect(
      keptBy(
        many(30, (i) => ({ stance: i === 0 ? -0.2 : 0.9 })),
        { keep: 3 },
      ),
    ).toEqual(['root/macro/a#0', 'root/macro/a#27', 'root/macro/a#28', 'root/macro/a#29']);
  });

  it('merges what two nodes report alike, under its lead', () => {
    const same = { measure: 'growth', value: 2.5, source: { kind: 'series', ref: 'gdp' } };
    const node = gathered('root/macro', [
      leaf('root/macro/a', finding('root/macro/a#x', { ...same, confidence: 0.2 })),
      leaf('root/macro/b', finding('root/macro/b#x', { ...same, confidence: 0.9 })),
    ]);
    const { dispositions, merges, assessment, narrative } = deterministicSynthesis(node);
    expect(merges).toEqual([{ key: 'duplicate-1', lead: 'root/macro/b#x', statement: 'What root/macro/b found' }]);
    expect(dispositions.map(({ as }) => as)).toEqual(['merged', 'merged']);
    expect(assessment?.votes.supports).toBe(1);
    expect(narrative).toContain('2 findings came in, 1 repeats another.');
  });
});

describe('conflicts', () => {
  it('of a domain stand at the root too, both sides represented', () => {
    const divided = gathered('root/macro', [
      leaf('root/macro/a', ...Array.from({ length: 30 }, (_, i) => finding(`root/macro/a#${i}`))),
      leaf('root/macro/b', ...Array.from({ length: 30 }, (_, i) => finding(`root/macro/b#${i}`, { stance: -0.3 }))),
    ]);
    const below = deterministicSynthesis(divided);
    expect(below.conflicts).toMatchObject([{ path: 'root/macro', dissent: expect.closeTo(0.375, 12) }]);
    expect(below.narrative).toContain(
      'A conflict among the findings stays open: [root/macro/a#0] against [root/macro/b#0].',
    );
    const above = gathered('root', [orchestrator(divided, below)]);
    const { conflicts, dispositions, narrative } = deterministicSynthesis(above, { keep: 1 });
    expect(conflicts).toMatchObject([{ path: 'root/macro', against: { findings: ['root/macro/b#0'] } }]);
    expect(dispositions.filter(({ as }) => as === 'kept').map(({ id }) => id)).toEqual([
      'root/macro/a#0',
      'root/macro/b#0',
    ]);
    expect(narrative).toContain('A conflict within macro stays open');
  });
});

describe('for any tree', () => {
  const domains = fc.tuple(leavesUnder('root/macro'), leavesUnder('root/sector'), leavesUnder('root/company 2'));
  const rootOver = (nodes: readonly Gathered[]): Gathered =>
    gathered(
      'root',
      nodes.map((node) => orchestrator(node, deterministicSynthesis(node))),
    );
  const anyNode = fc.oneof(leavesUnder('root/macro'), leavesUnder('root'), domains.map(rootOver));
  const limits = fc.record({ keep: fc.integer({ min: 0, max: 5 }) }, { requiredKeys: [] });

  it('is a synthesis, and the same in whatever order the children are given', () => {
    fc.assert(
      fc.property(
        anyNode.chain((node) => fc.tuple(fc.constant(node), shuffled(node))),
        limits,
        ([node, other], options) => {
          const synthesis = deterministicSynthesis(node, options);
          expect(Synthesis.parse(synthesis)).toEqual(synthesis);
          expect(json(deterministicSynthesis(other, options))).toBe(json(synthesis));
        },
      ),
    );
  });

  it('disposes of every incoming finding once, of no critical one otherwise than kept, and keeps signs in merges', () => {
    fc.assert(
      fc.property(anyNode, limits, (node, options) => {
        const { dispositions, merges } = deterministicSynthesis(node, options);
        const incoming = new Map(incomingOf(node).map((one) => [one.id, one]));
        expect(dispositions.map(({ id }) => id).sort()).toEqual([...incoming.keys()].sort());
        for (const disposition of dispositions) {
          const one = incoming.get(disposition.id);
          if (one?.critical) expect(disposition.as).toBe('kept');
          if (disposition.as !== 'merged') continue;
          const lead = incoming.get(merges.find((merge) => merge.key === disposition.into)?.lead ?? '');
          expect(Math.sign(lead?.stance ?? NaN)).toBe(Math.sign(one?.stance ?? NaN));
        }
      }),
    );
  });

  it('cites only what came in, derives only what recomputes, and fabricates no number', () => {
    fc.assert(
      fc.property(anyNode, limits, (node, options) => {
        const synthesis = deterministicSynthesis(node, options);
        const { narrative, derived, merges, conflicts, assessment, dispositions } = synthesis;
        const incoming = incomingOf(node);
        const ids = new Set(incoming.map(({ id }) => id));
        const cited = [
          ...splitCitations(narrative).cited,
          ...conflicts.flatMap(({ supports, against }) => [...supports.findings, ...against.findings]),
          ...(assessment?.risks ?? []).flatMap(({ findings, lead }) => [...findings, lead]),
          ...(assessment?.patterns ?? []).flatMap(({ findings }) => findings),
        ];
        expect(cited.filter((id) => !ids.has(id))).toEqual([]);
        expect(derived.filter((one) => !recomputes(one, incoming))).toEqual([]);
        const kept = keptFindings(node, synthesis);
        const incomingCriticals = incoming.filter((one) => one.critical);
        const escalations = kept.filter((one) => one.critical);
        const told = [narrative, ...merges.map(({ statement }) => statement)].join('\n');
        const books = { incoming, incomingCriticals, kept, escalations, dispositions, derived };
        expect(measureRetention({ ...books, narrative: told })).toMatchObject({ verbatim: 1, numbersFabricated: 0 });
      }),
      { numRuns: 300 },
    );
  });

  it('takes 10,000 leaves in its stride', () => {
    const leaves = Array.from({ length: 10_000 }, (_, i) =>
      leaf(`root/n${i}`, finding(`root/n${i}#x`, { stance: Math.sin(i), measure: 'growth', value: i % 100 })),
    );
    const node = gathered('root', leaves);
    const startedAt = performance.now();
    deterministicSynthesis(node);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
