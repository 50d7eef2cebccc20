/** Makes sure that what a node was heard to say is in its outcome. Pure. */
import type { Finding } from '../protocol/finding.ts';
import { depthOf } from '../protocol/path.ts';
import type { ReportStatus, UnsealedOutcome, UnsealedReport, UnsealedToken } from '../protocol/report.ts';
import type { Task } from '../protocol/task.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';
import { ownUsage, withMoney, type Spent } from './usage.ts';

/**
 * A token gets everything that was heard as its partial. A report stays what its maker made of it, but no critical
 * finding that was heard is missing from its escalations.
 */
export function withHeard(outcome: UnsealedOutcome, heard: Iterable<Finding>): UnsealedOutcome {
  if (outcome.kind === 'failure') return tokenWithHeard(outcome, heard);
  const criticals = [...heard].filter((finding) => finding.critical);
  if (criticals.length === 0) return outcome;
  const known = new Set(outcome.escalations.map((finding) => finding.id));
  const missing = criticals.filter((finding) => !known.has(finding.id));
  if (missing.length === 0) return outcome;
  const findings = union(outcome.findings, missing);
  return { ...outcome, ...withFindings(outcome.status, findings), escalations: [...outcome.escalations, ...missing] };
}

function tokenWithHeard(token: UnsealedToken, heard: Iterable<Finding>): UnsealedToken {
  const findings = union(token.partial?.findings ?? [], heard);
  if (findings.length === 0) return token;
  const base = token.partial ?? emptyPartial(token);
  const criticals = findings.filter((finding) => finding.critical);
  const escalations = union(base.escalations, criticals);
  return { ...token, partial: { ...base, ...withFindings(base.status, findings), escalations } };
}

/**
 * Writes what a node has settled into its usage. What children spent that died before they could report is known to
 * the run's budget alone.
 */
export function withSpent(outcome: UnsealedOutcome, spent: Spent | undefined): UnsealedOutcome {
  if (!spent) return outcome;
  const body = outcome.kind === 'report' ? outcome : (outcome.partial ?? emptyPartial(outcome));
  const { self, subtree } = body.usage;
  const usage = { self: withMoney(self, spent.self), subtree: { ...subtree, ...spent.subtree } };
  return outcome.kind === 'report' ? { ...outcome, usage } : { ...outcome, partial: { ...body, usage } };
}

/** `failed` means that no finding survived: with one that was heard it is no longer true. */
const withFindings = (status: ReportStatus, findings: Finding[]): Pick<UnsealedReport, 'findings' | 'status'> => ({
  findings,
  status: status === 'failed' ? 'partial' : status,
});

function union(findings: readonly Finding[], more: Iterable<Finding>): Finding[] {
  const byId = new Map(findings.map((finding) => [finding.id, finding]));
  for (const finding of more) if (!byId.has(finding.id)) byId.set(finding.id, finding);
  return [...byId.values()];
}

/** A report that holds nothing yet. */
export function emptyReport(
  { runId, path, tier, question }: Pick<Task, 'runId' | 'path' | 'tier' | 'question'>,
  attempts: number,
): UnsealedReport {
  const usage = ownUsage(path, { leaves: tier === 'leaf' ? 1 : 0, attempts });
  return {
    artifacts: [],
    children: [],
    conflicts: [],
    depth: depthOf(path),
    derived: [],
    dispositions: [],
    escalations: [],
    findings: [],
    gaps: [],
    kind: 'report',
    madeBy: 'leaf',
    narrative: '',
    path,
    question,
    relations: [],
    runId,
    schemaVersion: SCHEMA_VERSION,
    status: 'complete',
    tier,
    usage: { self: usage, subtree: usage },
  };
}

/** For what a token left behind. */
export const emptyPartial = ({ runId, path, tier, attempts, message }: UnsealedToken): UnsealedReport => ({
  ...emptyReport({ runId, path, tier, question: '' }, attempts),
  status: 'partial',
  madeBy: 'deterministic',
  narrative: `What was heard before it ended: ${message}.`,
});
