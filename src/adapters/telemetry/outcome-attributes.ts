/**
 * What a span says of how its node ended: counts, shares and states, never what was found.
 *  1. No statement, question, value, message or reason: only numbers and words of closed lists.
 */
import type { Attributes } from '@opentelemetry/api';
import type { Outcome, UnsealedReport, Usage } from '../../protocol/report.ts';
import type { Retention } from '../../protocol/retention.ts';
import { ATTRIBUTE, RETENTION } from './names.ts';

export function outcomeAttributes(outcome: Outcome): Attributes {
  const { status } = outcome;
  if (outcome.kind === 'report') return { [ATTRIBUTE.status]: status, ...bodyAttributes(outcome) };
  const { attempts, partial, diagnosis, needsHuman } = outcome;
  return {
    ...(partial && bodyAttributes(partial)),
    [ATTRIBUTE.status]: status,
    [ATTRIBUTE.attempts]: attempts,
    ...(diagnosis && { [ATTRIBUTE.diagnosis]: diagnosis }),
    ...(needsHuman && { [ATTRIBUTE.needsHuman]: true }),
  };
}

const bodyAttributes = ({ madeBy, findings, escalations, gaps, usage, retention }: UnsealedReport): Attributes => ({
  [ATTRIBUTE.madeBy]: madeBy,
  [ATTRIBUTE.attempts]: usage.self.attempts,
  ...(usage.self.hedges && { [ATTRIBUTE.hedges]: usage.self.hedges }),
  [ATTRIBUTE.findings]: findings.length,
  [ATTRIBUTE.escalations]: escalations.length,
  [ATTRIBUTE.gaps]: gaps.length,
  ...(usesModel(usage.subtree) && usageAttributes(usage)),
  ...(retention && retentionAttributes(retention)),
});

const usesModel = ({ inputTokens, outputTokens, usd }: Usage): boolean => inputTokens + outputTokens + usd > 0;
const usageAttributes = ({ self, subtree }: UnsealedReport['usage']): Attributes => ({
  [ATTRIBUTE.inputTokens]: self.inputTokens,
  [ATTRIBUTE.outputTokens]: self.outputTokens,
  [ATTRIBUTE.usd]: self.usd,
  [ATTRIBUTE.subtreeInputTokens]: subtree.inputTokens,
  [ATTRIBUTE.subtreeOutputTokens]: subtree.outputTokens,
  [ATTRIBUTE.subtreeUsd]: subtree.usd,
});

export function retentionAttributes(retention: Retention): Attributes {
  const attributes: Attributes = {};
  for (const figure of Object.keys(RETENTION) as (keyof Retention)[]) attributes[RETENTION[figure]] = retention[figure];
  return attributes;
}
