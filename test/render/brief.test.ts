import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAST_LEAN } from '../../src/analytics/conflict.ts';
import { convictionOf } from '../../src/analytics/conviction.ts';
import { sideOf, weightOf } from '../../src/protocol/finding.ts';
import type { Report } from '../../src/protocol/index.ts';
import { renderBrief } from '../../src/render/brief.ts';
import { escapeMarkdown } from '../../src/render/escape-markdown.ts';
import { anyText } from './hostile-text.ts';
import {
  critical,
  emptyReport,
  finding,
  floodedReport,
  fullReport,
  meagreReport,
  partialReport,
} from './sample-report.ts';

const headings = (markdown: string): string[] => [...markdown.matchAll(/^## (.*)$/gm)].map(([, name]) => name ?? '');
const sectionOf = (markdown: string, name: string): string =>
  markdown.split(/^## /m).find((each) => each.startsWith(`${name}\n`)) ?? '';

describe('a brief', () => {
  const brief = renderBrief(fullReport());

  it('opens with the thesis, the date, the verdict, and what a verdict is not', () => {
    expect(brief).toMatch(/^# Hold US large-cap technology\n/);
    expect(brief).toContain('As of 2008-06-01: **thesis contradicted, conviction −54**');
    expect(brief).toContain('*Balance of evidence as of 2008-06-01: not a forecast, and not a probability of return.*');
    expect(brief).toContain('Coverage 93 %');
    expect(brief).toContain('Dissent 31 %');
  });

  it('says whose verdict it is when the rules did not make it, and what they make of it', () => {
    const { assessment, children } = fullReport();
    const byRules = { conviction: -12, coverage: 0.5, logOdds: -1, verdict: 'not established' as const };
    const [first, ...rest] = children;
    if (!assessment || !first?.assessment) throw new Error('the sample has none');
    const mixed = [{ ...first, assessment: { ...first.assessment, byRules } }, ...rest];
    const own = renderBrief(fullReport({ assessment: { ...assessment, byRules }, children: mixed }));
    expect(own).toContain("Assessed by the scenario's own synthesizer.");
    expect(own).toContain('By rules it is: thesis not established, conviction −12, coverage 50 %.');
    expect(own).toContain('by synthesizers of their own assessed: ');
    expect(brief).not.toContain('own synthesizer');
  });

  it('goes from the argument to the evidence to the ledger', () => {
    expect(headings(brief)).toEqual([
      'Key risks',
      'Across domains',
      'Conflicts kept open',
      'By domain',
      'Patterns several nodes share',
      'Gaps',
      'Findings',
      'How this brief was made',
      'Critical findings, word for word',
      'How to read this',
    ]);
  });

  it('quotes the lead of each risk with its number, and shows both sides of a conflict', () => {
    expect(sectionOf(brief, 'Key risks')).toContain('1. **MSFT stands 27 % below its high (F4)**');
    const conflict = sectionOf(brief, 'Conflicts kept open');
    expect(conflict).toContain('For (weight 0.43): IBM rises 18 % in a year (F3)');
    expect(conflict).toContain('Against (weight 0.58): MSFT stands 27 % below its high (F4)');
    expect(conflict).toContain('`root/company/amzn#gone`'); // cited, but not in this report
  });

  it('traces a claim to its finding, leaf, source and date', () => {
    expect(brief).toContain('The labour market turned first (F1).');
    const row = sectionOf(brief, 'Findings')
      .split('\n')
      .find((line) => line.startsWith('| F1 '));
    for (const part of ['**critical**', '0.6 points', '`root/macro/jobs#sahm`', 'series `stocks/20`', '2008-05-31']) {
      expect(row).toContain(part);
    }
  });

  it('calls the date of an observation so, since only the brief has an as-of date', () => {
    expect(sectionOf(brief, 'Findings')).toMatch(/\| Source \| Observed \|\n/);
    expect(sectionOf(brief, 'Critical findings, word for word')).toContain(', observed 2008-05-31.');
    expect(brief.match(/as of/gi)).toHaveLength(2); // the verdict and the label
  });

  it('says how it was made', () => {
    const made = sectionOf(brief, 'How this brief was made');
    for (const part of [
      '- activated **macro**: Does the economy speak for it?',
      '- skipped **sector** (score 0.2): not among --domains',
      'Depth 2 of at most 2',
      '| `root/macro` | 2 | 2 |',
      '99.9 %', // numbers kept: a loss is not rounded away
      'dropped as beyond the 20 kept: `root/macro/fx#move`',
      'took 412 ms',
      'Run `V1StGXR8_Z5jdHi6B-myT`',
    ]) {
      expect(made).toContain(part);
    }
  });

  it('explains the words it uses at its end, in a few lines, and no others', () => {
    const legend = sectionOf(brief, 'How to read this').trimEnd().split('\n').slice(2);
    const terms = legend.map((line) => /^- \*\*(.*?)\*\*: /.exec(line)?.[1]);
    expect(terms).toEqual([
      'Conviction',
      'Coverage',
      'Dissent',
      'Leans (log-odds)',
      'Strength',
      'Contradiction and conflict',
      'Stance and confidence',
      'Weight',
      'Critical',
      'Observed',
      'What a synthesis passed up',
    ]);
    expect(legend.join('\n')).toContain('no forecast and no probability of return');
    expect(sectionOf(renderBrief(emptyReport({ findings: [finding('root/a#x')] })), 'How to read this')).not.toMatch(
      /\*\*(?:Conviction|Coverage|Strength|Critical|What)/,
    );
    expect(headings(renderBrief(emptyReport()))).not.toContain('How to read this');
    const termsFor = (statement: string) =>
      [
        ...sectionOf(
          renderBrief(emptyReport({ findings: [finding('root/a#x', { statement })] })),
          'How to read this',
        ).matchAll(/^- \*\*(.*?)\*\*/gm),
      ].map(([, term]) => term);
    const plain = termsFor('Sales grew.');
    const added = (statement: string) => termsFor(statement).filter((term) => !plain.includes(term));
    expect(added('Jobs fell (robust z -6.2).')).toEqual(['Robust z']);
    expect(added('12-1 momentum is -9.5 %.')).toEqual(['12-1 momentum']);
    expect(added('31.4 % ahead of its index (t 1.1).')).toEqual(['t']);
  });

  it('explains them as they are computed', () => {
    const legend = sectionOf(brief, 'How to read this');
    const verdictAt = (conviction: number) =>
      convictionOf({ logOdds: 2 * Math.atanh(conviction / 100), coverage: 1 }, []).verdict;
    expect([24, 25, -24, -25].map(verdictAt)).toEqual([
      'not established',
      'supported',
      'not established',
      'contradicted',
    ]);
    expect(legend).toContain('From +25 on the thesis is supported, from −25 on contradicted');
    expect(convictionOf({ logOdds: 9, coverage: 1 }, [critical('root/a#x')]).conviction).toBe(20);
    expect(legend).toContain('holds it at +20 or below');
    expect(legend).toContain(`up to ${LEAST_LEAN} either way is too little to call`);
    expect([Math.exp(1), Math.exp(2)].map(Math.round)).toEqual([3, 7]);
    expect(legend).toContain('+1 is odds of about 3 to 1 for the thesis, +2 of 7 to 1');
    expect(sideOf(finding('root/a#x', { stance: 0.1 }))).toBe('neutral');
    expect(legend).toContain('within 0.1 of 0 neutral');
    const one = finding('root/a#x', { stance: -0.5, confidence: 0.4 });
    expect([weightOf(one), weightOf(critical('root/a#x', one))].map((weight) => weight.toFixed(2))).toEqual([
      '0.20',
      '0.60',
    ]);
  });

  it('says at the top what is missing, and lists it first among the gaps', () => {
    const partial = renderBrief(partialReport());
    expect(partial.split('\n')[2]).toBe(
      '> **This brief is partial.** Missing: root/sector (timeout: no answer within 3.0 s).',
    );
    const gaps = sectionOf(partial, 'Gaps')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(gaps).toEqual([
      '- **token** `root/sector`: timeout: no answer within 3.0 s',
      '- **stale** `root/sector/a`: ends 2001',
    ]);
  });

  it('says at the top when most of the work could say nothing, also when nothing is missing', () => {
    expect(renderBrief(meagreReport()).split('\n')[2]).toBe(
      '> **Low coverage: this brief rests on 7 % of the work; the rest could say nothing.**',
    );
    expect(brief).not.toContain('Low coverage');
  });

  it('shows no leaning of a domain that voted nothing', () => {
    const rows = sectionOf(renderBrief(meagreReport()), 'By domain').split('\n');
    expect(rows.filter((row) => row.startsWith('| ')).slice(2)).toEqual([
      '| macro | complete | −1.59 | 100 % | 0 | 2 | 0 | 0 | 1 | 1 |',
      '| company | complete | – | – | 1 | 1 | 0 | 1 | 1 | 0 |',
      '| sector | failed | – | 0 % | 0 | 0 | 0 | 0 | 0 | 0 |',
      '| credit | timeout | – | – | 0 | 0 | 0 | 0 | 0 | 0 |',
    ]);
  });

  it('says what was granted and spent, and what was claimed beyond', () => {
    const report = meagreReport();
    const { self, subtree } = report.usage;
    const made = (usage: Partial<typeof subtree>, run: Partial<NonNullable<Report['run']>>): string =>
      sectionOf(
        renderBrief({ ...report, usage: { self, subtree: { ...subtree, ...usage } }, run: { ...report.run!, ...run } }),
        'How this brief was made',
      );
    expect(made({}, {})).not.toMatch(/spent/i);
    expect(made({ usd: 0.3, inputTokens: 900 }, {})).toContain('Spent $0.3 and 900 tokens.');
    const budget = { granted: { usd: 1, leaves: 9 }, overdrawn: { usd: 6.5 } };
    expect(made({ usd: 1, leaves: 8 }, { budget })).toContain(
      'Granted $1 and 9 leaves, spent $1 and 8 leaves. $6.5 more was said to be spent and is in no account.',
    );
  });

  it('has no share of nothing: where no finding or no critical one came in, none was kept', () => {
    const report = meagreReport();
    const rowsOf = (over: Partial<Report>): string[] =>
      sectionOf(renderBrief({ ...report, ...over }), 'How this brief was made')
        .split('\n')
        .filter((line) => line.startsWith('| `'));
    expect(rowsOf({})).toEqual([
      '| `root` | 5 | 5 | 0 | 0 | 100 % | 100 % | 99.9 % | 0 |',
      '| `root/macro` | 2 | 2 | 0 | 0 | 100 % | 100 % | 99.9 % | 0 |',
      '| `root/company` | 3 | 3 | 0 | 0 | 100 % | 100 % | 99.9 % | 0 |',
      '| `root/sector` | 0 | 0 | 0 | 0 | – | – | – | 0 |',
    ]);
    expect(rowsOf({ escalations: [] })[1]).toContain('| 100 % | – | 99.9 % |');
    const lost = { ...report.children[0]!, retention: { ...report.retention!, incoming: 0, verbatim: 0.5 } };
    expect(rowsOf({ children: [lost] })[1]).toContain('| – | 50 % | – |'); // an alarm is never hidden
  });

  it('says which gaps need a human, apart from others with the same words', () => {
    const token = { kind: 'token' as const, why: 'error: no such series' };
    const gaps = [
      { ...token, path: 'root/x/a', needsHuman: true as const },
      { ...token, path: 'root/x/b' },
    ];
    const lines = sectionOf(renderBrief(emptyReport({ gaps })), 'Gaps').split('\n');
    expect(lines.filter((line) => line.startsWith('- '))).toEqual([
      '- **token** `root/x/a`: error: no such series (needs a human)',
      '- **token** `root/x/b`: error: no such series',
    ]);
    const legendFor = (given: typeof gaps) =>
      renderBrief(emptyReport({ gaps: given, findings: [finding('root/x/c#y')] }));
    expect(legendFor(gaps)).toContain('- **Needs a human**: ');
    expect(legendFor(gaps.slice(1))).not.toContain('- **Needs a human**: ');
  });

  it('names many children with one gap together', () => {
    const gaps = ['a', 'b', 'c'].map((name) => ({ path: `root/x/${name}`, kind: 'undone' as const, why: 'cancelled' }));
    expect(renderBrief(emptyReport({ gaps }))).toContain('- **undone** `root/x: a, b and c`: cancelled');
  });

  it('stands without findings, without an assessment, without a plan', () => {
    const failed = renderBrief(
      emptyReport({ status: 'failed', gaps: [{ path: 'root', kind: 'token', why: 'timeout: plan' }] }),
    );
    expect(failed).toContain('> **This run failed: no finding survived.** Missing: root (timeout: plan).');
    for (const said of ['No findings.', 'No decision was reached.', 'No critical finding.'])
      expect(failed).toContain(said);
    expect(renderBrief(emptyReport())).toContain('No gaps.');
    expect(failed).not.toContain('conviction');
  });

  it('shows the critical findings of a task that is no thesis', () => {
    const found = critical('root/a#x');
    const brief = renderBrief(emptyReport({ findings: [found], escalations: [found] }));
    expect(sectionOf(brief, 'Critical findings')).toContain('- **What root/a\\#x says (F1)**');
  });

  it('keeps 80 criticals readable: clusters first, every one in the ledger', () => {
    const report = floodedReport(80);
    const flooded = renderBrief(report);
    const risks = sectionOf(flooded, 'Key risks').trimEnd().split('\n');
    expect(risks.length).toBeLessThan(14);
    const ledger = sectionOf(flooded, 'Critical findings, word for word');
    for (const { id, statement } of report.escalations) {
      expect(ledger).toContain(`\`${id}\``);
      expect(ledger).toContain(`> ${statement}\n`);
    }
  });

  it('has a critical finding in the ledger that no synthesis kept (invariant 1)', () => {
    const lost = critical('root/a#lost');
    const brief = renderBrief(emptyReport({ findings: [finding('root/a#x')], escalations: [lost] }));
    expect(sectionOf(brief, 'Critical findings, word for word')).toContain('**C1** `root/a#lost` (F2)');
    expect(sectionOf(brief, 'Findings')).toContain('| F2 | **critical**');
  });

  it('keeps its shape whatever the texts say (invariant 3)', () => {
    const shapeOf = (text: string): string => {
      const found = critical('root/a#x', {
        statement: text,
        unit: text,
        flags: [text],
        critical: { rule: text, reason: text },
        source: { kind: text, ref: text, asOf: text },
      });
      const full = fullReport();
      const markdown = renderBrief(
        emptyReport({
          question: text,
          narrative: `x ${text.replaceAll(/[\r\n]/g, '')} [root/a#x]${text.replaceAll(/[\r\n]/g, '')}`,
          findings: [found],
          escalations: [found],
          gaps: [{ path: 'root/a', kind: 'token', why: text }],
          relations: [{ kind: 'contradicts', between: ['root/a', 'root/b'], strength: 1, statement: text }],
          ...(full.decision && {
            decision: { ...full.decision, by: text, skipped: [{ name: 'b', why: text }] },
          }),
        }),
      );
      expect(markdown).toContain(`> ${escapeMarkdown(text)}\n`);
      return markdown
        .split('\n')
        .map((line) => /^(?:#+ |\| |> |- (?:\d+[.)] |[-+*>] |#)?|\*\*|$)/.exec(line)?.[0] ?? 'text')
        .join('\n');
    };
    const ordinary = shapeOf('ordinary');
    fc.assert(
      fc.property(
        anyText.filter((text) => text !== ''),
        (text) => {
          expect(shapeOf(text)).toBe(ordinary);
        },
      ),
      { numRuns: 300 },
    );
  });
});
