/**
 * Turns what a join gathered, and what a synthesizer answered, into the node's report. Pure.
 *  1. Every escalation of every child, also those inside a token's partial, stands in the report unchanged.
 *  2. Critical findings are kept whatever the synthesis says of them.
 *  3. Every incoming finding has exactly one disposition; one that was not named is dropped, "unaccounted".
 *  4. Gaps flow up: a report lists every gap of its subtree.
 *  5. An assessment that the rules did not make is said to be so, and theirs stands beside it.
 */
import { assess } from '../analytics/conviction.ts';
import { deterministicSynthesis } from '../analytics/deterministic-synthesis.ts';
import type { Ended } from '../ports/activities.ts';
import type { Assessment } from '../protocol/assessment.ts';
import type { Decision } from '../protocol/decision.ts';
import { canonicalJson, seal } from '../protocol/digest.ts';
import { CONTEXT_FLAG, votes, type Finding } from '../protocol/finding.ts';
import { isHole, type Gap } from '../protocol/gap.ts';
import { childPath, depthOf, nameOf } from '../protocol/path.ts';
import type {
  ChildSummary,
  Lean,
  Outcome,
  RunSummary,
  UnsealedOutcome,
  UnsealedReport,
  UnsealedToken,
} from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Disposition, Synthesis } from '../protocol/synthesis.ts';
import type { Task } from '../protocol/task.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';
import { HOST_VERSION } from '../version.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import { emptyPartial } from './partial.ts';
import { measureRetention } from './retention.ts';
import { bodyOf, givenTo, incomingOf } from './synthesis-check.ts';
import { addUsage, ownUsage, subtreeUsage } from './usage.ts';

/** In place of a decision that was never made. */
export const NO_DECISION: Decision = {
  by: 'nobody',
  estimates: { criticalPathMs: 0, leaves: 0 },
  mode: 'divide',
  skipped: [],
  stages: [],
};

export type Gathered = { task: Task; decision: Decision; ended: readonly Ended[] };

/** The report over an accepted synthesis; with a fault in its place, over the deterministic one, flagged. */
export function reportOf(gathered: Gathered, answer: { synthesis: Synthesis } | { fault: Fault }): UnsealedReport {
  const { task, decision, ended } = gathered;
  // In a fault's place nobody has judged what matters: all of it stands.
  const synthesis = 'synthesis' in answer ? answer.synthesis : deterministicSynthesis(gathered, { keep: Infinity });
  const incoming = incomingOf(ended);
  const escalations = unique(ended.flatMap(({ outcome }) => bodyOf(outcome)?.escalations ?? []));
  const { question } = task;
  const books = keepBooks(task, incoming, synthesis);
  const gaps = gapsOf(gathered, synthesis);
  // A run that is cancelled says so once per node that was cut, not once more per tier above.
  const isExplained = 'fault' in answer && answer.fault.status === 'cancelled' && gaps.some(isHole);
  if ('fault' in answer && !isExplained) {
    const { status, message } = answer.fault;
    const why = `${status}: ${message}; replaced by the deterministic one`;
    gaps.push({ kind: 'synthesis', path: task.path, status, why });
  }
  if (books.findings.length === 0 && gaps.length === 0) {
    gaps.push({ kind: 'insufficient', path: task.path, why: 'its children ended without a finding' });
  }
  const own = ownUsage(task.path, { leaves: 0, attempts: 0 });
  // Here and below keys are in alphabetical order: so the digest needs no sorting.
  return {
    artifacts: ended.flatMap(({ outcome }) => bodyOf(outcome)?.artifacts ?? []),
    assessment: assessmentOf(gathered, synthesis),
    children: ended.map(({ outcome }) => summaryOf(outcome)),
    conflicts: synthesis.conflicts,
    decision,
    depth: depthOf(task.path),
    derived: synthesis.derived,
    dispositions: books.dispositions.filter((disposition) => disposition.as !== 'kept'),
    escalations,
    findings: books.findings,
    gaps,
    kind: 'report',
    madeBy: synthesis.madeBy,
    narrative: synthesis.narrative,
    path: task.path,
    question,
    relations: synthesis.relations,
    retention: measureRetention({
      incoming,
      incomingCriticals: unique([...incoming, ...escalations]).filter((finding) => finding.critical),
      kept: books.findings,
      escalations,
      narrative: [synthesis.narrative, ...synthesis.merges.map((merge) => merge.statement)].join('\n'),
      dispositions: books.dispositions,
      derived: synthesis.derived,
      given: givenTo(task, ended),
    }),
    runId: task.runId,
    schemaVersion: SCHEMA_VERSION,
    status: books.findings.length === 0 ? 'failed' : gaps.some(isHole) ? 'partial' : 'complete',
    tier: task.tier,
    usage: { self: own, subtree: ended.map(({ outcome }) => subtreeUsage(outcome)).reduce(addUsage, own) },
  };
}

