/**
 * Every name under which telemetry says something: spans, attributes, metrics, buckets.
 * `gen_ai.*` are OpenTelemetry's GenAI conventions, written out because they are still in development and their npm
 * constants are deprecated; what those have no name for is under `espalier.*`. docs/telemetry.md lists them all.
 */
import type { Tier } from '../../protocol/report.ts';
import type { Retention } from '../../protocol/retention.ts';
import type { Phase } from '../../protocol/review.ts';

/** The instrumentation scope of every span and metric. */
export const SCOPE = 'espalier';
/** The `service.name` at the command; with one for each tier, what theirs begin with: `espalier-leaf`. */
export const SERVICE = 'espalier';

/** What a span's name begins with. `workflow`, `agent` and `tool` are followed by a name; the others stand alone. */
export const SPAN = {
  workflow: 'invoke_workflow',
  agent: 'invoke_agent',
  plan: 'plan',
  gather: 'gather',
  attempt: 'attempt',
  synthesis: 'synthesis',
  escalation: 'escalation',
  tool: 'execute_tool',
} as const;

/** The tool by which a leaf reads a source. */
export const READ_TOOL = 'read_source';

export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  agent: 'gen_ai.agent.name',
  workflow: 'gen_ai.workflow.name',
  tool: 'gen_ai.tool.name',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
  errorType: 'error.type',
  runId: 'espalier.run.id',
  path: 'espalier.path',
  tier: 'espalier.tier',
  depth: 'espalier.depth',
  depthLimit: 'espalier.depth.limit',
  asOf: 'espalier.as_of',
  resumedAfter: 'espalier.resumed_after',
  status: 'espalier.status',
  madeBy: 'espalier.made_by',
  isDemoted: 'espalier.demoted',
  attempts: 'espalier.attempts',
  hedges: 'espalier.hedges',
  attempt: 'espalier.attempt',
  isHedge: 'espalier.hedge',
  willRetry: 'espalier.will_retry',
  diagnosis: 'espalier.diagnosis',
  needsHuman: 'espalier.needs_human',
  round: 'espalier.round',
  mode: 'espalier.mode',
  skipped: 'espalier.skipped',
  stage: 'espalier.stage',
  stages: 'espalier.stages',
  children: 'espalier.children',
  missing: 'espalier.missing',
  slowest: 'espalier.slowest',
  waitMs: 'espalier.wait_ms',
  savedMs: 'espalier.saved_ms',
  findings: 'espalier.findings',
  escalations: 'espalier.escalations',
  gaps: 'espalier.gaps',
  gapKind: 'espalier.gap.kind',
  alertKind: 'espalier.alert.kind',
  dependencyVia: 'espalier.dependency.via',
  disposition: 'espalier.disposition',
  phase: 'espalier.phase',
  usd: 'espalier.usd',
  subtreeInputTokens: 'espalier.subtree.input_tokens',
  subtreeOutputTokens: 'espalier.subtree.output_tokens',
  subtreeUsd: 'espalier.subtree.usd',
  source: 'espalier.source',
  observations: 'espalier.observations',
} as const;

/** Where a node's own time went, and how long it gathered, in ms. */
export const TIME: Readonly<Record<Phase | 'gathering', string>> = {
  planning: 'espalier.time.planning_ms',
  slot: 'espalier.time.slot_ms',
  work: 'espalier.time.work_ms',
  recovery: 'espalier.time.recovery_ms',
  gathering: 'espalier.time.gathering_ms',
  synthesis: 'espalier.time.synthesis_ms',
};

export const RETENTION: Readonly<Record<keyof Retention, string>> = {
  incoming: 'espalier.retention.incoming',
  kept: 'espalier.retention.kept',
  merged: 'espalier.retention.merged',
  dropped: 'espalier.retention.dropped',
  recall: 'espalier.retention.recall',
  verbatim: 'espalier.retention.verbatim',
  numbersKept: 'espalier.retention.numbers_kept',
  numbersFabricated: 'espalier.retention.numbers_fabricated',
};

/** What was asked and found: sent only where content is captured. */
export const CONTENT = {
  input: 'gen_ai.input.messages',
  output: 'gen_ai.output.messages',
  instructions: 'gen_ai.system_instructions',
  statement: 'espalier.finding.statement',
  value: 'espalier.finding.value',
  unit: 'espalier.finding.unit',
  rule: 'espalier.finding.rule',
  reason: 'espalier.finding.reason',
  enrichment: 'espalier.enrichment',
  message: 'espalier.message',
} as const;

/** Events on spans. */
export const SPAN_EVENT = { alert: 'espalier.integrity.alert' } as const;

/** In place of a status, for what a stopped run left unfinished. */
export const STOPPED = 'stopped';

/** In place of a status, for an execution of a hedged attempt that the other one was ahead of. It is no error. */
export const OUTRUN = 'outrun';

/** In place of a source's id, where it was not declared: it may hold anything. */
export const UNDECLARED = '(undeclared)';

/** In place of an agent's name in metrics: of sub-domains that a decision made, and of names beyond the most. */
export const UNNAMED = { subDomain: '(sub-domain)', other: '(other)' } as const;

export const METRIC = {
  runDuration: 'espalier.run.duration',
  nodeDuration: 'espalier.node.duration',
  activeNodes: 'espalier.node.active',
  slotWait: 'espalier.slot.wait',
  joinWait: 'espalier.join.wait',
  criticalPath: 'espalier.critical_path',
  overhead: 'espalier.tier.overhead',
  saved: 'espalier.tier.saved',
  recall: 'espalier.synthesis.retention.recall',
  verbatim: 'espalier.synthesis.retention.verbatim',
  numbersKept: 'espalier.synthesis.retention.numbers_kept',
  numbersFabricated: 'espalier.synthesis.numbers_fabricated',
  synthesized: 'espalier.synthesis.findings',
  lost: 'espalier.synthesis.lost',
  rejected: 'espalier.synthesis.rejected',
  depthObserved: 'espalier.run.depth.observed',
  depthLimit: 'espalier.run.depth.limit',
  breaches: 'espalier.depth.breaches',
  demotions: 'espalier.demotions',
  escalations: 'espalier.escalations',
  failureTokens: 'espalier.failure_tokens',
  failedAttempts: 'espalier.attempts.failed',
  gaps: 'espalier.gaps',
  alerts: 'espalier.integrity.alerts',
  dependencies: 'espalier.dependencies',
  hedges: 'espalier.hedges',
  selfTokens: 'espalier.tokens.self',
  subtreeTokens: 'espalier.tokens.subtree',
  selfCost: 'espalier.cost.self',
  subtreeCost: 'espalier.cost.subtree',
} as const;

/** Upper bounds of histogram buckets. */
export const BUCKETS = {
  /** Seconds: fine where rules work, and well past the 8 minutes that a run of models may take. */
  duration: [
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 360, 420, 480, 540,
    600, 900, 1800, 3600,
  ],
  /** Nothing but 1 lies above the last bound: it shows at a glance whether anything was lost. */
  share: [0, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999],
  depth: [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20],
} as const;

export const TIERS: readonly Tier[] = ['root', 'domain', 'leaf'];
