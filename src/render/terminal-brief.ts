/** The brief as a screenful: verdict, top risks, contradictions, gaps, and where the whole of it is. */
import { nameOf } from '../protocol/path.ts';
import type { Report } from '../protocol/report.ts';
import { escapeTerminal } from './escape-terminal.ts';
import { enumerated } from './figures.ts';
import { plain, type Paint, type Style } from './paint.ts';
import {
  balanceOf,
  criticalCount,
  groupGaps,
  holesOf,
  lowCoverageOf,
  missingOf,
  placesOf,
  readReport,
  ownVerdictOf,
  verdictOf,
  type Reading,
} from './reading.ts';
import { write, type Screen } from './text-screen.ts';

export type TerminalBriefOptions = {
  /** Columns. Default 80. */
  readonly width?: number;
  readonly paint?: Paint;
  /** What was written, by what it is: `{ Brief: 'runs/x/brief.md' }`. */
  readonly files?: Readonly<Record<string, string>>;
};

const MOST_RISKS = 5;
const MOST_ITEMS = 5;
const VERDICT_STYLE: Readonly<Record<string, Style>> = { supported: 'green', contradicted: 'red' };

function list(screen: Screen, heading: string, items: readonly string[]): void {
  if (items.length === 0) return;
  screen.lines.push('');
  write(screen, heading, '', 'bold');
  for (const item of items.slice(0, MOST_ITEMS)) write(screen, item, '  - ');
  if (items.length > MOST_ITEMS) write(screen, `and ${items.length - MOST_ITEMS} more in the brief`, '    ', 'dim');
}

function head(screen: Screen, report: Report): void {
  write(screen, report.question === '' ? report.path : report.question, '', 'bold');
  const little = lowCoverageOf(report);
  if (little !== undefined) write(screen, little, '! ', 'yellow');
  const verdict = verdictOf(report);
  const asOf = report.run?.asOf;
  const said = [
    asOf === undefined ? '' : `as of ${asOf}`,
    verdict ?? (report.assessment ? 'no verdict, nothing voted' : ''),
  ];
  const line = said.filter((part) => part !== '').join(': ');
  if (line !== '') write(screen, line, '', VERDICT_STYLE[report.assessment?.verdict ?? ''] ?? 'yellow');
  if (report.assessment) write(screen, report.assessment.label, '', 'dim');
  const own = ownVerdictOf(report);
  if (own !== undefined) write(screen, own, '! ', 'yellow');
  const balance = balanceOf(report);
  if (balance !== undefined) write(screen, balance);
}

function shortfall(screen: Screen, report: Report): void {
  if (report.status === 'complete') return;
  const says = report.status === 'failed' ? 'This run failed: no finding survived.' : 'This brief is partial.';
  // One by one: a group is told as "root: a and b", and its colon has no place among others in a sentence.
  const missing = [...new Set(holesOf(report).map((gap) => missingOf({ ...gap, parent: '', paths: [gap.path] }, 1)))];
  screen.lines.push('');
  write(screen, missing.length === 0 ? says : `${says} Missing: ${enumerated(missing, 4)}.`, '! ', 'yellow');
}

function risks(screen: Screen, reading: Reading): void {
  const { assessment, escalations } = reading.report;
  if (escalations.length === 0) return;
  const clusters = assessment?.risks ?? [];
  const told =
    clusters.length > 0
      ? clusters.map(({ lead, findings, rule }) => ({
          statement: reading.findingOf(lead)?.statement ?? lead,
          said: findings.length === 1 ? lead : `${rule}, one of ${findings.length} findings: ${lead}`,
        }))
      : escalations.map(({ statement, id }) => ({ statement, said: id }));
  screen.lines.push('');
  const heading = clusters.length > 0 ? `Key risks: ${criticalCount(reading.report)}` : criticalCount(reading.report);
  write(screen, heading, '', 'bold');
  for (const [index, { statement, said }] of told.slice(0, MOST_RISKS).entries()) {
    write(screen, statement, `${String(index + 1).padStart(3)} `, 'red');
    write(screen, said, '    ', 'dim');
  }
  if (told.length > MOST_RISKS) write(screen, `and ${told.length - MOST_RISKS} more in the brief`, '    ', 'dim');
}

/** Renders the short brief that `espalier run` ends with. */
export function renderTerminalBrief(report: Report, options: TerminalBriefOptions = {}): string {
  const screen: Screen = { lines: [], width: Math.max(20, options.width ?? 80), paint: options.paint ?? plain };
  head(screen, report);
  shortfall(screen, report);
  risks(screen, readReport(report));
  const contradictions = report.relations.filter((each) => each.kind === 'contradicts').map((each) => each.statement);
  list(screen, 'Contradictions', contradictions);
  const open = report.conflicts.map((conflict) => `within ${nameOf(conflict.path)}: ${conflict.statement}`);
  list(screen, 'Conflicts kept open', open);
  const gaps = groupGaps(report.gaps).map(
    (group) => `${placesOf(group, 4)}: ${group.kind === 'token' ? '' : `${group.kind}, `}${group.why}`,
  );
  if (gaps.length === 0) screen.lines.push('', 'No gaps.');
  else list(screen, 'Gaps', gaps);
  const files = Object.entries(options.files ?? {});
  if (files.length > 0) screen.lines.push('');
  // A path must stay whole, or nobody could copy it: not wrapped.
  for (const [what, file] of files) screen.lines.push(`${what.padEnd(7)} ${escapeTerminal(file)}`);
  return `${screen.lines.join('\n')}\n`;
}
