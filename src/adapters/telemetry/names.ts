/**
 * Every name under which telemetry says something: spans, attributes, metrics, buckets.
 * `gen_ai.*` are OpenTelemetry's GenAI conventions, written out because they are still in development and their npm
 * constants are deprecated; what those have no name for is under `espalier.*`. docs/telemetry.md lists them all.
 */
import type { Retention } from '../../protocol/retention.ts';

/** The instrumentation scope of every span and metric. */
export const SCOPE = 'espalier';

export const WORKFLOW = 'invoke_workflow';
export const AGENT = 'invoke_agent';

export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  agent: 'gen_ai.agent.name',
  workflow: 'gen_ai.workflow.name',
  errorType: 'error.type',
  runId: 'espalier.run.id',
  path: 'espalier.path',
  tier: 'espalier.tier',
  depth: 'espalier.depth',
  depthLimit: 'espalier.depth.limit',
  asOf: 'espalier.as_of',
  status: 'espalier.status',
  madeBy: 'espalier.made_by',
  isDemoted: 'espalier.demoted',
  attempts: 'espalier.attempts',
  findings: 'espalier.findings',
  escalations: 'espalier.escalations',
  gaps: 'espalier.gaps',
  gapKind: 'espalier.gap.kind',
  alertKind: 'espalier.alert.kind',
  dependencyVia: 'espalier.dependency.via',
} as const;

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

/** Events on spans. */
export const SPAN_EVENT = { escalation: 'espalier.escalation', alert: 'espalier.integrity.alert' } as const;

/** In place of a status, for what a stopped run left unfinished. */
export const STOPPED = 'stopped';

export const METRIC = {
  nodeDuration: 'espalier.node.duration',
  recall: 'espalier.synthesis.retention.recall',
  verbatim: 'espalier.synthesis.retention.verbatim',
  depthObserved: 'espalier.run.depth.observed',
  depthLimit: 'espalier.run.depth.limit',
  escalations: 'espalier.escalations',
  failureTokens: 'espalier.failure_tokens',
  gaps: 'espalier.gaps',
  alerts: 'espalier.integrity.alerts',
  dependencies: 'espalier.dependencies',
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
