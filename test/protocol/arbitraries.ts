/** Any valid value of the protocol, for properties. Numbers and texts survive JSON: no −0, no lone surrogate. */
import fc from 'fast-check';
import type { Assessment, KeyRisk, Pattern } from '../../src/protocol/assessment.ts';
import type { Conflict, Relation } from '../../src/protocol/conflict.ts';
import type { ChildSpec, Decision } from '../../src/protocol/decision.ts';
import type { Dependency } from '../../src/protocol/dependency.ts';
import { Diagnosis } from '../../src/protocol/fault.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import { GapKind, type Gap } from '../../src/protocol/gap.ts';
import type { Budget, Grant } from '../../src/protocol/grant.ts';
import { FailureStatus } from '../../src/protocol/failure-status.ts';
import {
  ReportStatus,
  Tier,
  type Artifact,
  type ChildSummary,
  type FailureToken,
  type Report,
  type RunSummary,
  type Usage,
} from '../../src/protocol/report.ts';
import type { Retention } from '../../src/protocol/retention.ts';
import type { Derived, Disposition, Merge, Synthesis } from '../../src/protocol/synthesis.ts';
import type { Task } from '../../src/protocol/task.ts';

type Optional<T> = {
  [Key in keyof T]-?: undefined extends T[Key] ? Key : T extends Record<Key, T[Key]> ? never : Key;
}[keyof T];
/** Every field, the optional ones now and then. */
const recordOf = <T extends object>(
  fields: { [Key in keyof T]-?: fc.Arbitrary<Exclude<T[Key], undefined>> },
  ...optional: Optional<T>[]
): fc.Arbitrary<T> =>
  fc.record<Record<string, unknown>>(fields, {
    requiredKeys: Object.keys(fields).filter((key) => !optional.includes(key as never)),
  }) as fc.Arbitrary<T>;

const within = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((n) => n + 0);
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
const positive = within(0, 1e15);
const counts = fc.nat();
const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
const named = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const names = fc.stringMatching(/^[a-z][a-z-]{0,7}$/);
const paths = fc.array(names, { maxLength: 3 }).map((parts) => ['root', ...parts].join('/'));
const few = <T>(one: fc.Arbitrary<T>, minLength = 0) => fc.array(one, { minLength, maxLength: minLength + 2 });
const dates = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
/** Any JSON but the key `__proto__`, which no object of ours may have. */
export const jsons = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  .map((json) => JSON.parse(JSON.stringify(json)) as unknown)
  .filter((json) => !JSON.stringify(json).includes('__proto__'));

