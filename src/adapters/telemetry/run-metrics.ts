/**
 * What runs add to metrics.
 *  1. An instrument lives as long as its provider: the metrics API has no proxy, and one that was made before the SDK
 *     was registered would record nothing for ever.
 *  2. Attributes are tiers, statuses and kinds: closed lists. Never an id, a path or a name.
 */
import { createNoopMeter, ValueType, type Counter, type Histogram, type MeterProvider } from '@opentelemetry/api';
import type { Gap } from '../../protocol/gap.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import type { Tier } from '../../protocol/report.ts';
import { HOST_VERSION } from '../../version.ts';
import { ATTRIBUTE, BUCKETS, METRIC, SCOPE } from './names.ts';

export type RunMetrics = {
  record(event: RunEvent): void;
  recordDepth(observed: number, limit: number): void;
};

/** A provider that has no SDK behind it gives `undefined`. */
const known = new WeakMap<MeterProvider, RunMetrics | undefined>();

export function runMetricsOf(provider: MeterProvider): RunMetrics | undefined {
  if (!known.has(provider)) known.set(provider, createRunMetrics(provider));
  return known.get(provider);
}

function createRunMetrics(provider: MeterProvider): RunMetrics | undefined {
  const meter = provider.getMeter(SCOPE, HOST_VERSION);
  if (meter === createNoopMeter()) return undefined;
  const histogram = (name: string, unit: string, buckets: readonly number[], description: string): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } });
  const counter = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description, valueType: ValueType.INT });

  const { duration, share, depth } = BUCKETS;
  const nodeDuration = histogram(METRIC.nodeDuration, 's', duration, 'How long a node took, waiting included');
  const recall = histogram(METRIC.recall, '1', share, 'Share of the incoming weight that a synthesis passed up');
  const verbatim = histogram(METRIC.verbatim, '1', share, 'Share of the incoming criticals kept byte for byte');
  const depthObserved = histogram(METRIC.depthObserved, '{level}', depth, 'The greatest depth any node of a run had');
  const depthLimit = histogram(METRIC.depthLimit, '{level}', depth, 'The greatest depth any node of a run may have');
  const escalations = counter(METRIC.escalations, '{finding}', 'Critical findings that reached a root');
  const tokens = counter(METRIC.failureTokens, '{token}', 'Nodes that ended in a failure token');
  const gaps = counter(METRIC.gaps, '{gap}', 'What briefs know they lack');
  const alerts = counter(METRIC.alerts, '{alert}', 'Integrity alerts');
  const dependencies = counter(METRIC.dependencies, '{read}', 'Reads that their reader had not declared');

  const ended = (tier: Tier, status: string, ms: number): void =>
    nodeDuration.record(Math.max(0, ms) / 1000, { [ATTRIBUTE.tier]: tier, [ATTRIBUTE.status]: status });
  /** A report lists the gaps of its whole subtree: counted anywhere but at the root, each would count at every tier. */
  const lacking = (tier: Tier, found: readonly Pick<Gap, 'kind'>[]): void => {
    if (tier !== 'root') return;
    for (const { kind } of found) gaps.add(1, { [ATTRIBUTE.gapKind]: kind });
  };

  return {
    record(event) {
      switch (event.type) {
        case 'node.reported': {
          const { tier, report } = event;
          const { timing, retention } = report;
          ended(tier, report.status, timing.endedAt - timing.startedAt);
          lacking(tier, report.gaps);
          if (!retention) return;
          recall.record(retention.recall, { [ATTRIBUTE.tier]: tier });
          verbatim.record(retention.verbatim, { [ATTRIBUTE.tier]: tier });
          return;
        }
        case 'node.failed': {
          const { tier, token } = event;
          ended(tier, token.status, token.elapsedMs);
          lacking(tier, [...(token.partial?.gaps ?? []), { kind: 'token' }]); // as its brief does
          tokens.add(1, { [ATTRIBUTE.tier]: tier, [ATTRIBUTE.status]: token.status });
          return;
        }
        case 'finding.escalated':
          escalations.add(1);
          return;
        case 'dependency.observed':
          dependencies.add(1, { [ATTRIBUTE.dependencyVia]: event.via });
          return;
        case 'integrity.alert':
          alerts.add(1, { [ATTRIBUTE.alertKind]: event.kind });
          return;
        default:
      }
    },
    recordDepth(observed, limit) {
      depthObserved.record(observed);
      depthLimit.record(limit);
    },
  };
}