function assessmentOf(gathered: Gathered, { assessment: given, madeBy }: Synthesis): Assessment {
  if (given && madeBy === 'deterministic') return given;
  const own = assess(gathered);
  if (!given || canonicalJson(given) === canonicalJson(own)) return own;
  const { byRules: _, evidence: _evidence, label: _label, ...said } = given;
  const { conviction, coverage, label, logOdds, verdict } = own;
  const byRules = {
    ...(conviction !== undefined && { conviction }),
    coverage,
    logOdds,
    ...(verdict !== undefined && { verdict }),
  };
  return inKeyOrder({ ...said, byRules, label });
}

function summaryOf(outcome: Outcome): ChildSummary {
  const { path, status, digest } = outcome;
  if (outcome.kind === 'failure') return { digest, path, status };
  const { assessment, retention } = outcome;
  return {
    ...(assessment && { assessment: leanOf(assessment) }),
    digest,
    path,
    ...(retention && { retention }),
    status,
  };
}

export const leanOf = ({ byRules, coverage, dissent, logOdds, votes }: Assessment): Lean => ({
  ...(byRules && { byRules }),
  coverage,
  dissent,
  logOdds,
  votes,
});

function keepBooks(
  task: Task,
  incoming: readonly Finding[],
  synthesis: Synthesis,
): { findings: Finding[]; dispositions: Disposition[] } {
  const said = new Map(synthesis.dispositions.map((disposition) => [disposition.id, disposition]));
  const findings: Finding[] = [];
  const dispositions: Disposition[] = [];
  const parts = new Map<string, Finding[]>();
  for (const finding of unique(incoming)) {
    const { id } = finding;
    const disposition = finding.critical
      ? ({ as: 'kept', id } as const)
      : (said.get(id) ?? ({ as: 'dropped', id, why: 'unaccounted' } as const));
    dispositions.push(disposition);
    if (disposition.as === 'kept') findings.push(finding);
    if (disposition.as !== 'merged') continue;
    const known = parts.get(disposition.into);
    if (known) known.push(finding);
    else parts.set(disposition.into, [finding]);
  }
  for (const { key, lead, statement } of synthesis.merges) {
    const from = parts.get(key);
    const leading = from?.find((finding) => finding.id === lead) ?? from?.[0];
    if (from && leading) findings.push(merged(task.path, key, leading, statement, from));
  }
  return { findings, dispositions };
}

/** A copy with its own keys in alphabetical order, so that its canonical JSON needs no sorting. For names, not numbers. */
const inKeyOrder = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as T;

/** The stance of a merged finding is the confidence-weighted mean of its parts, its confidence the greatest of theirs. */
function merged(path: string, key: string, lead: Finding, statement: string, parts: readonly Finding[]): Finding {
  const { critical: _, ...body } = lead;
  const confidence = parts.reduce((sum, part) => sum + part.confidence, 0);
  const stance = parts.reduce((sum, part) => sum + part.confidence * part.stance, 0);
  const finding = {
    ...body,
    id: `${path}#${key}`,
    path,
    statement,
    stance: confidence > 0 ? stance / confidence : 0,
    confidence: parts.reduce((greatest, part) => Math.max(greatest, part.confidence), 0),
    flags: mergedFlags(parts),
    from: parts.map((part) => part.id),
  };
  return deepFreeze(inKeyOrder(finding));
}

/** All that any part has; but a merged finding is mere context only when every part is. */
function mergedFlags(parts: readonly Finding[]): string[] {
  const flags = new Set(parts.flatMap((part) => part.flags));
  if (parts.some(votes)) flags.delete(CONTEXT_FLAG);
  return [...flags];
}

function gapsOf({ task, decision, ended }: Gathered, synthesis: Synthesis): Gap[] {
  const gaps: Gap[] = decision.skipped.map(({ name, why }) => ({
    kind: 'skipped',
    path: childPath(task.path, name),
    why,
  }));
  for (const end of ended) gaps.push(...gapsLeftBy(end));
  return [...gaps, ...synthesis.gaps];
}

/** What a child lacked, and that it is a gap itself when it left no report. */
export function gapsLeftBy({ outcome, notNeeded }: Ended): Gap[] {
  const gaps = bodyOf(outcome)?.gaps ?? [];
  if (outcome.kind === 'report') return gaps;
  if (notNeeded) return [...gaps, { kind: 'not-needed', path: outcome.path, why: outcome.message }];
  return [...gaps, gapOfToken(outcome)];
}

