/** The only stream there is: store, progress, metrics and tests all read it. One discriminated union. */
import { z } from 'zod';
import { Decision } from './decision.ts';
import { Finding } from './finding.ts';
import { Grant } from './grant.ts';
import { Dependency } from './dependency.ts';
import { FailureStatus } from './failure-status.ts';
import { Fault } from './fault.ts';
import { FailureToken, Lean, Report, ReportStatus, Tier } from './report.ts';
import { SCHEMA_VERSION } from './version.ts';

const stamp = {
  v: z.literal(SCHEMA_VERSION),
  runId: z.string(),
  /** Counts up by one within a run, from 0. */
  seq: z.int().min(0),
  /** Epoch milliseconds of the run's clock. */
  at: z.number(),
};
const event = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ ...stamp, type: z.literal(type), path: z.string(), ...shape });

export const RunEvent = z.discriminatedUnion('type', [
  event('run.started', {
    scenario: z.string(),
    thesis: z.string(),
    asOf: z.string().exactOptional(),
    maxDepth: z.int(),
    deadline: z.number(),
    concurrency: z.int(),
    hostVersion: z.string(),
    /** Set when an interrupted run goes on: how many events it had. */
    resumed: z.object({ events: z.int() }).exactOptional(),
  }),
  event('node.started', {
    tier: Tier,
    depth: z.int(),
    question: z.string(),
    charter: z.string(),
    grant: Grant,
    /** The reports of siblings that it was given. */
    prior: z.array(z.object({ path: z.string(), digest: z.string() })),
    /** Of its definition, and of all that it was asked: known where the run is stored. */
    definition: z.string().exactOptional(),
    taskDigest: z.string().exactOptional(),
  }),
  /** A resumed run took over how this node had ended. */
  event('node.reused', { tier: Tier, status: z.union([ReportStatus, FailureStatus]), digest: z.string() }),
  event('node.planned', { decision: Decision }),
  event('depth.refused', { maxDepth: z.int(), children: z.array(z.string()) }),
  /** The host does not do what this limit of the scenario asks for. Once, when the run begins. */
  event('limit.ignored', { limit: z.enum(['hedge']), message: z.string() }),
  /** A node asked for more than was left for it. In US dollars, tokens or leaves. */
  event('budget.refused', { dimension: z.enum(['usd', 'tokens', 'leaves']), asked: z.number(), left: z.number() }),
  /** What this node had ended with cannot stand in the resumed run: it runs again. */
  event('node.invalidated', { why: z.string() }),
  event('attempt.started', {
    attempt: z.int(),
    /** What this attempt is told that the one before was not. */
    enrichment: z.string().exactOptional(),
  }),
  event('attempt.failed', { attempt: z.int(), fault: Fault, willRetry: z.boolean() }),
  /** It is executed a second time besides, because it was at work for longer than is usual. */
  event('attempt.hedged', { attempt: z.int() }),
  /**
   * Of a hedged attempt one execution is over: the other had answered, or it failed by `fault` and the other goes on.
   */
  event('execution.dropped', { attempt: z.int(), which: z.enum(['first', 'hedge']), fault: Fault.exactOptional() }),
  /** It waits for so long, and then asks the same again. Refused, without having spent an attempt. */
  event('attempt.backed-off', { attempt: z.int(), fault: Fault, ms: z.number().min(0) }),
  /** Once per finding, at the node that made it. */
  event('finding.reported', { finding: Finding }),
  /** Once per critical finding, when it reaches the root. */
  event('finding.escalated', { finding: Finding }),
  event('join.expired', { stage: z.int(), missing: z.array(z.string()) }),
  /** A message about a child that had already ended. A critical finding that comes too late is in `findings`. */
  event('child.late', {
    child: z.string(),
    why: z.enum(['late', 'duplicate', 'unknown']),
    findings: z.array(Finding),
  }),
  event('integrity.alert', {
    kind: z.enum(['spawn', 'misattributed', 'depth', 'read', 'budget', 'tool', 'authority']),
    message: z.string(),
  }),
  /** A leaf has read a source, or its attempt was over before it had. `observations`: known at the as-of date. */
  event('source.read', {
    source: z.string(),
    declared: z.boolean(),
    startedAt: z.number(),
    status: z.union([z.literal('complete'), FailureStatus]),
    observations: z.int().min(0),
  }),
  /** A leaf has called a tool that it declared, or its attempt was over before it had been answered. */
  event('tool.called', {
    tool: z.string(),
    startedAt: z.number(),
    status: z.union([z.literal('complete'), FailureStatus]),
  }),
  /** A read that was not declared and was allowed. Once for each reader and what it read. */
  event('dependency.observed', { on: z.string(), via: Dependency.shape.via }),
  event('synthesis.rejected', { attempt: z.int(), fault: Fault, willRetry: z.boolean() }),
  /**
   * Where a synthesis is incremental: how the evidence leans so far, with `ended` of `children` ended. The whole interim
   * report is the root's alone.
   */
  event('synthesis.interim', {
    tier: Tier,
    ended: z.int().min(0),
    children: z.int().min(0),
    assessment: Lean,
    report: Report.exactOptional(),
  }),
  /** An interim report could not be made. Nothing depends on one. */
  event('interim.failed', { fault: Fault }),
  event('node.reported', { tier: Tier, report: Report }),
  event('node.failed', { tier: Tier, token: FailureToken }),
  /** From now on so many may be at work at once in this pool; `total` is that of the whole run. */
  event('slots.changed', { pool: z.string(), limit: z.int(), why: z.enum(['rate-limited', 'memory', 'recovered']) }),
  /** From here on the run is not stored any more. */
  event('record.failed', { message: z.string() }),
  /** What this run taught could not be kept. */
  event('memory.failed', { message: z.string() }),
  /** `sha256`: of the canonical JSON of the whole brief, with its run and its times, which its digest leaves out. */
  event('run.completed', { status: ReportStatus, digest: z.string(), sha256: z.string() }),
]);
export type RunEvent = z.infer<typeof RunEvent>;
export type RunEventType = RunEvent['type'];

type Unstamped<Event> = Event extends RunEvent ? Omit<Event, keyof typeof stamp> : never;
/** An event before the run has stamped its version, run, number and time. */
export type RunEventBody = Unstamped<RunEvent>;
