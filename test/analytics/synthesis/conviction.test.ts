import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess, combine, convictionOf, labelOf, type Voice } from '../../../src/analytics/conviction.ts';
import { deterministicSynthesis } from '../../../src/analytics/deterministic-synthesis.ts';
import type { Outcome } from '../../../src/protocol/report.ts';
import { critical, finding, gathered, leaf, leavesUnder, orchestrator, report, token, type Gathered } from './tree.ts';

const voted = { supports: 1, against: 0, neutral: 0, context: 0 };
const voice = (path: string, logOdds: number, coverage = 1): Voice => ({
  path,
  logOdds,
  coverage,
  dissent: 0.1,
  votes: voted,
});

describe('combine', () => {
  it('gives the known answer of 2008-06: macro and sector against company', () => {
    const { logOdds, dissent } = combine([voice('m', -1.59), voice('s', -1.5), voice('c', 0.42)]);
    expect(logOdds).toBeCloseTo((-2.67 / 3) * Math.sqrt(1.8), 12);
    expect(dissent).toBeCloseTo(0.42 / 3.51, 12);
    expect(convictionOf({ logOdds, coverage: 1 }, [])).toEqual({ conviction: -53, verdict: 'contradicted' });
  });

  it('weighs by coverage, and a missing domain lowers conviction', () => {
    expect(combine([voice('m', 1, 1), voice('s', 0.2, 0.5)]).logOdds).toBeCloseTo((1.1 / 1.5) * Math.sqrt(1.2), 12);
    expect(convictionOf({ logOdds: 1, coverage: 1 }, []).conviction).toBe(46);
    expect(convictionOf({ logOdds: 1, coverage: 2 / 3 }, []).conviction).toBe(31);
  });

  it('passes a single voice on as it is, and hears none that did not vote', () => {
    const mute = { ...voice('s', 0), votes: { ...voted, supports: 0, context: 3 } };
    expect(combine([voice('m', 0.3, 0.7), mute])).toEqual({
      logOdds: 0.3,
      dissent: 0.1,
      votes: { ...voted, context: 3 },
    });
    expect(combine([])).toMatchObject({ logOdds: 0, dissent: 0 });
    expect(combine([voice('m', 1, 0)])).toMatchObject({ logOdds: 0 });
  });
});

describe('convictionOf', () => {
  it.each([
    [0.498, 24, 'not established'],
    [0.511, 25, 'supported'],
    [-0.511, -25, 'contradicted'],
    [0, 0, 'not established'],
    [1e6, 100, 'supported'],
  ])('of log-odds %s is %s: %s', (logOdds, conviction, verdict) => {
    expect(convictionOf({ logOdds, coverage: 1 }, [])).toEqual({ conviction, verdict });
  });

  it('is capped at +20 while a critical finding opposes, and says by what', () => {
    const criticals = [
      critical('root/a#x', { confidence: 0.2 }),
      critical('root/b#x'),
      critical('root/c#x', { stance: 0.9 }),
    ];
    expect(convictionOf({ logOdds: 2, coverage: 1 }, criticals)).toEqual({
      conviction: 20,
      verdict: 'not established',
      capped: { from: 76, by: ['root/b#x', 'root/a#x'] },
    });
    expect(convictionOf({ logOdds: 2, coverage: 1 }, criticals, { cap: false }).conviction).toBe(76);
    expect(convictionOf({ logOdds: 0.4, coverage: 1 }, criticals)).not.toHaveProperty('capped');
    expect(convictionOf({ logOdds: -2, coverage: 1 }, criticals).conviction).toBe(-76);
    expect(convictionOf({ logOdds: 2, coverage: 1 }, criticals.slice(2)).conviction).toBe(76);
  });
});