export const findings = recordOf<Finding>(
  {
    id: named,
    path: paths,
    statement: named,
    value: numbers,
    unit: texts,
    measure: texts,
    stance: within(-1, 1),
    confidence: within(0, 1),
    flags: few(texts),
    from: few(texts),
    critical: fc.record({ rule: named, reason: named }),
    source: recordOf<Finding['source']>({ kind: named, ref: named, asOf: texts, sha256: texts }, 'asOf', 'sha256'),
    data: jsons as fc.Arbitrary<Exclude<Finding['data'], undefined>>,
  },
  ...(['value', 'unit', 'measure', 'critical', 'data', 'from'] as const),
);
export const gaps = recordOf<Gap>(
  {
    path: paths,
    kind: fc.constantFrom(...GapKind.options),
    why: texts,
    status: fc.constantFrom(...FailureStatus.options),
    needsHuman: fc.constant(true as const),
  },
  'status',
  'needsHuman',
);
const budgets = recordOf<Budget>({ usd: positive, tokens: positive, leaves: counts }, 'usd', 'tokens', 'leaves');
export const grants = recordOf<Grant>(
  {
    depthLeft: fc.integer(),
    issuedAt: numbers,
    deadline: numbers,
    reserveMs: positive,
    planMs: positive,
    maxChildren: fc.integer({ min: 1 }),
    budget: budgets,
    sources: few(texts),
    tools: few(texts),
  },
  'planMs',
);
const specs = recordOf<ChildSpec>(
  {
    name: names,
    role: fc.constantFrom('leaf', 'orchestrator'),
    question: texts,
    charter: texts,
    needs: few(texts),
    leaves: counts,
    members: fc.array(names, { minLength: 1, maxLength: 3 }),
    estimateMs: within(1e-3, 1e9),
    reserveMs: positive,
    planMs: positive,
    sources: few(texts),
    tools: few(texts),
    weight: positive,
    budget: budgets,
  },
  ...([
    'budget',
    'question',
    'charter',
    'needs',
    'leaves',
    'members',
    'estimateMs',
    'reserveMs',
    'planMs',
    'sources',
    'tools',
    'weight',
  ] as const),
);
export const decisions = recordOf<Decision>(
  {
    by: named,
    mode: fc.constantFrom('divide', 'execute'),
    quorum: fc.integer({ min: 1 }),
    ownWeight: positive,
    demoted: few(texts),
    approved: fc.constantFrom('as-planned', 'edited'),
    expects: few(texts),
    mayGrow: fc.constant(true as const),
    reasons: few(texts),
    round: fc.integer({ min: 2, max: 5 }),
    stages: fc
      .uniqueArray(specs, { selector: ({ name }) => name, maxLength: 4 })
      .map((all) => [all.slice(0, 2), all.slice(2)]),
    skipped: few(recordOf<Decision['skipped'][number]>({ name: texts, why: texts, score: numbers }, 'score')),
    estimates: fc.record({ leaves: counts, criticalPathMs: numbers }),
  },
  ...(['quorum', 'demoted', 'approved', 'expects', 'mayGrow', 'ownWeight', 'reasons', 'round'] as const),
);
const side = fc.record({ findings: few(texts), weight: numbers });
export const conflicts = recordOf<Conflict>({
  path: paths,
  dissent: within(0, 0.5),
  supports: side,
  against: side,
  statement: texts,
  resolution: fc.constantFrom('open', 'resolved'),
});
export const relations = recordOf<Relation>({
  kind: fc.constantFrom('contradicts', 'reinforces'),
  between: fc.tuple(paths, paths),
  strength: positive,
  statement: texts,
});
export const retentions = recordOf<Retention>({
  incoming: counts,
  kept: counts,
  merged: counts,
  dropped: counts,
  numbersFabricated: counts,
  recall: within(0, 1),
  verbatim: within(0, 1),
  numbersKept: within(0, 1),
});
const risks = recordOf<KeyRisk>({
  rank: fc.integer({ min: 1 }),
  rule: texts,
  lead: texts,
  findings: few(texts, 1),
  nodes: few(texts),
  weight: numbers,
});
const patterns = recordOf<Pattern>({
  measure: texts,
  direction: fc.constantFrom('supports', 'against'),
  findings: few(texts, 2),
  nodes: few(texts, 2),
});
const votings = fc.record({ supports: counts, against: counts, neutral: counts, context: counts });
export const assessments = recordOf<Assessment>(
  {
    label: texts,
    logOdds: numbers,
    coverage: within(0, 1),
    dissent: within(0, 0.5),
    conviction: within(-100, 100),
    votes: votings,
    verdict: fc.constantFrom('supported', 'contradicted', 'not established'),
    capped: fc.record({ from: numbers, by: few(texts) }),
    byRules: fc.record(
      {
        conviction: within(-100, 100),
        coverage: within(0, 1),
        logOdds: numbers,
        verdict: fc.constantFrom('supported', 'contradicted', 'not established'),
      },
      { requiredKeys: ['coverage', 'logOdds'] },
    ),
    evidence: fc.record({
      against: positive,
      confidence: positive,
      leaves: counts,
      stance: numbers,
      supports: positive,
      votes: votings,
    }),
    risks: few(risks),
    patterns: few(patterns),
  },
  ...(['conviction', 'verdict', 'capped', 'byRules', 'evidence'] as const),
);
const dispositions: fc.Arbitrary<Disposition> = fc.oneof(
  fc.record({ id: texts, as: fc.constant('kept' as const) }),
  fc.record({ id: texts, as: fc.constant('merged' as const), into: texts }),
  fc.record({ id: texts, as: fc.constant('dropped' as const), why: named }),
);
const derived = recordOf<Derived>({
  value: numbers,
  op: fc.constantFrom('count', 'sum', 'mean', 'median', 'min', 'max', 'difference', 'ratio'),
  from: few(texts),
});
export const syntheses = recordOf<Synthesis>(
  {
    madeBy: fc.constantFrom('synthesis', 'deterministic'),
    narrative: texts,
    dispositions: few(dispositions),
    merges: few(recordOf<Merge>({ key: names, lead: texts, statement: named })),
    derived: few(derived),
    conflicts: few(conflicts),
    relations: few(relations),
    gaps: few(gaps),
    assessment: assessments,
  },
  'assessment',
);
const usages = recordOf<Usage>(
  {
    nodes: counts,
    leaves: counts,
    attempts: counts,
    hedges: fc.integer({ min: 1 }),
    depth: counts,
    inputTokens: positive,
    outputTokens: positive,
    usd: positive,
  },
  'hedges',
);
const summaries = recordOf<ChildSummary>(
  {
    path: paths,
    status: fc.constantFrom(...ReportStatus.options, ...FailureStatus.options),
    assessment: assessments.map(({ logOdds, coverage, dissent, votes }) => ({ logOdds, coverage, dissent, votes })),
    retention: retentions,
    digest: texts,
  },
  ...(['assessment', 'retention'] as const),
);
const granted = recordOf<NonNullable<RunSummary['budget']>>({ granted: budgets, overdrawn: budgets }, 'overdrawn');
const runs = recordOf<RunSummary>(
  {
    maxDepth: counts,
    observedDepth: counts,
    demotions: few(texts),
    asOf: dates,
    budget: granted,
    hostVersion: texts,
    dependencies: few(recordOf<Dependency>({ on: texts, path: paths, via: fc.constantFrom('report', 'source') })),
  },
  'asOf',
  'budget',
  'dependencies',
);
const stamp = {
  schemaVersion: fc.constant(1 as const),
  runId: named,
  path: paths,
  tier: fc.constantFrom(...Tier.options),
};
export const reports = recordOf<Report>(
  {
    kind: fc.constant('report'),
    ...stamp,
    depth: counts,
    question: texts,
    status: fc.constantFrom(...ReportStatus.options),
    madeBy: fc.constantFrom('leaf', 'synthesis', 'deterministic'),
    narrative: texts,
    findings: few(findings),
    escalations: few(findings),
    conflicts: few(conflicts),
    relations: few(relations),
    gaps: few(gaps),
    assessment: assessments,
    decision: decisions,
    retention: retentions,
    dispositions: few(dispositions),
    derived: few(derived),
    children: few(summaries),
    run: runs,
    artifacts: few(recordOf<Artifact>({ ref: texts, bytes: counts, sha256: texts })),
    usage: fc.record({ self: usages, subtree: usages }),
    timing: fc.record({ startedAt: numbers, endedAt: numbers }),
    digest: texts,
  },
  ...(['assessment', 'decision', 'retention', 'run'] as const),
);
export const tokens = recordOf<FailureToken>(
  {
    kind: fc.constant('failure'),
    ...stamp,
    status: fc.constantFrom(...FailureStatus.options),
    attempts: counts,
    message: texts,
    retryable: fc.boolean(),
    diagnosis: fc.constantFrom(...Diagnosis.options),
    needsHuman: fc.constant(true),
    partial: reports,
    elapsedMs: positive,
    digest: texts,
  },
  ...(['diagnosis', 'needsHuman', 'partial'] as const),
);
export const tasks = recordOf<Task>(
  {
    runId: named,
    path: paths,
    tier: fc.constantFrom(...Tier.options),
    question: texts,
    charter: texts,
    asOf: dates,
    grant: grants,
    prior: fc.array(reports, { maxLength: 1 }),
    enrichments: few(texts),
    traceparent: texts,
  },
  ...(['asOf', 'traceparent'] as const),
);
