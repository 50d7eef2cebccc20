import { sum } from 'simple-statistics';
import type { KeyRisk } from '../protocol/assessment.ts';
import { weightOf, type Finding } from '../protocol/finding.ts';
import { compareText, heavierFirst } from './pool.ts';

/** Critical findings that speak against the thesis, heaviest first. */
export const opposingCriticals = (findings: readonly Finding[]): Finding[] =>
  findings.filter((finding) => finding.critical && finding.stance < 0).sort(heavierFirst);

/**
 * Opposing critical findings clustered by their rule and ranked by summed weight; the heaviest leads its cluster.
 * A ranking for the reader only: in a flood (84 of 128 analysts were critical in 2009-04) it comes to a few lines,
 * while every critical finding still stands in the report's escalations.
 */
export function keyRisks(findings: readonly Finding[]): KeyRisk[] {
  const clusters = [...Map.groupBy(opposingCriticals(findings), (finding) => finding.critical?.rule ?? '')]
    .map(([rule, members]) => ({ rule, members, weight: sum(members.map(weightOf)) }))
    .sort((a, b) => b.weight - a.weight || compareText(a.rule, b.rule));
  return clusters.map(({ rule, members, weight }, i) => ({
    rank: i + 1,
    rule,
    lead: members[0]?.id ?? '',
    findings: members.map((finding) => finding.id),
    nodes: [...new Set(members.map((finding) => finding.path))],
    weight,
  }));
}
