/** Hand-made reports: a thesis through two domains, and what goes wrong with one. */
import type { Finding, Report } from '../../src/protocol/index.ts';

const usage = { nodes: 1, leaves: 0, attempts: 1, inputTokens: 0, outputTokens: 0, usd: 0, depth: 2 };

export const finding = (id: string, over: Partial<Finding> = {}): Finding => ({
  id,
  path: id.slice(0, id.lastIndexOf('#')),
  statement: `What ${id} says`,
  value: -27.43,
  unit: '%',
  measure: 'drawdown',
  stance: -0.82,
  confidence: 0.71,
  flags: [],
  source: { kind: 'series', ref: `stocks/${id.length}`, asOf: '2008-05-31', sha256: 'ab'.repeat(32) },
  ...over,
});

export const critical = (id: string, over: Partial<Finding> = {}): Finding =>
  finding(id, { critical: { rule: 'drawdown', reason: 'more than 20 % below its high' }, ...over });

/** A root report with nothing in it. */
export const emptyReport = (over: Partial<Report> = {}): Report => ({
  kind: 'report',
  schemaVersion: 1,
  runId: 'V1StGXR8_Z5jdHi6B-myT',
  path: 'root',
  tier: 'root',
  depth: 0,
  question: 'Hold US large-cap technology',
  status: 'complete',
  madeBy: 'deterministic',
  narrative: '',
  findings: [],
  escalations: [],
  conflicts: [],
  relations: [],
  gaps: [],
  dispositions: [],
  derived: [],
  artifacts: [],
  usage: { self: usage, subtree: { ...usage, nodes: 8, leaves: 5, attempts: 6 } },
  children: [],
  run: { maxDepth: 2, observedDepth: 2, demotions: [], asOf: '2008-06-01', hostVersion: '0.1.0' },
  timing: { startedAt: 1_212_278_400_000, endedAt: 1_212_278_400_412 },
  digest: 'd'.repeat(64),
  ...over,
});

const jobs = critical('root/macro/jobs#sahm', {
  statement: 'Unemployment stands 0.6 points above its 12-month low',
  value: 0.6,
  unit: 'points',
  measure: 'unemployment',
  critical: { rule: 'sahm', reason: '0.5 points or more' },
});
const payrolls = finding('root/macro/payrolls#growth', {
  stance: -0.4,
  measure: 'growth',
  statement: 'Payrolls shrink',
});
const ibm = finding('root/company/ibm#trend', { stance: 0.6, measure: 'trend', statement: 'IBM rises 18 % in a year' });
const msft = critical('root/company/msft#drawdown', { statement: 'MSFT stands 27 % below its high' });
const aapl = finding('root/company/aapl#drawdown', { stance: -0.3, flags: ['context'], statement: 'AAPL is volatile' });

const retention = (incoming: number): NonNullable<Report['retention']> => ({
  incoming,
  kept: incoming,
  merged: 0,
  dropped: 0,
  recall: 1,
  verbatim: 1,
  numbersKept: 0.9996,
  numbersFabricated: 0,
});