describe('assess', () => {
  const a = leaf('root/macro/a', finding('root/macro/a#x', { stance: 0.9 }));

  it('says what it is: a balance as of a date, no forecast', () => {
    expect(labelOf('2008-06-01')).toMatch(/balance of evidence as of 2008-06-01.*not a forecast/i);
    expect(labelOf(undefined)).toMatch(/balance of evidence as of the time of the run/i);
  });

  it('counts silent, failed and empty children as missing, skipped ones not', () => {
    const partial = { findings: [finding('root/macro/d#x')] };
    const outcomes = [a, leaf('root/macro/b'), token('root/macro/c', 'leaf'), token('root/macro/d', 'leaf', partial)];
    expect(assess(gathered('root/macro', outcomes, ['e'])).coverage).toBeCloseTo(2 / 5, 12);
    expect(assess(gathered('root/macro', [a])).coverage).toBe(1);
    expect(assess(gathered('root/macro', [])).coverage).toBe(0);
  });

  it('gives conviction and verdict at the root alone, and only when something voted', () => {
    expect(assess(gathered('root/macro', [a]))).not.toHaveProperty('conviction');
    const context = leaf('root/a', finding('root/a#x', { flags: ['context'] }));
    const silent = assess(gathered('root', [context]));
    expect(silent).not.toHaveProperty('conviction');
    expect(silent).not.toHaveProperty('verdict');
    expect(silent.coverage).toBe(1);
    expect(assess(gathered('root', [leaf('root/a', finding('root/a#x'))])).conviction).toBe(38);
  });

  it('lets a domain that only gives context dilute nothing', () => {
    const context = finding('root/b/x#y', { flags: ['context'] });
    const domains = [domain(gathered('root/macro', [a])), domain(gathered('root/b', [leaf('root/b/x', context)]))];
    const alone = assess(gathered('root', domains.slice(0, 1)));
    expect(assess(gathered('root', domains)).conviction).toBe(alone.conviction);
  });

  it('combines tiers: each domain one voice, leaves beside domains together another', () => {
    const macro = domain(gathered('root/macro', [a]));
    const beside = [leaf('root/b', finding('root/b#x')), leaf('root/c', finding('root/c#x', { stance: -0.5 }))];
    const mixed = assess(gathered('root', [macro, ...beside]));
    expect(mixed.logOdds).toBeCloseTo((1.6 * 0.9 * Math.sqrt(1.2)) / 2, 12);
    expect(mixed.votes).toEqual({ supports: 2, against: 1, neutral: 0, context: 0 });
    expect(mixed.coverage).toBe(1);
  });

  it('pools the findings of an orchestrator that gave no assessment', () => {
    const children = (['complete', 'timeout'] as const).map((status) => ({ path: 'root/macro/x', status, digest: '' }));
    const bare = report('root/macro', 'domain', { findings: [finding('root/macro/a#x', { stance: -0.5 })], children });
    expect(assess(gathered('root', [bare]))).toMatchObject({ logOdds: -0.8, coverage: 0.5, conviction: -19 });
  });

  it('turns its sign and nothing else when every stance turns, the cap off', () => {
    fc.assert(
      fc.property(thesis, (domains) => {
        const of = (turn: 1 | -1): { conviction?: number } => {
          const reports = domains.map((node) => domain(turned(node, turn)));
          return assess(gathered('root', reports), { cap: false });
        };
        const [there, back] = [of(1).conviction, of(-1).conviction];
        if (there === undefined) expect(back).toBeUndefined();
        else expect(back).toBe(-there + 0);
      }),
    );
  });

  it('is finite whatever comes in', () => {
    fc.assert(
      fc.property(thesis, (domains) => {
        const { logOdds, coverage, dissent, conviction = 0 } = assess(gathered('root', domains.map(domain)));
        for (const figure of [logOdds, coverage, dissent, conviction]) expect(Number.isFinite(figure)).toBe(true);
        expect(Object.is(logOdds, -0) || Object.is(conviction, -0)).toBe(false);
        expect(coverage).toBeLessThanOrEqual(1);
        expect(Math.abs(conviction)).toBeLessThanOrEqual(100);
      }),
    );
  });
});

const thesis = fc.tuple(leavesUnder('root/macro'), leavesUnder('root/sector'), leavesUnder('root/company'));
const domain = (node: Gathered): Outcome => orchestrator(node, deterministicSynthesis(node));

function turned(node: Gathered, turn: 1 | -1): Gathered {
  const ended = node.ended.map(({ name, outcome }) => {
    const { findings } = (outcome.kind === 'report' ? outcome : outcome.partial) ?? { findings: [] };
    const facing = findings.map((one) => Object.assign({}, one, { stance: one.stance * turn }));
    return { name, outcome: facing.length > 0 ? leaf(outcome.path, ...facing) : token(outcome.path, 'leaf') };
  });
  return { ...node, ended };
}
