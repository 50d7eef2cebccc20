/** One node of a stored run on the screen: what it was asked, decided, tried and said, and where its time went. */
import type { Decision } from '../protocol/decision.ts';
import type { Phase } from '../protocol/review.ts';
import type { Grant } from '../protocol/grant.ts';
import { nameOf } from '../protocol/path.ts';
import type { FailureToken, Report, Tier } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import { PHASES, type RunViewOptions } from './run-view.ts';
import {
  counted,
  enumerated,
  formatDuration,
  formatInstant,
  formatNumber,
  formatShare,
  formatSigned,
} from './figures.ts';
import { plain } from './paint.ts';
import { whyMissing } from './reading.ts';
import { heading, write, type Screen } from './text-screen.ts';

export type ShownAttempt = {
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly fault?: Fault;
  readonly willRetry?: boolean;
  /** What it was told that the one before was not. */
  readonly told?: string;
  /** When it was executed a second time; `dropped`: which of the two had to go first. */
  readonly hedge?: { readonly at: number; readonly dropped?: 'first' | 'hedge' };
};
/** Whose record holds the node's digest, from its parent up; `open`: who has yet to. */
export type Standing = {
  digest: string;
  holders: { by: string; as: 'same' | 'other' | 'absent' }[];
  open?: string;
};
/** Lines of one paragraph of a narrative. */
const MOST_NARRATIVE = 24;

/** Of a leaf it goes without saying. */
const MADE_BY: Readonly<Record<Report['madeBy'], string>> = {
  leaf: '',
  synthesis: ', made by its synthesizer',
  deterministic: ', made by the deterministic synthesis',
};
/** Of findings that were not passed up, for one reason. */
const MOST_DROPPED = 12;

/** A node as far as it is shown. */
export type NodeView = {
  readonly runId: string;
  readonly scenario: string;
  readonly asOf?: string;
  readonly path: string;
  readonly tier: Tier;
  readonly depth: number;
  readonly state: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** How often it began: once more for each time the run was taken up before it had ended. */
  readonly begun: number;
  readonly task?: {
    readonly question: string;
    readonly charter: string;
    readonly grant: Grant;
    readonly needs: readonly { readonly path: string; readonly digest: string }[];
  };
  readonly decision?: Decision;
  /** Children that depth refused. */
  readonly refused?: readonly string[];
  readonly invalidated?: string;
  readonly attempts: readonly ShownAttempt[];
  /** Syntheses that were not accepted. */
  readonly rejected: readonly Fault[];
  /** Children that its joins went on without. */
  readonly missing: readonly string[];
  readonly outcome?: Report | FailureToken;
  /** Where its time went, in order. */
  readonly parts: readonly (
    | { readonly phase: Phase; readonly ms: number }
    | { readonly waitedFor: string; readonly ms: number }
  )[];
  readonly standing?: Standing | undefined;
};

function task(screen: Screen, { task, asOf, tier }: NodeView): void {
  if (!task) return;
  const { question, charter, grant, needs } = task;
  heading(screen, 'Asked');
  write(screen, question, '  ');
  if (charter !== '') write(screen, `Charter: ${charter}`, '  ');
  if (asOf !== undefined) write(screen, `As of ${asOf}`, '  ');
  write(screen, `Granted: ${granted(grant, tier)}`, '  ');
  if (needs.length > 0)
    write(
      screen,
      `It was given the reports of ${enumerated(
        needs.map(({ path }) => path),
        6,
      )}`,
      '  ',
    );
}

function granted(
  { depthLeft, issuedAt, deadline, reserveMs, budget, maxChildren, sources }: Grant,
  tier: Tier,
): string {
  const { usd, tokens, leaves } = budget;
  return [
    `${formatDuration(deadline - issuedAt)}, until ${formatInstant(deadline)}`,
    ...(reserveMs > 0 && tier !== 'leaf' ? [`${formatDuration(reserveMs)} of it kept back for its synthesis`] : []),
    ...(depthLeft > 0
      ? [`${counted(depthLeft, 'tier')} below it, at most ${counted(maxChildren, 'child', 'children')}`]
      : ['no tier below it']),
    ...(usd !== undefined ? [`$${usd}`] : []),
    ...(tokens !== undefined ? [counted(tokens, 'token')] : []),
    ...(leaves !== undefined ? [counted(leaves, 'leaf', 'leaves')] : []),
    sources.length > 0 ? `to read ${enumerated(sources, 6)}` : 'no source of its own',
  ].join('; ');
}