/** A contradicted thesis with everything a brief can show. */
export const fullReport = (over: Partial<Report> = {}): Report =>
  emptyReport({
    narrative: 'The labour market turned first [root/macro/jobs#sahm].\n\nShares follow [nowhere#else].',
    findings: [ibm, msft, aapl, jobs, payrolls],
    escalations: [jobs, msft],
    conflicts: [
      {
        path: 'root/company',
        dissent: 0.41,
        supports: { findings: [ibm.id], weight: 0.43 },
        against: { findings: [msft.id, 'root/company/amzn#gone'], weight: 0.58 },
        resolution: 'open',
        statement: '1 for (weight 0.43) and 2 against (weight 0.58)',
      },
    ],
    relations: [
      {
        kind: 'contradicts',
        between: ['root/company', 'root/macro'],
        strength: 0.42,
        statement: 'company (+0.42) contradicts macro (-1.59)',
      },
    ],
    gaps: [{ path: 'root/macro/receipts', kind: 'stale', why: 'last observation 2007-01-01' }],
    assessment: {
      label: 'Balance of evidence as of 2008-06-01: not a forecast, and not a probability of return.',
      logOdds: -1.2,
      coverage: 0.93,
      dissent: 0.31,
      votes: { supports: 1, against: 3, neutral: 0, context: 1 },
      conviction: -54,
      verdict: 'contradicted',
      risks: [
        { rank: 1, rule: 'drawdown', lead: msft.id, findings: [msft.id], nodes: [msft.path], weight: 1.75 },
        { rank: 2, rule: 'sahm', lead: jobs.id, findings: [jobs.id], nodes: [jobs.path], weight: 1.74 },
      ],
      patterns: [
        { measure: 'drawdown', direction: 'against', findings: [msft.id, aapl.id], nodes: [msft.path, aapl.path] },
      ],
    },
    decision: {
      by: 'scenario',
      mode: 'divide',
      stages: [
        [
          { name: 'macro', role: 'orchestrator', question: 'Does the economy speak for it?' },
          { name: 'company', role: 'orchestrator', needs: [] },
        ],
      ],
      skipped: [{ name: 'sector', why: 'not among --domains', score: 0.2 }],
      estimates: { leaves: 5, criticalPathMs: 400 },
    },
    retention: retention(5),
    dispositions: [{ id: 'root/macro/fx#move', as: 'dropped', why: 'beyond the 20 kept' }],
    children: [
      {
        path: 'root/macro',
        status: 'complete',
        assessment: {
          logOdds: -1.59,
          coverage: 1,
          dissent: 0,
          votes: { supports: 0, against: 2, neutral: 0, context: 0 },
        },
        retention: retention(2),
        digest: '1'.repeat(64),
      },
      { path: 'root/company', status: 'complete', retention: retention(3), digest: '2'.repeat(64) },
    ],
    ...over,
  });

/** A partial report: one domain never answered. */
export const partialReport = (): Report =>
  fullReport({
    status: 'partial',
    gaps: [
      { path: 'root/sector/a', kind: 'stale', why: 'ends 2001' },
      { path: 'root/sector', kind: 'token', why: 'timeout: no answer within 3.0 s' },
    ],
    children: [{ path: 'root/sector', status: 'timeout', digest: '3'.repeat(64) }],
  });

/** A report that a flood of `count` criticals reached, under one rule per ten. */
export function floodedReport(count: number): Report {
  const escalations = Array.from({ length: count }, (_, index) =>
    critical(`root/sector/leaf-${index}#k`, {
      statement: `Series ${index} broke down`,
      critical: { rule: `rule-${index % Math.ceil(count / 10)}`, reason: 'it broke' },
    }),
  );
  const clusters = [...Map.groupBy(escalations, (each) => each.critical?.rule ?? '')];
  const full = fullReport();
  return fullReport({
    findings: escalations,
    escalations,
    children: [{ path: 'root/sector', status: 'complete', digest: '3'.repeat(64) }],
    ...(full.assessment && {
      assessment: {
        ...full.assessment,
        risks: clusters.map(([rule, members], index) => ({
          rank: index + 1,
          rule,
          lead: members[0]?.id ?? '',
          findings: members.map((each) => each.id),
          nodes: members.map((each) => each.path),
          weight: 17.5 - index,
        })),
        patterns: [],
      },
    }),
  });
}

/** A complete run most of whose work could say nothing, with a domain that could say nothing at all. */
export function meagreReport(): Report {
  const full = fullReport();
  const votes = { supports: 0, against: 0, neutral: 0, context: 0 };
  return fullReport({
    ...(full.assessment && { assessment: { ...full.assessment, coverage: 0.07 } }),
    children: [
      ...full.children,
      {
        path: 'root/sector',
        status: 'failed',
        assessment: { logOdds: 0, coverage: 0, dissent: 0, votes },
        retention: retention(0),
        digest: '4'.repeat(64),
      },
      { path: 'root/credit', status: 'timeout', digest: '5'.repeat(64) },
    ],
  });
}
