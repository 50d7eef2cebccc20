/** The smallest valid things the pure functions take, for tests that change one field. */
import type { Ended } from '../../src/ports/activities.ts';
import type { ChildSpec, Decision } from '../../src/protocol/decision.ts';
import { seal } from '../../src/protocol/digest.ts';
import type { Finding, FindingDraft } from '../../src/protocol/finding.ts';
import type { Grant } from '../../src/protocol/grant.ts';
import { depthOf, nameOf } from '../../src/protocol/path.ts';
import type { Tier, UnsealedOutcome, UnsealedReport, UnsealedToken } from '../../src/protocol/report.ts';
import { Synthesis, type SynthesisDraft } from '../../src/protocol/synthesis.ts';
import type { Task } from '../../src/protocol/task.ts';
import { SCHEMA_VERSION } from '../../src/protocol/version.ts';
import { ownUsage } from '../../src/tier/usage.ts';

export const CRITICAL = { critical: { rule: 'alarm', reason: 'it rings' } } as const;

export const grantOf = (over: Partial<Grant> = {}): Grant => ({
  depthLeft: 9,
  issuedAt: 0,
  deadline: 1_000,
  reserveMs: 100,
  budget: {},
  maxChildren: 100,
  sources: [],
  tools: [],
  ...over,
});

const tierOf = (path: string): Tier => (['root', 'domain', 'leaf'] as const)[Math.min(2, depthOf(path))] ?? 'leaf';

export const taskOf = (path: string, over: Partial<Task> = {}): Task => ({
  runId: 'run',
  path,
  tier: tierOf(path),
  question: 'What is so?',
  charter: '',
  grant: grantOf(),
  prior: [],
  enrichments: [],
  ...over,
});

export const draftOf = (over: Partial<FindingDraft> = {}): FindingDraft => ({ statement: 'It is so', ...over });

export const findingOf = (path: string, key = 'said', over: Partial<Finding> = {}): Finding => ({
  id: `${path}#${key}`,
  path,
  statement: `Said by ${path}`,
  stance: 0.5,
  confidence: 0.8,
  flags: [],
  source: { kind: 'none', ref: 'unsourced' },
  ...over,
});
export const criticalOf = (path: string, key = 'said', over: Partial<Finding> = {}): Finding =>
  findingOf(path, key, { ...CRITICAL, ...over });

/** A leaf's report with these findings. */
export function reportOf(
  path: string,
  findings: readonly Finding[] = [],
  over: Partial<UnsealedReport> = {},
): UnsealedReport {
  const usage = ownUsage(path, { leaves: 1, attempts: 1 });
  return {
    kind: 'report',
    schemaVersion: SCHEMA_VERSION,
    runId: 'run',
    path,
    tier: tierOf(path),
    depth: depthOf(path),
    question: '',
    status: 'complete',
    madeBy: 'leaf',
    narrative: '',
    findings: [...findings],
    escalations: findings.filter((finding) => finding.critical),
    conflicts: [],
    relations: [],
    gaps: [],
    dispositions: [],
    derived: [],
    artifacts: [],
    usage: { self: usage, subtree: usage },
    children: [],
    ...over,
  };
}

export const tokenOf = (path: string, over: Partial<UnsealedToken> = {}): UnsealedToken => ({
  kind: 'failure',
  schemaVersion: SCHEMA_VERSION,
  runId: 'run',
  path,
  tier: tierOf(path),
  status: 'error',
  attempts: 3,
  message: 'it broke',
  retryable: true,
  ...over,
});

/** How a join keeps it. */
export const endedWith = (outcome: UnsealedOutcome, over: Partial<Ended> = {}): Ended => ({
  name: nameOf(outcome.path),
  outcome: seal(outcome, { startedAt: 0, endedAt: 1 }),
  ...over,
});

export const leaf = (name: string, over: Partial<ChildSpec> = {}): ChildSpec => ({ name, role: 'leaf', ...over });
export const orchestrator = (name: string, over: Partial<ChildSpec> = {}): ChildSpec => ({
  name,
  role: 'orchestrator',
  ...over,
});

export const decisionOf = (stages: readonly (readonly ChildSpec[])[], over: Partial<Decision> = {}): Decision => ({
  by: 'scenario',
  mode: 'divide',
  stages: stages.map((stage) => [...stage]),
  skipped: [],
  estimates: { leaves: stages.flat().length, criticalPathMs: 1 },
  ...over,
});

export const synthesisOf = (over: Partial<SynthesisDraft> = {}): Synthesis =>
  Synthesis.parse({ narrative: '', dispositions: [], ...over });
