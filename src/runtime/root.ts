/**
 * A run stands above its root, as a gather over one child. What every host gives that gather, and makes of its end. Pure.
 *  1. It ends with a report of the root, whatever became of the root.
 *  2. What came too late, and what was spent beyond the budget, is in that report.
 */
import type { Limits } from '../define/spec.ts';
import type { Ended } from '../ports/activities.ts';
import type { Decision } from '../protocol/decision.ts';
import { digestOf } from '../protocol/digest.ts';
import type { Dependency } from '../protocol/dependency.ts';
import type { Finding } from '../protocol/finding.ts';
import { isHole, type Gap } from '../protocol/gap.ts';
import type { Budget } from '../protocol/grant.ts';
import { ROOT } from '../protocol/path.ts';
import type { Outcome, Report, UnsealedReport } from '../protocol/report.ts';
import type { Task } from '../protocol/task.ts';
import { ASKING_PLAN_MS } from '../tier/grant.ts';
import type { GatherInput } from '../tier/orchestrator-machine.ts';
import { gapOfToken, NO_DECISION, reportWithoutRoot, rootReport } from '../tier/report.ts';
import { withMoney } from '../tier/usage.ts';
import type { Afterthought } from './record/recall.ts';

/** What the run knows and its root does not. */
export type RunKnows = {
  /** Critical findings that came after their node had ended. */
  readonly afterthoughts: readonly Afterthought[];
  /** What was said to be spent and did not fit. */
  readonly overdrawn: Budget | undefined;
  /** How the root's children have ended, and what it had decided: for a brief that has to be made without it. */
  readonly underRoot: readonly Ended[];
  readonly decided: Decision | undefined;
  /** Where undeclared reads are observed. */
  readonly dependencies?: ReadonlyMap<string, Dependency> | undefined;
};

type RootTask = Pick<Task, 'runId'> & {
  thesis: string;
  asOf: string | undefined;
  limits: Limits;
  issuedAt: number;
  deadline: number;
  /** Whether a model is asked to decide. */
  isAsking: boolean;
};
export const rootTask = ({ runId, thesis, asOf, limits, issuedAt, deadline, isAsking }: RootTask): Task => ({
  runId,
  path: ROOT,
  tier: 'root',
  question: thesis,
  charter: '',
  ...(asOf !== undefined && { asOf }),
  grant: {
    depthLeft: limits.maxDepth,
    issuedAt,
    deadline,
    reserveMs: 0,
    ...(isAsking && { planMs: ASKING_PLAN_MS }),
    budget: limits.budget,
    maxChildren: limits.maxChildren,
    sources: [],
    tools: [],
  },
  prior: [],
  enrichments: [],
});

/** The run stands above the root: one level of depth and one hand-off more. */
export function gatherOverRoot(task: Task, { reserveMs, leaves }: { reserveMs: number; leaves: number }): GatherInput {
  const { grant } = task;
  return {
    task: { ...task, path: '', grant: { ...grant, depthLeft: grant.depthLeft + 1 } },
    stage: 0,
    children: [
      {
        ...(grant.planMs !== undefined && { planMs: grant.planMs }),
        name: ROOT,
        role: 'orchestrator',
        reserveMs,
        leaves,
        sources: grant.sources,
      },
    ],
    deadline: grant.deadline,
    before: [],
  };
}

/** A last word on the root's report, before it is sealed. `heard`: what its subtree said. */
export const amendRoot = (
  report: UnsealedReport,
  task: Task,
  heard: Iterable<Finding>,
  knows: RunKnows,
): UnsealedReport => withDependencies(withAfterthoughts(standingIn(report, task, heard, knows), knows), knows);

/** Whether the root died or failed, and has said so itself. */
export const tokenGapOf = ({ gaps, path }: UnsealedReport): Gap | undefined =>
  gaps.find((gap) => gap.kind === 'token' && gap.path === path);

/** A root that died left a token: it becomes the report of the run, sealed anew. */
export function reportOfRoot(task: Task, outcome: Outcome | undefined, knows: RunKnows): Report {
  if (outcome?.kind === 'report') return outcome;
  if (!outcome) throw new Error('unreachable: a gather over one child ended without it');
  const { partial, elapsedMs, digest: _, ...token } = outcome;
  const own = { ...token, ...(partial && { partial }) };
  const { underRoot: ended, decided: decision = NO_DECISION } = knows;
  const gathered = { task, decision, ended: [...ended] };
  const body =
    ended.length > 0
      ? withMoneyOf(reportWithoutRoot(gathered, gapOfToken(own), partial?.findings ?? []), partial)
      : rootReport(task, own);
  const report = withDependencies(withAfterthoughts(body, knows), knows);
  const timing = { startedAt: task.grant.issuedAt, endedAt: task.grant.issuedAt + elapsedMs };
  return { ...report, timing, digest: digestOf(report) };
}

/** What was settled is in what the root left behind, also by nodes that died before they could report. */
function withMoneyOf(body: UnsealedReport, left: UnsealedReport | undefined): UnsealedReport {
  const { usd, inputTokens, outputTokens } = left?.usage.subtree ?? NOTHING_SPENT;
  if (!left || usd + inputTokens + outputTokens === 0) return body;
  const { self, subtree } = body.usage;
  return {
    ...body,
    usage: { self: withMoney(self, left.usage.self), subtree: { ...subtree, usd, inputTokens, outputTokens } },
  };
}
const NOTHING_SPENT = { usd: 0, inputTokens: 0, outputTokens: 0 };

/** A root that failed says so itself. How its children ended, and what they had said, is with us. */
function standingIn(
  report: UnsealedReport,
  task: Task,
  heard: Iterable<Finding>,
  { underRoot: ended, decided: decision = NO_DECISION }: RunKnows,
): UnsealedReport {
  const gap = tokenGapOf(report);
  return gap && ended.length > 0 ? reportWithoutRoot({ task, decision, ended: [...ended] }, gap, heard) : report;
}

function withAfterthoughts(given: UnsealedReport, { afterthoughts, overdrawn }: RunKnows): UnsealedReport {
  const run = overdrawn && given.run?.budget && { ...given.run, budget: { ...given.run.budget, overdrawn } };
  const report = run ? { ...given, run } : given;
  if (afterthoughts.length === 0) return report;
  const said = new Set(report.escalations.map(({ id }) => id)); // in time, by a node that ran again
  const late = afterthoughts.filter(({ finding }) => !said.has(finding.id)).map(gapOf);
  const gaps = [...report.gaps, ...late];
  const status = report.status === 'complete' && gaps.some(isHole) ? 'partial' : report.status;
  return { ...report, gaps, status };
}

/** In an order of their own: who was first to read is chance. */
function withDependencies(report: UnsealedReport, { dependencies: observed }: RunKnows): UnsealedReport {
  if (!observed || !report.run) return report;
  const dependencies = [...observed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return { ...report, run: { ...report.run, dependencies } };
}
const gapOf = ({ path, finding, why = 'a critical finding came after this node had ended' }: Afterthought): Gap => ({
  path,
  kind: 'undone',
  why: `${why}: ${finding.statement}`,
});