const unique = (findings: readonly Finding[]): Finding[] => [
  ...new Map(findings.map((finding) => [finding.id, finding])).values(),
];

/** What a node made of its task as a leaf, in place of the children its decision could not or need not spawn. */
export function executedReport(task: Task, decision: Decision, outcome: UnsealedOutcome): UnsealedOutcome {
  const { path, tier } = task;
  const { demoted } = decision;
  const demotion: Gap[] =
    demoted && !(outcome.kind === 'report' && isUndone(outcome, path, demoted))
      ? [{ kind: 'demoted', path, why: `depth is spent: executed without ${demoted.join(', ')}` }]
      : [];
  if (outcome.kind === 'report')
    return inKeyOrder({ ...outcome, path, tier, decision, gaps: [...outcome.gaps, ...demotion] });
  const partial = outcome.partial ?? (demoted ? emptyPartial(outcome) : undefined);
  return { ...outcome, ...(partial && { partial: { ...partial, decision, gaps: [...partial.gaps, ...demotion] } }) };
}

/** Whether nothing was executed in the children's place: each is a gap of its own, and that is said once. */
function isUndone({ findings, gaps }: UnsealedReport, path: string, children: readonly string[]): boolean {
  if (findings.length > 0 || children.length === 0) return false;
  const undone = new Set(gaps.flatMap((gap) => (gap.kind === 'undone' ? gap.path : [])));
  return children.every((name) => undone.has(childPath(path, name)));
}

/**
 * The root always ends in a report: a token becomes one, with what it left behind and a gap that says why. Adds what
 * only the root knows of its run.
 */
export function rootReport(task: Task, outcome: UnsealedOutcome): UnsealedReport {
  const body = outcome.kind === 'report' ? outcome : reportOfToken(outcome);
  const run: RunSummary = {
    ...(task.asOf !== undefined && { asOf: task.asOf }),
    ...(Object.keys(task.grant.budget).length > 0 && { budget: { granted: task.grant.budget } }),
    demotions: body.gaps.filter((gap) => gap.kind === 'demoted').map((gap) => gap.path),
    hostVersion: HOST_VERSION,
    maxDepth: task.grant.depthLeft,
    observedDepth: body.usage.subtree.depth,
  };
  const isOwnWork = body.decision?.mode === 'execute' && body.findings.length > 0;
  const assessment = body.assessment ?? (isOwnWork ? assessmentOfOwnWork(task, body) : undefined);
  return inKeyOrder({ ...body, question: task.question, ...(assessment && { assessment }), run });
}

/**
 * In place of a root that died: by rules, over how its children ended. `gap` says how it died; `heard` is what its subtree
 * was heard to say.
 */
export function reportWithoutRoot(gathered: Gathered, gap: Gap, heard: Iterable<Finding>): UnsealedReport {
  const { task } = gathered;
  const body = reportOf(gathered, { synthesis: deterministicSynthesis(gathered) });
  const accounted = new Set([...body.findings, ...body.dispositions].map(({ id }) => id));
  const said = [...heard].filter(({ id }) => !accounted.has(id));
  const findings = [...body.findings, ...said];
  return rootReport(task, {
    ...body,
    findings,
    escalations: unique([...body.escalations, ...said.filter((finding) => finding.critical)]),
    gaps: [...body.gaps, gap],
    status: findings.length > 0 ? 'partial' : 'failed',
  });
}

/** A root that executed by itself weighs its findings as it would those of one child. */
function assessmentOfOwnWork(task: Task, body: UnsealedReport): Assessment {
  const name = nameOf(task.path);
  const decision: Decision = { ...NO_DECISION, stages: [[{ name, role: 'orchestrator' }]] };
  const outcome = seal(body, { startedAt: 0, endedAt: 0 });
  return assess({ task: { ...task, path: '' }, decision, ended: [{ name, outcome }] });
}

export const gapOfToken = ({
  path,
  status,
  message,
  needsHuman,
}: Pick<UnsealedToken, 'path' | 'status' | 'message' | 'needsHuman'>): Gap => ({
  kind: 'token',
  ...(needsHuman && { needsHuman }),
  path,
  status,
  why: `${status}: ${message}`,
});

function reportOfToken(token: UnsealedToken): UnsealedReport {
  const body = token.partial ?? emptyPartial(token);
  const gap = gapOfToken(token);
  return { ...body, status: body.findings.length > 0 ? 'partial' : 'failed', gaps: [...body.gaps, gap] };
}
