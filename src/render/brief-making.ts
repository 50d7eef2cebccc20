/** How a brief was made: who was activated and who was not, what each synthesis passed up, when, and in which run. */
import type { ChildSpec } from '../protocol/decision.ts';
import { isWithin, nameOf } from '../protocol/path.ts';
import type { Dependency } from '../protocol/dependency.ts';
import type { Report } from '../protocol/report.ts';
import type { Retention } from '../protocol/retention.ts';
import { codeSpan, escapeMarkdown } from './escape-markdown.ts';
import { counted, enumerated, formatBudget, formatDuration, formatInstant, formatShare, NO_FIGURE } from './figures.ts';
import { section, table } from './markdown.ts';
import type { Reading } from './reading.ts';

function activated({ name, question, needs }: ChildSpec): string {
  const after = needs && needs.length > 0 ? `, after ${enumerated(needs.map(escapeMarkdown))}` : '';
  return `- activated **${escapeMarkdown(name)}**${after}${question === undefined ? '' : `: ${escapeMarkdown(question)}`}`;
}

/** Demoted, and yet without the gap that says what it was executed without: nothing was. */
const couldNotExecute = ({ decision, gaps, path }: Report): boolean =>
  decision?.demoted !== undefined && !gaps.some((gap) => gap.kind === 'demoted' && gap.path === path);

const APPROVED = { 'as-planned': ', approved beforehand', edited: ', edited and approved beforehand' } as const;

function decisionLines(report: Report): string[] {
  const { decision } = report;
  if (!decision) return ['No decision was reached.', ''];
  const { by, mode, stages, skipped, demoted, quorum, reasons = [], expects = [], approved } = decision;
  const children = stages.flat();
  const what =
    mode === 'execute'
      ? couldNotExecute(report)
        ? 'could neither divide the task, since depth was spent, nor execute it, so its children are gaps'
        : 'executed the task itself'
      : `activated ${counted(children.length, 'child', 'children')} in ${counted(stages.length, 'stage')}`;
  const enough = quorum === undefined ? '' : `, ${quorum} of which suffice`;
  return [
    `Decided by ${escapeMarkdown(by)}${approved === undefined ? '' : APPROVED[approved]}: ${what}${enough}.`,
    '',
    ...children.map(activated),
    ...expects.map((expected) => `- expected: ${escapeMarkdown(expected)}`),
    ...reasons.map((reason) => `- ${escapeMarkdown(reason)}`),
    ...skipped.map(({ name, why, score }) => {
      const scored = score === undefined ? '' : ` (score ${score})`;
      return `- skipped **${escapeMarkdown(name)}**${scored}: ${escapeMarkdown(why)}`;
    }),
    ...(demoted ?? []).map((name) => `- not spawned, depth was spent: **${escapeMarkdown(name)}**`),
    '',
  ];
}

function retentionRow(report: Report, path: string, retention: Retention): string[] {
  const { incoming, verbatim } = retention;
  const share = (of: number): string => (incoming === 0 ? NO_FIGURE : formatShare(of));
  // Of no critical finding all are verbatim; but an alarm is shown in any case.
  const isVerbatim = verbatim < 1 || report.escalations.some((finding) => isWithin(finding.path, path));
  return [
    codeSpan(path),
    String(incoming),
    String(retention.kept),
    String(retention.merged),
    String(retention.dropped),
    share(retention.recall),
    isVerbatim ? formatShare(verbatim) : NO_FIGURE,
    share(retention.numbersKept),
    String(retention.numbersFabricated),
  ];
}

function retentionLines(report: Report): string[] {
  const rows = [report, ...report.children].flatMap(({ path, retention }) =>
    retention ? [retentionRow(report, path, retention)] : [],
  );
  if (rows.length === 0) return [];
  const header = ['Synthesis of', 'Came in', 'Kept', 'Merged', 'Dropped', 'Signal kept', 'Criticals verbatim'];
  return [
    `What each synthesis passed up; ${NO_FIGURE} where nothing came in. Less than 100 % of criticals verbatim is an alarm.`,
    '',
    ...table([...header, 'Numbers kept', 'Numbers made up'], rows),
  ];
}

