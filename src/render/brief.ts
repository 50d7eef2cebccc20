/**
 * A report as a Markdown brief. It says nothing that the report does not say; at its end it explains its own words.
 *  1. Every escalation stands in it in full, verbatim, with its id.
 *  2. The gaps have a section, also when there are none; what is missing from a partial brief is said at the top.
 *  3. Text that came from outside (statements, questions, reasons, names) is escaped, and nothing else varies.
 */
import type { Report } from '../protocol/report.ts';
import { acrossDomains, conflicts, keyRisks, patterns } from './brief-argument.ts';
import { criticalsInFull, domains, findings, gaps } from './brief-evidence.ts';
import { howToRead } from './brief-legend.ts';
import { howItWasMade } from './brief-making.ts';
import { escapeMarkdown } from './escape-markdown.ts';
import { enumerated, formatSigned } from './figures.ts';
import { reference, references } from './markdown.ts';
import {
  balanceOf,
  groupGaps,
  holesOf,
  lowCoverageOf,
  missingOf,
  readReport,
  ownVerdictOf,
  verdictOf,
  type Reading,
} from './reading.ts';

function lowCoverage({ report }: Reading): string[] {
  const says = lowCoverageOf(report);
  return says === undefined ? [] : [`> **${says}**`, ''];
}

function shortfall({ report }: Reading): string[] {
  if (report.status === 'complete') return [];
  const says = report.status === 'failed' ? 'This run failed: no finding survived.' : 'This brief is partial.';
  const missing = groupGaps(holesOf(report)).map(
    (group) => `${escapeMarkdown(missingOf(group, 4))} (${escapeMarkdown(group.why)})`,
  );
  return [`> **${says}**${missing.length > 0 ? ` Missing: ${enumerated(missing, 5)}.` : ''}`, ''];
}

function verdict(reading: Reading): string[] {
  const { report } = reading;
  const { assessment, run } = report;
  const asOf = run?.asOf === undefined ? '' : `As of ${escapeMarkdown(run.asOf)}`;
  if (!assessment) return asOf === '' ? [] : [`${asOf}.`, ''];
  const { capped } = assessment;
  const scale = assessment.conviction === undefined ? '' : ' on a scale from −100 (against) to +100 (for)';
  const own = ownVerdictOf(report);
  const said = verdictOf(report) ?? 'no verdict, nothing voted';
  return [
    `${asOf === '' ? 'Verdict' : asOf}: **${said}**${scale}.`,
    '',
    `*${escapeMarkdown(assessment.label)}*`,
    '',
    ...(own === undefined ? [] : [escapeMarkdown(own), '']),
    balanceOf(report) ?? '',
    ...(capped
      ? [
          `Conviction would be ${formatSigned(capped.from, 0)}; opposing critical findings hold it down: ${references(reading, capped.by)}.`,
        ]
      : []),
    '',
  ];
}

const CITATION = /\[([^[\]]+)\]/;

/** The narrative's paragraphs, with the ids it cites as references. */
function narrative(reading: Reading): string[] {
  const cited = (paragraph: string): string => {
    const parts = paragraph.split(CITATION).map((part, index) => {
      const isCitation = index % 2 === 1;
      if (isCitation && reading.numberOf(part) !== undefined) return `(${reference(reading, part)})`;
      const text = isCitation ? `[${part}]` : part;
      // Spaces around a citation are no edge of the text.
      const [, before = '', inner = '', after = ''] = /^( *)(.*?)( *)$/su.exec(text) ?? [];
      return `${before}${inner === '' ? '' : escapeMarkdown(inner)}${after}`;
    });
    return parts.join('');
  };
  const paragraphs = reading.report.narrative.split(/\r\n|\r|\n/).map((line) => line.trim());
  return paragraphs.flatMap((paragraph) => (paragraph === '' ? [] : [cited(paragraph), '']));
}

/**
 * Renders a report, of the root or of any other node, as Markdown for people.
 * @returns CommonMark with GFM tables, ending in a newline
 */
export function renderBrief(report: Report): string {
  const reading = readReport(report);
  const lines = [
    `# ${escapeMarkdown(report.question === '' ? report.path : report.question)}`,
    '',
    ...shortfall(reading),
    ...lowCoverage(reading),
    ...verdict(reading),
    ...narrative(reading),
    ...keyRisks(reading),
    ...acrossDomains(reading),
    ...conflicts(reading),
    ...domains(reading),
    ...patterns(reading),
    ...gaps(reading),
    ...findings(reading),
    ...howItWasMade(reading),
    ...criticalsInFull(reading),
    ...howToRead(reading),
  ];
  const text = lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd();
  return `${text}\n`;
}
