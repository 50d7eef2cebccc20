/**
 * What a run adds to metrics.
 *  1. Attributes are tiers, statuses, phases and kinds, which are closed lists, and names of agents, which are finite:
 *     never an id or a path.
 *  2. A node that was counted as active is counted off once, also of a run that is stopped.
 */
import type { Attributes, MeterProvider } from '@opentelemetry/api';
import type { Gap } from '../../protocol/gap.ts';
import type { Outcome, Tier, Usage } from '../../protocol/report.ts';
import type { Retention } from '../../protocol/retention.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { instrumentsOf, type Instruments } from './instruments.ts';
import { ATTRIBUTE } from './names.ts';
import type { RunStarted } from './run-spans.ts';
import { createTimeline, criticalPathOf, type LiveNode } from './timeline.ts';

export type RunMetrics = {
  apply(event: RunEvent): void;
  /** The run is over, or was stopped. */
  abandon(): void;
};

export function openRunMetrics(
  provider: MeterProvider,
  { maxDepth, at: startedAt }: RunStarted,
): RunMetrics | undefined {
  const given = instrumentsOf(provider);
  if (!given) return undefined;
  const to: Instruments = given;
  let depth = 0;

  const retained = (node: LiveNode, retention: Retention): void => {
    const tier = of(node.tier);
    const { incoming, recall } = retention;
    to.recall.record(recall, tier);
    to.verbatim.record(retention.verbatim, tier);
    to.numbersKept.record(retention.numbersKept, tier);
    if (retention.numbersFabricated > 0) to.numbersFabricated.add(retention.numbersFabricated, tier);
    const agent = { ...tier, [ATTRIBUTE.agent]: to.named(node) };
    for (const disposition of ['kept', 'merged', 'dropped'] as const) {
      if (retention[disposition] === 0) continue;
      to.synthesized.add(retention[disposition], { ...agent, [ATTRIBUTE.disposition]: disposition });
    }
    if (recall < 1) to.lost.add(incoming * (1 - recall), agent);
  };
  const used = (tier: Tier, usage: { self: Usage; subtree: Usage }): void => {
    for (const [{ inputTokens, outputTokens, usd }, tokens, cost] of [
      [usage.self, to.selfTokens, to.selfCost],
      [usage.subtree, to.subtreeTokens, to.subtreeCost],
    ] as const) {
      if (inputTokens > 0) tokens.add(inputTokens, { [ATTRIBUTE.tier]: tier, [ATTRIBUTE.tokenType]: 'input' });
      if (outputTokens > 0) tokens.add(outputTokens, { [ATTRIBUTE.tier]: tier, [ATTRIBUTE.tokenType]: 'output' });
      if (usd > 0) cost.add(usd, of(tier));
    }
  };
  /** A report lists the gaps of its whole subtree: counted anywhere but at the root, each would count at every tier. */
  const lacking = (found: readonly Pick<Gap, 'kind'>[]): void => {
    for (const { kind } of found) to.gaps.add(1, { [ATTRIBUTE.gapKind]: kind });
  };
  const ended = (node: LiveNode, outcome: Outcome, at: number): void => {
    const { tier, ms, attempts, startedAt } = node;
    const { status } = outcome;
    to.active[tier]--;
    to.nodeDuration.record(seconds(at - startedAt), of(tier, status));
    // One that was cut off before it might work has only waited.
    if (attempts > 0 || ms.slot > 0) to.slotWait.record(seconds(ms.slot), of(tier));
    if (tier !== 'leaf') to.overhead.add(seconds(ms.planning + ms.synthesis), of(tier));
    const body = outcome.kind === 'report' ? outcome : outcome.partial;
    if (body?.retention) retained(node, body.retention);
    if (body) used(tier, body.usage);
    if (outcome.kind === 'failure') to.failureTokens.add(1, of(tier, status));
    if (tier !== 'root') return;
    lacking(outcome.kind === 'failure' ? [...(body?.gaps ?? []), { kind: 'token' }] : outcome.gaps); // as its brief does
    for (const { tier, phase, ms } of criticalPathOf(node)) {
      to.criticalPath.add(seconds(ms), { [ATTRIBUTE.tier]: tier, [ATTRIBUTE.phase]: phase });
    }
  };
  const timeline = createTimeline({
    started({ tier, depth: own }) {
      to.active[tier]++;
      depth = Math.max(depth, own);
      if (own > maxDepth) to.breaches.add(1);
    },
    gathered({ tier }, _, { slowest, waitMs, savedMs, isCutOff }) {
      if (savedMs > 0) to.saved.add(seconds(savedMs), of(tier));
      if (!slowest || isCutOff) return;
      to.joinWait.record(seconds(waitMs), { [ATTRIBUTE.tier]: tier, [ATTRIBUTE.agent]: to.named(slowest) });
    },
    attempted: ({ tier }, { fault }) => to.failedAttempts.add(1, of(tier, fault.status)),
    ended,
  });

  return {
    apply(event) {
      const tier = timeline.live.get(event.path)?.tier;
      timeline.apply(event);
      switch (event.type) {
        case 'finding.escalated':
          to.escalations.add(1);
          return;
        case 'depth.refused':
          if (tier) to.demotions.add(1, of(tier));
          return;
        case 'synthesis.rejected':
          if (tier) to.rejected.add(1, of(tier, event.fault.status));
          return;
        case 'dependency.observed':
          to.dependencies.add(1, { ...(tier && of(tier)), [ATTRIBUTE.dependencyVia]: event.via });
          return;
        case 'attempt.hedged':
          to.hedges.add(1, tier && of(tier));
          return;
        case 'integrity.alert':
          to.alerts.add(1, { [ATTRIBUTE.alertKind]: event.kind });
          if (event.kind === 'depth') to.breaches.add(1);
          return;
        case 'run.completed':
          to.runDuration.record(seconds(event.at - startedAt), { [ATTRIBUTE.status]: event.status });
          to.depthObserved.record(depth);
          to.depthLimit.record(maxDepth);
          return;
        default:
      }
    },
    abandon() {
      for (const { tier } of timeline.live.values()) to.active[tier]--;
    },
  };
}

const seconds = (ms: number): number => Math.max(0, ms) / 1000;

/** Shared by all runs: an object for every record of every leaf would be garbage. */
const known = new Map<string, Attributes>();
function of(tier: Tier, status = ''): Attributes {
  const key = `${tier} ${status}`;
  let attributes = known.get(key);
  if (!attributes) {
    attributes = { [ATTRIBUTE.tier]: tier, ...(status !== '' && { [ATTRIBUTE.status]: status }) };
    known.set(key, attributes);
  }
  return attributes;
}
