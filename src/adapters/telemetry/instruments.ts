/**
 * The instruments, one set for each provider of meters.
 *  1. A set lives as long as its provider: the metrics API has no proxy, and an instrument that was made before the SDK
 *     was registered would record nothing for ever.
 */
import {
  createNoopMeter,
  ValueType,
  type Attributes,
  type Counter,
  type Histogram,
  type MeterProvider,
} from '@opentelemetry/api';
import type { Tier } from '../../protocol/report.ts';
import { HOST_VERSION } from '../../version.ts';
import { ATTRIBUTE, BUCKETS, METRIC, SCOPE, TIERS, UNNAMED } from './names.ts';

type Observed = 'activeNodes';
type Measured =
  | 'runDuration'
  | 'nodeDuration'
  | 'slotWait'
  | 'joinWait'
  | 'recall'
  | 'verbatim'
  | 'numbersKept'
  | Depth;
type Depth = 'depthObserved' | 'depthLimit';
type Counted = Exclude<keyof typeof METRIC, Observed | Measured>;

export type Instruments = Readonly<Record<Measured, Histogram> & Record<Counted, Counter>> & {
  /** How many nodes of each tier are alive, read when metrics are collected. */
  readonly active: Record<Tier, number>;
  /** The name of an agent as an attribute: finite, whatever ran. */
  named(agent: { name: string; isMade: boolean }): string;
};

/** A provider that has no SDK behind it gives `undefined`. */
const known = new WeakMap<MeterProvider, Instruments | undefined>();

export function instrumentsOf(provider: MeterProvider): Instruments | undefined {
  if (!known.has(provider)) known.set(provider, createInstruments(provider));
  return known.get(provider);
}

/** The names of a scenario's nodes; past so many they are the caller's own, made as it runs. */
const MOST_AGENTS = 200;

function createInstruments(provider: MeterProvider): Instruments | undefined {
  const meter = provider.getMeter(SCOPE, HOST_VERSION);
  if (meter === createNoopMeter()) return undefined;
  const histogram = (name: string, unit: string, buckets: readonly number[], description: string): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } });
  const seconds = (name: string, description: string): Histogram => histogram(name, 's', BUCKETS.duration, description);
  const share = (name: string, description: string): Histogram => histogram(name, '1', BUCKETS.share, description);
  const depth = (name: string, description: string): Histogram =>
    histogram(name, '{level}', BUCKETS.depth, description);
  const count = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description, valueType: ValueType.INT });
  const amount = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description, valueType: ValueType.DOUBLE });

  const active: Record<Tier, number> = { root: 0, domain: 0, leaf: 0 };
  const perTier = TIERS.map((tier): [Tier, Attributes] => [tier, { [ATTRIBUTE.tier]: tier }]);
  meter
    .createObservableUpDownCounter(METRIC.activeNodes, {
      unit: '{node}',
      description: 'Nodes that have started and not ended',
      valueType: ValueType.INT,
    })
    .addCallback((result) => {
      for (const [tier, attributes] of perTier) result.observe(active[tier], attributes);
    });
  const names = new Set<string>();

  return {
    active,
    named({ name, isMade }) {
      if (isMade) return UNNAMED.subDomain;
      if (names.has(name)) return name;
      if (names.size >= MOST_AGENTS) return UNNAMED.other;
      names.add(name);
      return name;
    },
    runDuration: seconds(METRIC.runDuration, 'How long a run took'),
    nodeDuration: seconds(METRIC.nodeDuration, 'How long a node took, waiting included'),
    slotWait: seconds(METRIC.slotWait, 'How long a node waited until it might work for the first time'),
    joinWait: seconds(METRIC.joinWait, 'How long a join waited for its slowest child after all others had ended'),
    criticalPath: amount(
      METRIC.criticalPath,
      's',
      'Where the time of runs went, at every join by the child waited for',
    ),
    overhead: amount(METRIC.overhead, 's', "Planning and synthesis of a tier's orchestrators"),
    saved: amount(METRIC.saved, 's', "What a tier's children would have taken one after another, less what they took"),
    recall: share(METRIC.recall, 'Share of the incoming weight that a synthesis passed up'),
    verbatim: share(METRIC.verbatim, 'Share of the incoming criticals kept byte for byte'),
    numbersKept: share(METRIC.numbersKept, 'Share of the incoming numbers that the report still holds'),
    numbersFabricated: count(METRIC.numbersFabricated, '{number}', 'Numbers in narratives that came from nowhere'),
    synthesized: count(METRIC.synthesized, '{finding}', 'Findings that came into syntheses, by what became of them'),
    lost: amount(METRIC.lost, '{finding}', "How many findings' worth of weight syntheses did not pass up"),
    rejected: count(METRIC.rejected, '{synthesis}', 'Syntheses that were refused'),
    depthObserved: depth(METRIC.depthObserved, 'The greatest depth any node of a run had'),
    depthLimit: depth(METRIC.depthLimit, 'The greatest depth any node of a run may have'),
    breaches: count(METRIC.breaches, '{node}', 'Attempts to go deeper than the limit that were not decisions'),
    demotions: count(METRIC.demotions, '{node}', 'Orchestrators that executed because depth was spent'),
    escalations: count(METRIC.escalations, '{finding}', 'Critical findings that reached a root'),
    failureTokens: count(METRIC.failureTokens, '{token}', 'Nodes that ended in a failure token'),
    failedAttempts: count(METRIC.failedAttempts, '{attempt}', 'Attempts that failed'),
    gaps: count(METRIC.gaps, '{gap}', 'What briefs know they lack'),
    alerts: count(METRIC.alerts, '{alert}', 'Integrity alerts'),
    dependencies: count(METRIC.dependencies, '{read}', 'Reads that their reader had not declared'),
    hedges: count(METRIC.hedges, '{execution}', 'Second executions of attempts that straggled'),
    selfTokens: count(METRIC.selfTokens, '{token}', 'Tokens that nodes used themselves'),
    subtreeTokens: count(METRIC.subtreeTokens, '{token}', 'Tokens that nodes and all below them used'),
    selfCost: amount(METRIC.selfCost, 'USD', 'What nodes spent themselves'),
    subtreeCost: amount(METRIC.subtreeCost, 'USD', 'What nodes and all below them spent'),
  };
}
