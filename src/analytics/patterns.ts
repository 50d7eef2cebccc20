import { sum } from 'simple-statistics';
import type { Pattern } from '../protocol/assessment.ts';
import { sideOf, weightOf, type Finding } from '../protocol/finding.ts';
import { compareText, heavierFirst } from './pool.ts';

/** The nodes that said a finding: its own, or, of a merged one, those of the findings it was merged from. */
const nodesOf = (finding: Finding): string[] =>
  finding.from?.map((id) => id.slice(0, id.lastIndexOf('#'))) ?? [finding.path];

/**
 * Measures that point the same way in at least two nodes, beyond neutral. Most nodes first, then heaviest, then by
 * name. Findings that do not vote or name no measure are left out.
 */
export function patternsAcross(findings: readonly Finding[]): Pattern[] {
  const patterns: { pattern: Pattern; weight: number }[] = [];
  const measured = Map.groupBy(findings.toSorted(heavierFirst), (finding) => finding.measure);
  for (const [measure, members] of measured) {
    if (measure === undefined) continue;
    for (const direction of ['supports', 'against'] as const) {
      const pointing = members.filter((finding) => sideOf(finding) === direction);
      const nodes = [...new Set(pointing.flatMap(nodesOf))].sort(compareText);
      if (pointing.length < 2 || nodes.length < 2) continue;
      const weight = sum(pointing.map(weightOf));
      const pattern = { measure, direction, findings: pointing.map((finding) => finding.id), nodes };
      patterns.push({ pattern, weight });
    }
  }
  return patterns
    .sort(
      (a, b) =>
        b.pattern.nodes.length - a.pattern.nodes.length ||
        b.weight - a.weight ||
        compareText(a.pattern.measure, b.pattern.measure) ||
        compareText(a.pattern.direction, b.pattern.direction),
    )
    .map(({ pattern }) => pattern);
}