function decision(screen: Screen, { decision, refused = [], missing }: NodeView): void {
  if (!decision) return;
  const { by, mode, stages, skipped, quorum, reasons = [], demoted = refused } = decision;
  heading(screen, 'Decided');
  const enough = quorum === undefined ? '' : `; ${quorum} suffice`;
  write(screen, `by the ${by}: to ${mode === 'execute' ? 'do the work itself' : `divide${enough}`}`, '  ');
  for (const [index, stage] of stages.entries()) {
    const names = stage.map(({ name, needs = [] }) =>
      needs.length > 0 ? `${name} (needs ${enumerated(needs)})` : name,
    );
    write(screen, `${stages.length > 1 ? `stage ${index + 1}: ` : ''}${enumerated(names)}`, '  ');
  }
  for (const reason of reasons) write(screen, reason, '  ', 'dim');
  for (const { name, why } of skipped) write(screen, `skipped ${name}: ${why}`, '  ', 'yellow');
  if (demoted.length > 0)
    write(screen, `demoted, depth was spent; not spawned: ${enumerated(demoted)}`, '  ', 'yellow');
  if (missing.length > 0) write(screen, `went on without ${enumerated(missing.map(nameOf))}`, '  ', 'yellow');
}

const whyOf = ({ status, diagnosis }: Fault): string => (diagnosis ? `${status}, ${diagnosis}` : status);

function attempts(screen: Screen, { attempts, rejected }: NodeView): void {
  if (attempts.length > 0) heading(screen, 'Attempts');
  for (const { attempt, startedAt, endedAt, fault, told, hedge } of attempts) {
    const took = endedAt === undefined ? 'not ended' : formatDuration(endedAt - startedAt);
    const how = fault ? `, failed (${whyOf(fault)}): ${fault.message}` : '';
    write(screen, `${formatInstant(startedAt)}, ${took}${how}`, `  ${attempt}. `, fault && 'yellow');
    if (hedge) {
      const dropped = { first: ', which went on alone', hedge: ', which was dropped', none: '' }[
        hedge.dropped ?? 'none'
      ];
      write(
        screen,
        `Hedged after ${formatDuration(hedge.at - startedAt)} by a second execution${dropped}.`,
        '     ',
        'dim',
      );
    }
    if (told !== undefined) write(screen, `It had been told: ${told}`, '     ', 'dim');
  }
  if (rejected.length > 0) heading(screen, 'Syntheses that were rejected');
  for (const { status, message } of rejected) write(screen, `${status}: ${message}`, '  ', 'yellow');
}

function outcome(screen: Screen, { outcome, state }: NodeView): void {
  if (!outcome) {
    heading(screen, state === 'running' ? 'It has not ended' : 'How it ended cannot be read');
    return;
  }
  if (outcome.kind === 'report')
    return report(screen, outcome, `Reported: ${outcome.status}${MADE_BY[outcome.madeBy]}`);
  const { status, message, attempts, retryable, needsHuman, partial } = outcome;
  heading(screen, `Failed: ${status}`);
  write(screen, message, '  ', 'yellow');
  const again = needsHuman ? 'needs a human' : retryable ? 'could be tried again' : 'would fail again';
  write(screen, `after ${counted(attempts, 'attempt')}; it ${again}`, '  ');
  if (partial) report(screen, partial, 'What it had said until then');
}

