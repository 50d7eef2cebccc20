/** The evidence of a brief: the tables across results, what is missing, and every critical finding verbatim. */
import { sideOf, weightOf, type Finding, type Side } from '../protocol/finding.ts';
import { isWithin, nameOf } from '../protocol/path.ts';
import { codeSpan, escapeMarkdown } from './escape-markdown.ts';
import { formatNumber, formatShare, formatSigned, formatWeight, NO_FIGURE } from './figures.ts';
import { reference, section, sentence, sourceOf, table } from './markdown.ts';
import { groupGaps, hasVoted, placesOf, type Reading } from './reading.ts';

const valueOf = ({ value, unit }: Finding): string =>
  value === undefined ? '' : escapeMarkdown([formatNumber(value), unit ?? ''].join(' ').trim());

const stanceOf = (finding: Finding): string => {
  const side = sideOf(finding);
  if (side === 'neutral' || side === 'context') return side;
  return `${formatSigned(finding.stance, 2)} ${side === 'supports' ? 'for' : 'against'}`;
};

function statementOf(finding: Finding): string {
  const critical = finding.critical ? '**critical** ' : '';
  const flags = finding.flags.filter((flag) => flag !== 'context');
  const flagged = flags.length === 0 ? '' : ` (${flags.map(escapeMarkdown).join(', ')})`;
  const merged = finding.from ? ` (merged from ${finding.from.map(codeSpan).join(', ')})` : '';
  return `${critical}${escapeMarkdown(finding.statement)}${flagged}${merged}`;
}

/** One row per child: how it ended and how its findings lean. */
export function domains({ report }: Reading): string[] {
  const rows = report.children.map((child) => {
    const within = report.findings.filter((finding) => isWithin(finding.path, child.path));
    const lean = child.assessment;
    const count = (side: Side): string =>
      String(lean?.votes[side] ?? within.filter((finding) => sideOf(finding) === side).length);
    const critical = report.escalations.filter((finding) => isWithin(finding.path, child.path)).length;
    const gaps = report.gaps.filter((gap) => isWithin(gap.path, child.path)).length;
    const name = escapeMarkdown(nameOf(child.path));
    return [
      name,
      child.status,
      lean && hasVoted(lean.votes) ? formatSigned(lean.logOdds, 2) : NO_FIGURE,
      lean ? formatShare(lean.coverage) : NO_FIGURE,
      count('supports'),
      count('against'),
      count('neutral'),
      count('context'),
      String(critical),
      String(gaps),
    ];
  });
  const header = ['Domain', 'Ended', 'Leans', 'Coverage', 'For', 'Against', 'Neutral', 'Context', 'Critical', 'Gaps'];
  const meaning =
    'How each leans, in log-odds: above 0 for the thesis, below 0 against it, ' +
    `${NO_FIGURE} where nothing voted or no balance was drawn.`;
  return rows.length === 0 ? [] : section('By domain', [meaning, '', ...table(header, rows)]);
}

/** Every finding this report holds, a table per child. */
export function findings(reading: Reading): string[] {
  const { report } = reading;
  if (reading.findings.length === 0) return section('Findings', ['No findings.']);
  const row = (finding: Finding): string[] => [
    reference(reading, finding.id),
    statementOf(finding),
    valueOf(finding),
    stanceOf(finding),
    formatShare(finding.confidence),
    codeSpan(finding.id),
    sourceOf(finding),
    escapeMarkdown(finding.source.asOf ?? ''),
  ];
  const header = ['No.', 'Finding', 'Value', 'Stance', 'Confidence', 'Node and id', 'Source', 'Observed'];
  const placed = Map.groupBy(
    reading.findings,
    (finding) => report.children.find((child) => isWithin(finding.path, child.path))?.path ?? report.path,
  );
  const tables = [...placed].flatMap(([path, group]) => [
    `### ${escapeMarkdown(nameOf(path))}`,
    '',
    ...table(header, group.map(row)),
  ]);
  return section('Findings', tables);
}

/** What is missing and why: a part of every brief, also when nothing is. */
export function gaps({ report }: Reading): string[] {
  if (report.gaps.length === 0) return section('Gaps', ['No gaps.']);
  return section(
    'Gaps',
    groupGaps(report.gaps).map(
      (group) => `- **${group.kind}** ${codeSpan(placesOf(group, 12))}: ${escapeMarkdown(group.why)}`,
    ),
  );
}

function criticalEntry(reading: Reading, finding: Finding, index: number): string[] {
  const { critical, source } = finding;
  const why = critical ? `Rule ${codeSpan(critical.rule)}: ${sentence(escapeMarkdown(critical.reason))} ` : '';
  const observed = source.asOf === undefined ? '' : `, observed ${escapeMarkdown(source.asOf)}`;
  const value = valueOf(finding) === '' ? '' : `, value ${valueOf(finding)}`;
  return [
    `**C${index + 1}** ${codeSpan(finding.id)} (${reference(reading, finding.id)})`,
    '',
    `> ${escapeMarkdown(finding.statement)}`,
    '',
    `${why}Stance ${stanceOf(finding)}, confidence ${formatShare(finding.confidence)}, ` +
      `weight ${formatWeight(weightOf(finding))}${value}. Said by ${codeSpan(finding.path)} from ${sourceOf(finding)}${observed}.`,
    '',
  ];
}

/** Every critical finding, verbatim, with its id: nothing here is ranked, merged or left out. */
export function criticalsInFull(reading: Reading): string[] {
  const { escalations } = reading.report;
  if (escalations.length === 0) return section('Critical findings, word for word', ['No critical finding.']);
  return section(
    'Critical findings, word for word',
    escalations.flatMap((finding, index) => criticalEntry(reading, finding, index)),
  );
}
