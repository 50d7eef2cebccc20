/** What every node returns upward, at every tier, in one shape; or, in its place, a failure token. */
import { z } from 'zod';
import { Assessment } from './assessment.ts';
import { Conflict, Relation } from './conflict.ts';
import { Decision } from './decision.ts';
import { Dependency } from './dependency.ts';
import { Diagnosis } from './fault.ts';
import { FailureStatus } from './failure-status.ts';
import { Finding } from './finding.ts';
import { Gap } from './gap.ts';
import { Budget } from './grant.ts';
import { Retention } from './retention.ts';
import { Derived, Disposition } from './synthesis.ts';
import { SCHEMA_VERSION } from './version.ts';

export const Tier = z.enum(['root', 'domain', 'leaf']);
export type Tier = z.infer<typeof Tier>;

export const ReportStatus = z.enum(['complete', 'partial', 'failed']);
export type ReportStatus = z.infer<typeof ReportStatus>;

/** Work done: by a node itself, or by its whole subtree. */
export const Usage = z.object({
  nodes: z.int().min(0),
  leaves: z.int().min(0),
  attempts: z.int().min(0),
  /** Second executions of an attempt that straggled. Like times no part of the digest. */
  hedges: z.int().min(1).exactOptional(),
  inputTokens: z.number().min(0),
  outputTokens: z.number().min(0),
  usd: z.number().min(0),
  /** The greatest depth any node had. */
  depth: z.int().min(0),
});
export type Usage = z.infer<typeof Usage>;

/** Epoch milliseconds, measured by whoever waited for the node. */
export const Timing = z.object({ startedAt: z.number(), endedAt: z.number() });
export type Timing = z.infer<typeof Timing>;

/** A big output, held elsewhere. `ref` is the path of the node that kept it, "#" and its name there. */
export const Artifact = z.object({ bytes: z.int().min(0), ref: z.string(), sha256: z.string() });
export type Artifact = z.infer<typeof Artifact>;

/** What a parent is told of how its child's evidence leans. */
export const Lean = Assessment.pick({ byRules: true, logOdds: true, coverage: true, dissent: true, votes: true });
export type Lean = z.infer<typeof Lean>;

export const ChildSummary = z.object({
  path: z.string(),
  status: z.union([ReportStatus, FailureStatus]),
  /** How its evidence leans, when it assessed any. */
  assessment: Lean.exactOptional(),
  retention: Retention.exactOptional(),
  digest: z.string(),
});
export type ChildSummary = z.infer<typeof ChildSummary>;

/** What only the root knows about its run. */
export const RunSummary = z.object({
  maxDepth: z.int().min(0),
  observedDepth: z.int().min(0),
  demotions: z.array(z.string()),
  asOf: z.string().exactOptional(),
  /** What the run may spend. `overdrawn`: what was said to be spent and did not fit; it is in no node's usage. */
  budget: z.object({ granted: Budget, overdrawn: Budget.exactOptional() }).exactOptional(),
  hostVersion: z.string(),
  /** Where undeclared reads are allowed: those that happened. */
  dependencies: z.array(Dependency).exactOptional(),
});
export type RunSummary = z.infer<typeof RunSummary>;

/** A report before whoever waited for it has stamped its timing and digest. */
export const UnsealedReport = z.object({
  kind: z.literal('report'),
  schemaVersion: z.literal(SCHEMA_VERSION),
  runId: z.string(),
  path: z.string(),
  tier: Tier,
  depth: z.int().min(0),
  question: z.string(),
  status: ReportStatus,
  madeBy: z.enum(['leaf', 'synthesis', 'deterministic']),
  narrative: z.string(),
  findings: z.array(Finding),
  /** Every critical finding of the subtree, unchanged. */
  escalations: z.array(Finding),
  conflicts: z.array(Conflict),
  relations: z.array(Relation),
  gaps: z.array(Gap),
  assessment: Assessment.exactOptional(),
  decision: Decision.exactOptional(),
  retention: Retention.exactOptional(),
  /** What the synthesis did with each finding that it did not keep. */
  dispositions: z.array(Disposition),
  /** How to recompute the numbers of the narrative that no finding holds. */
  derived: z.array(Derived),
  artifacts: z.array(Artifact),
  usage: z.object({ self: Usage, subtree: Usage }),
  children: z.array(ChildSummary),
  run: RunSummary.exactOptional(),
});
export type UnsealedReport = z.infer<typeof UnsealedReport>;

export const Report = UnsealedReport.extend({ timing: Timing, digest: z.string() });
export type Report = z.infer<typeof Report>;

const tokenShape = {
  kind: z.literal('failure'),
  schemaVersion: z.literal(SCHEMA_VERSION),
  runId: z.string(),
  path: z.string(),
  tier: Tier,
  status: FailureStatus,
  attempts: z.int().min(0),
  message: z.string(),
  retryable: z.boolean(),
  /** Why its last attempt failed, as far as is known. */
  diagnosis: Diagnosis.exactOptional(),
  /** No attempt is left, and none would help: somebody has to look at it. */
  needsHuman: z.literal(true).exactOptional(),
};
export const UnsealedToken = z.object({ ...tokenShape, partial: UnsealedReport.exactOptional() });
export type UnsealedToken = z.infer<typeof UnsealedToken>;

/** A structured failure in place of a report, with what had been found until then. */
export const FailureToken = z.object({
  ...tokenShape,
  partial: Report.exactOptional(),
  elapsedMs: z.number().min(0),
  digest: z.string(),
});
export type FailureToken = z.infer<typeof FailureToken>;

/** How every node ends: exactly one of these, exactly once. */
export const UnsealedOutcome = z.discriminatedUnion('kind', [UnsealedReport, UnsealedToken]);
export type UnsealedOutcome = z.infer<typeof UnsealedOutcome>;
export const Outcome = z.discriminatedUnion('kind', [Report, FailureToken]);
export type Outcome = z.infer<typeof Outcome>;
