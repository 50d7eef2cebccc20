/** The argued part of a brief: risks, how the domains stand to each other, open conflicts, shared patterns. */
import type { Conflict, Relation } from '../protocol/conflict.ts';
import type { KeyRisk } from '../protocol/assessment.ts';
import type { Report } from '../protocol/report.ts';
import { nameOf } from '../protocol/path.ts';
import { codeSpan, escapeMarkdown } from './escape-markdown.ts';
import { counted, enumerated, formatWeight, formatShare } from './figures.ts';
import { quoted, references, section, sentence } from './markdown.ts';
import { criticalCount, hasVoted, type Reading } from './reading.ts';

const TOLD_IN_FULL = 8;
const QUOTED_PER_SIDE = 4;

const spanned = (paths: readonly string[], most: number): string => enumerated(paths.map(codeSpan), most);

function risk(reading: Reading, { lead, rule, findings, nodes, weight }: KeyRisk): string {
  const others = findings.filter((id) => id !== lead);
  const also = others.length === 0 ? '' : ` Also ${references(reading, others)}.`;
  return (
    `**${quoted(reading, lead)}** Rule ${codeSpan(rule)}, said by ${spanned(nodes, 4)}, ` +
    `weight ${formatWeight(weight)}.${also}`
  );
}

/** Clusters of critical findings, the heaviest first; the rest in one line each. */
export function keyRisks(reading: Reading): string[] {
  const { assessment, escalations } = reading.report;
  const risks = assessment?.risks ?? [];
  if (risks.length > 0) {
    const ranked = [...risks].sort((a, b) => a.rank - b.rank);
    const full = ranked.slice(0, TOLD_IN_FULL).map((each, index) => `${index + 1}. ${risk(reading, each)}`);
    const brief = ranked.slice(TOLD_IN_FULL).map(({ rule, lead, findings }, index) => {
      const others = references(
        reading,
        findings.filter((id) => id !== lead),
      );
      return `${TOLD_IN_FULL + index + 1}. ${codeSpan(rule)}: ${references(reading, [lead])}${others && `, ${others}`}`;
    });
    const said = counted(risks.length, 'key risk');
    return section('Key risks', [`${criticalCount(reading.report)}, in ${said}.`, '', ...full, ...brief]);
  }
  if (assessment) return section('Key risks', [withoutRisks(reading.report)]);
  const critical = escalations.slice(0, TOLD_IN_FULL).map((finding) => `- **${quoted(reading, finding.id)}**`);
  const more = escalations.length - critical.length;
  return section('Critical findings', more > 0 ? [...critical, `- ${more} more below, word for word`] : critical);
}

function withoutRisks({ assessment, escalations }: Report): string {
  const none = 'No critical finding speaks against the thesis.';
  if (escalations.length === 0 || (assessment && hasVoted(assessment.votes))) return none;
  return `Nothing voted, so nothing is ranked as a risk. ${counted(escalations.length, 'critical finding')} ${escalations.length === 1 ? 'stands' : 'stand'} below, word for word.`;
}

function relation({ between, strength, statement }: Relation): string {
  const [one, other] = between.map((path) => codeSpan(path));
  return `- ${sentence(escapeMarkdown(statement))} Strength ${formatWeight(strength)}, between ${one} and ${other}.`;
}

/** Contradictions and reinforcements between the children. */
export function acrossDomains({ report }: Reading): string[] {
  const ofKind = (kind: Relation['kind']) => report.relations.filter((each) => each.kind === kind).map(relation);
  const contradictions = ofKind('contradicts');
  const reinforcements = ofKind('reinforces');
  if (!report.assessment && contradictions.length + reinforcements.length === 0) return [];
  return section('Across domains', [
    ...(contradictions.length > 0 ? ['**Contradictions**', '', ...contradictions] : ['No domain contradicts another.']),
    '',
    ...(reinforcements.length > 0 ? ['**Reinforcements**', '', ...reinforcements] : ['No domain reinforces another.']),
  ]);
}

function side(reading: Reading, word: string, { findings, weight }: Conflict['supports']): string {
  const told = findings.slice(0, QUOTED_PER_SIDE).map((id) => quoted(reading, id));
  const rest = findings.slice(QUOTED_PER_SIDE);
  const also = rest.length === 0 ? '' : ` Also ${references(reading, rest)}.`;
  return `  - ${word} (weight ${formatWeight(weight)}): ${told.join(' · ')}${also}`;
}

/** Disagreement within a node's children, both sides of each. */
export function conflicts(reading: Reading): string[] {
  const { report } = reading;
  if (report.conflicts.length === 0) return report.assessment ? section('Conflicts', ['No conflict is open.']) : [];
  const lines = report.conflicts.flatMap((conflict) => [
    `- **${escapeMarkdown(nameOf(conflict.path))}**, ${conflict.resolution}, dissent ${formatShare(conflict.dissent)}: ` +
      sentence(escapeMarkdown(conflict.statement)),
    side(reading, 'For', conflict.supports),
    side(reading, 'Against', conflict.against),
  ]);
  const allOpen = report.conflicts.every((conflict) => conflict.resolution === 'open');
  return section(allOpen ? 'Conflicts kept open' : 'Conflicts', lines);
}

/** One measure that points the same way in several nodes. */
export function patterns(reading: Reading): string[] {
  const found = reading.report.assessment?.patterns ?? [];
  return section(
    'Patterns several nodes share',
    found.map(({ measure, direction, findings, nodes }) => {
      const points = direction === 'supports' ? 'supports the thesis' : 'speaks against the thesis';
      return `- **${escapeMarkdown(measure)}** ${points} in ${counted(nodes.length, 'node')} (${spanned(nodes, 6)}): ${references(reading, findings)}`;
    }),
  );
}