function droppedLines(report: Report): string[] {
  const dropped = report.dispositions.flatMap((each) => (each.as === 'dropped' ? [each] : []));
  const lines = [...Map.groupBy(dropped, ({ why }) => why)].map(
    ([why, group]) => `- dropped as ${escapeMarkdown(why)}: ${enumerated(group.map(({ id }) => codeSpan(id)))}`,
  );
  const merged = [
    ...Map.groupBy(
      report.dispositions.flatMap((each) => (each.as === 'merged' ? [each] : [])),
      ({ into }) => into,
    ),
  ];
  lines.push(
    ...merged.map(
      ([into, group]) => `- merged into ${codeSpan(into)}: ${enumerated(group.map(({ id }) => codeSpan(id)))}`,
    ),
  );
  return lines.length === 0 ? [] : ['What this synthesis did not pass up as it was:', '', ...lines, ''];
}

const MADE_BY: Readonly<Record<Report['madeBy'], string>> = {
  leaf: 'one leaf, without a synthesis',
  synthesis: 'a synthesis that kept books',
  deterministic: 'the deterministic synthesis',
};

function dependencyLines(dependencies: readonly Dependency[]): string[] {
  if (dependencies.length === 0) return ['No node read what it had not declared.', ''];
  const lines = dependencies.map(({ on, path, via }) => `- ${codeSpan(path)} read the ${via} ${codeSpan(on)}`);
  return [`${counted(dependencies.length, 'read')} that the reader had not declared:`, '', ...lines, ''];
}

/** What the run could spend and what it did; where nothing was limited, only what was spent, if anything. */
function budgetLines({ run, usage }: Report): string[] {
  const { granted, overdrawn } = run?.budget ?? {};
  const { usd, inputTokens, outputTokens, leaves } = usage.subtree;
  const tokens = inputTokens + outputTokens;
  if (!granted && usd + tokens === 0) return [];
  const spent = formatBudget({
    ...((granted?.usd !== undefined || usd > 0) && { usd }),
    ...((granted?.tokens !== undefined || tokens > 0) && { tokens }),
    ...(granted?.leaves !== undefined && { leaves }),
  });
  const beyond = overdrawn ? ` ${formatBudget(overdrawn)} more was said to be spent and is in no account.` : '';
  return [`${granted ? `Granted ${formatBudget(granted)}, spent ${spent}` : `Spent ${spent}`}.${beyond}`, ''];
}

/** The colophon. */
export function howItWasMade({ report }: Reading): string[] {
  const { run, usage, timing } = report;
  const tiers = run
    ? `Depth ${run.observedDepth} of at most ${run.maxDepth} (the root is at depth 0), ` +
      `${counted(usage.subtree.nodes, 'node')} of which ${counted(usage.subtree.leaves, 'leaf', 'leaves')}, ` +
      `${counted(usage.subtree.attempts, 'attempt')}.`
    : `${counted(usage.subtree.nodes, 'node')}, ${counted(usage.subtree.attempts, 'attempt')}.`;
  const demotions = run?.demotions ?? [];
  return section('How this brief was made', [
    ...decisionLines(report),
    ...(run?.dependencies ? dependencyLines(run.dependencies) : []),
    ...(demotions.length > 0
      ? [`Executed as a leaf because depth was spent: ${enumerated(demotions.map((path) => codeSpan(path)))}.`, '']
      : []),
    `${tiers} Made by ${MADE_BY[report.madeBy]}.`,
    '',
    ...budgetLines(report),
    ...retentionLines(report),
    ...droppedLines(report),
    `Started ${formatInstant(timing.startedAt)}, took ${formatDuration(timing.endedAt - timing.startedAt)}.` +
      (run ? ` Espalier ${escapeMarkdown(run.hostVersion)}.` : ''),
    '',
    `Run ${codeSpan(report.runId)} · node ${codeSpan(nameOf(report.path))} · digest ${codeSpan(report.digest)}`,
  ]);
}