function report(screen: Screen, report: Report, title: string): void {
  const { narrative, findings, escalations, gaps, retention, children, artifacts } = report;
  heading(screen, title);
  for (const paragraph of narrative.split('\n'))
    if (paragraph.trim() !== '') write(screen, paragraph, '  ', undefined, MOST_NARRATIVE);
  const kept = new Set(findings.map(({ id }) => id));
  const all = [...findings, ...escalations.filter(({ id }) => !kept.has(id))];
  heading(screen, all.length === 0 ? 'No findings' : counted(all.length, 'finding'));
  for (const { id, statement, value, unit, stance, confidence, critical, from } of all) {
    const mark = critical ? `CRITICAL (${critical.rule}: ${critical.reason}) ` : '';
    write(screen, `${mark}${statement}`, '  - ', critical && 'red');
    const figure = value === undefined ? '' : `, ${formatNumber(value)}${unit === undefined ? '' : ` ${unit}`}`;
    const merged = from ? `, merged from ${enumerated(from, 4)}` : '';
    write(
      screen,
      `${id}: stance ${formatSigned(stance, 2)}, confidence ${formatShare(confidence)}${figure}${merged}`,
      '    ',
      'dim',
    );
  }
  if (gaps.length > 0) heading(screen, counted(gaps.length, 'gap'));
  for (const gap of gaps) {
    const { path, kind } = gap;
    const why = whyMissing(gap);
    write(screen, kind === 'token' ? `${path} failed: ${why}` : `${path}: ${kind}, ${why}`, '  - ', 'yellow');
  }
  if (artifacts.length > 0) heading(screen, `${counted(artifacts.length, 'artifact')}, kept in the store`);
  for (const { ref, bytes, sha256 } of artifacts) {
    write(screen, `${ref}: ${counted(bytes, 'byte')}, SHA-256 ${sha256.slice(0, 12)}`, '  - ');
  }
  if (children.length > 0) heading(screen, counted(children.length, 'child', 'children'));
  for (const child of children) {
    const style = child.status === 'complete' ? undefined : 'yellow';
    write(screen, `${nameOf(child.path)}: ${child.status}, digest ${child.digest.slice(0, 12)}`, '  - ', style);
  }
  if (!retention) return;
  const { incoming, dropped, merged, recall, verbatim, numbersKept, numbersFabricated } = retention;
  heading(screen, 'Passed up');
  write(
    screen,
    `${retention.kept} of ${incoming} findings kept, ${merged} merged, ${dropped} dropped; signal ${formatShare(recall)}, ` +
      `criticals verbatim ${formatShare(verbatim)}, numbers kept ${formatShare(numbersKept)}, ${numbersFabricated} made up`,
    '  ',
  );
  const lost = report.dispositions.flatMap((each) => (each.as === 'dropped' ? [each] : []));
  for (const [why, group] of Map.groupBy(lost, (each) => each.why)) {
    const ids = enumerated(
      group.map(({ id }) => id),
      MOST_DROPPED,
    );
    write(screen, `dropped, ${why}: ${ids}`, '  ', undefined, MOST_NARRATIVE);
  }
}

function time(screen: Screen, { parts, begun, startedAt, endedAt }: NodeView): void {
  const said = parts.map((part) => {
    const ms = formatDuration(part.ms);
    if ('waitedFor' in part) return `waited ${ms} for ${part.waitedFor}`;
    return part.phase === 'slot' ? `waited ${ms} for a slot` : `${PHASES[part.phase]} ${ms}`;
  });
  const took = endedAt === undefined ? 'not ended' : `took ${formatDuration(endedAt - startedAt)}`;
  heading(screen, 'Time');
  write(screen, `began ${formatInstant(startedAt)}, ${took}`, '  ');
  if (said.length > 0) write(screen, said.join(', then '), '  ');
  if (begun > 1) write(screen, `It began ${begun} times: the run was interrupted and resumed.`, '  ');
}

function standing(screen: Screen, { standing, path }: NodeView): void {
  if (!standing) return;
  const { digest, holders, open } = standing;
  heading(screen, `Digest ${digest.slice(0, 12)}`);
  let what = path;
  for (const { by, as } of holders) {
    const says =
      as === 'same'
        ? `${by} vouches for ${what}`
        : as === 'absent'
          ? `${by} does not name ${what}`
          : `${by} names another digest of ${what}: something was changed`;
    write(screen, says, '  ', as === 'same' ? undefined : 'red');
    what = by;
  }
  if (open !== undefined)
    write(
      screen,
      open === 'the receipt'
        ? 'There is no receipt yet.'
        : `${open} has not reported, and so does not vouch for ${what} yet.`,
      '  ',
    );
}

/** Renders what a store holds of one node. */
export function renderNode(node: NodeView, options: RunViewOptions = {}): string {
  const screen: Screen = { lines: [], width: Math.max(20, options.width ?? 80), paint: options.paint ?? plain };
  const { path, state, runId, scenario, invalidated } = node;
  write(screen, path, '', 'bold');
  write(screen, `${state}; node of run ${runId}, ${scenario}`, '', state === 'complete' ? 'green' : 'yellow');
  if (invalidated !== undefined) write(screen, `What it had ended with cannot stand: ${invalidated}.`, '', 'yellow');
  task(screen, node);
  decision(screen, node);
  attempts(screen, node);
  outcome(screen, node);
  time(screen, node);
  standing(screen, node);
  return `${screen.lines.join('\n')}\n`;
}
