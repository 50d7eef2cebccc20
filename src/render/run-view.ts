/** A stored run on the screen: what it was, and what it answers. */
import type { Completion, Review, Phase, TierRetention, Wait } from '../protocol/review.ts';
import { nameOf } from '../protocol/path.ts';
import { counted, enumerated, formatDuration, formatInstant, formatNumber, formatShare } from './figures.ts';
import { plain, type Paint } from './paint.ts';
import { nodeTree, type TimedNode } from './node-tree.ts';
import { figures, heading, write, type Screen } from './text-screen.ts';

/** A run as far as it is shown. */
export type RunView = {
  readonly runId: string;
  readonly scenario: string;
  readonly thesis: string;
  readonly asOf?: string;
  /** `interrupted`: it was not finished, and nobody works on it. */
  readonly state: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** To its end from when it began, or was taken up last; and what it was given then. */
  readonly tookMs?: number;
  readonly deadlineMs: number;
  readonly maxDepth: number;
  readonly concurrency: number;
  /** By the root; without `gaps`, so far. */
  readonly said: { readonly findings: number; readonly criticals: number; readonly gaps?: number };
  /** Who works on it. */
  readonly holder?: { readonly pid: number; readonly hostname: string; readonly silentMs: number };
  readonly review: Review;
  /** In the order of their start. */
  readonly nodes: readonly TimedNode[];
};
export type RunViewOptions = { readonly width?: number; readonly paint?: Paint };

const MOST_SEGMENTS = 6;
const MOST_WAITS = 3;
const MOST_NAMES = 3;
/** With the tree, of which there is something also where narrow lines have taken all the room. */
const MOST_LINES = 60;
const LEAST_TREE = 8;

/** What a phase is called in a sentence about its node. */
export const PHASES: Readonly<Record<Phase, string>> = {
  planning: 'planning',
  slot: 'waiting for a slot',
  work: 'work',
  recovery: 'between attempts',
  synthesis: 'synthesis',
};

function head(screen: Screen, run: RunView): void {
  const { scenario, asOf, state, review, maxDepth, runId, startedAt, endedAt, tookMs, deadlineMs, holder } = run;
  write(screen, run.thesis, '', 'bold');
  const known = asOf === undefined ? '' : `, as of ${asOf}`;
  write(
    screen,
    `${scenario}${known}: ${state}, ${counted(review.nodes, 'node')}, ` +
      `${counted(review.leaves, 'leaf', 'leaves')}, depth ${review.depth} of ${maxDepth}`,
    '',
    state === 'complete' ? 'green' : 'yellow',
  );
  // Between the parts of a resumed run nobody worked on it: when it ended says more than how long that was.
  const isResumed = review.reused > 0 && endedAt !== undefined;
  const granted = formatDuration(deadlineMs);
  const time = isResumed || tookMs === undefined ? `${granted} given` : `took ${formatDuration(tookMs)} of ${granted}`;
  const ended = isResumed ? `, ended ${formatInstant(endedAt)}` : '';
  write(screen, `Run ${runId}, started ${formatInstant(startedAt)}${ended}, ${time}`);
  const { findings, criticals, gaps } = run.said;
  const where = gaps === undefined ? 'so far' : 'at the root';
  const lacks = gaps === undefined ? '' : `, ${counted(gaps, 'gap')}`;
  write(screen, `${counted(findings, 'finding')} ${where}, ${criticals} critical${lacks}`);
  if (holder) {
    write(
      screen,
      `Process ${holder.pid} on ${holder.hostname} works on it; its last sign of life is ${formatDuration(holder.silentMs)} old.`,
    );
  }
  const { reused, elapsedMs, failures } = review;
  const root = run.nodes.find(({ depth }) => depth === 0);
  if (state === 'interrupted') {
    write(screen, `Go on with it: espalier resume ${runId}`, '', 'yellow');
    if (root) write(screen, `Nothing is known of it after ${formatInstant(root.from + elapsedMs)}.`);
  }
  const cutOff = failures.filter(({ status }) => status === 'timeout' || status === 'cancelled');
  if (endedAt !== undefined && !holder && cutOff.length > 0)
    write(screen, `Do what was cut off: espalier resume ${runId}`, '', 'yellow');
  if (reused > 0) {
    write(
      screen,
      `It was resumed: ${counted(reused, 'node')} had ended before. Bottleneck and critical path are of the ` +
        `${formatDuration(elapsedMs)} since; all else counts what had ended before, too.`,
    );
  }
}

const waited = ({ path, slowest, next, ms }: Wait): string =>
  next === undefined
    ? `${path} waited ${formatDuration(ms)} for ${nameOf(slowest)}, its only child then`
    : `${path} waited ${formatDuration(ms)} for ${nameOf(slowest)} alone, after ${nameOf(next)}`;

function bottleneck(screen: Screen, { review, concurrency }: RunView): void {
  const { elapsedMs, divided } = review;
  const worst = review.bottleneck;
  screen.lines.push('');
  if (!worst) {
    write(screen, 'No node took any measurable time.');
    return;
  }
  const { path, level, phase, ms, wait } = worst;
  const of = `${formatDuration(ms)} of ${formatDuration(elapsedMs)}`;
  const alone =
    wait && wait.ms > 0 && phase !== 'slot' ? `; ${wait.path} waited ${formatDuration(wait.ms)} for it alone` : '';
  write(
    screen,
    phase === 'slot'
      ? `Bottleneck: slots. ${path} waited ${of} to be let to work, ${concurrency} at once.`
      : `Bottleneck: ${level === path ? '' : `${level}, `}${path}: ${of}, mostly ${PHASES[phase]}${alone}.`,
    '',
    'bold',
  );
  const parts = divided.map(({ to, share }) => `${formatShare(share)} ${to === 'slot' ? PHASES.slot : to}`);
  write(screen, `Where the time went: ${parts.join(', ')}.`);
}

function criticalPath(screen: Screen, { review: { criticalPath } }: RunView): void {
  if (criticalPath.length === 0) return;
  heading(screen, 'Critical path, in order: at every join the child that ended last');
  const longest = new Set([...criticalPath].sort((a, b) => b.ms - a.ms).slice(0, MOST_SEGMENTS));
  for (const segment of criticalPath) {
    if (!longest.has(segment)) continue;
    const { path, phase, ms, share } = segment;
    write(screen, `${path}: ${PHASES[phase]} ${formatDuration(ms)}, ${formatShare(share)}`, '  ');
  }
  const rest = criticalPath.filter((segment) => !longest.has(segment));
  const ms = rest.reduce((sum, segment) => sum + segment.ms, 0);
  if (rest.length > 0) write(screen, `and ${rest.length} more, ${formatDuration(ms)} in all`, '  ', 'dim');
}

const timesOf = ({ n, min, median, p90, max, mean, standardDeviation }: Completion): string[] => [
  String(n),
  ...[min, median, p90, max, mean, standardDeviation].map(formatDuration),
];

function waits(screen: Screen, { review }: RunView): void {
  const worst = review.waits.filter(({ ms }) => ms > 0);
  if (worst.length === 0) return;
  heading(screen, 'Who waited for whom');
  for (const wait of worst.slice(0, MOST_WAITS)) write(screen, waited(wait), '  ');
  const more = worst.length - MOST_WAITS;
  if (more > 0) write(screen, `and ${counted(more, 'shorter wait')}`, '  ', 'dim');
}

const passedOf = ({
  level,
  incoming,
  kept,
  merged,
  dropped,
  recall,
  verbatim,
  ...numbers
}: TierRetention): string[] => [
  level,
  String(incoming),
  String(kept),
  String(merged),
  String(dropped),
  formatShare(recall),
  formatShare(verbatim),
  formatShare(numbers.numbersKept),
  String(numbers.numbersFabricated),
];

function lost(screen: Screen, { review: { retention } }: RunView): void {
  const { tiers, worstTier, worstNode } = retention;
  if (tiers.length === 0) return;
  figures(
    screen,
    ['Passed up by', 'in', 'kept', 'merged', 'dropped', 'signal', 'crit.', 'numbers', 'false'],
    tiers.map(passedOf),
  );
  write(
    screen,
    'Kept of what came in: signal by weight, critical findings word for word, and numbers; false are numbers that ' +
      'nobody had said.',
    '',
    'dim',
  );
  if (!worstTier || !worstNode) {
    write(screen, 'Nothing was lost on the way up.');
    return;
  }
  const { level } = worstTier;
  const { path, dropped, incoming, recall } = worstNode;
  const where = level === path ? path : `the tier ${level}, and there at ${path}`;
  const signal = recall < 1 ? `${formatShare(1 - recall)} of the signal` : 'none of the signal';
  write(
    screen,
    `Most was lost at ${where}: ${dropped} of ${incoming} findings dropped, and with them ${signal}.`,
    '',
    'yellow',
  );
}

function effort(screen: Screen, { review }: RunView): void {
  const { phases, attempts, hedges = 0, retries, retried, failures, leaves, states } = review;
  screen.lines.push('');
  write(
    screen,
    `All nodes together: ${formatDuration(phases.work)} of work, ${formatDuration(phases.slot)} of waiting for a ` +
      `slot, ${formatDuration(phases.planning)} of planning, ${formatDuration(phases.synthesis)} of synthesis.`,
  );
  const most = retried.map(({ path, attempts }) => `${path} (${counted(attempts, 'attempt')})`);
  const tried = retries === 0 ? 'no retry' : `${counted(retries, 'retry', 'retries')}: `;
  write(
    screen,
    `${counted(attempts, 'attempt')} at ${counted(leaves, 'leaf', 'leaves')}, ${tried}${enumerated(most, MOST_NAMES)}.${hedges > 0 ? ` ${counted(hedges, 'attempt')} straggled and had a second execution.` : ''}`,
  );
  const failed = failures.map(
    ({ status, paths }) => `${counted(paths.length, 'node')}, ${status} (${enumerated(paths, MOST_NAMES)})`,
  );
  if (failed.length > 0) write(screen, `Failed: ${failed.join('; ')}.`, '', 'yellow');
  const invalidated = states['invalidated'] ?? 0;
  if (invalidated > 0) write(screen, `${counted(invalidated, 'node')} of before are not in the scenario any more.`);
}

function cost(screen: Screen, { review }: RunView): void {
  const { usesModel, total, completedLeaves, perCompletedLeaf, nodes, unknown } = review.cost;
  const tokens = (of: typeof total): string => formatNumber(Math.round(of.inputTokens + of.outputTokens));
  const used = usesModel ? `$${total.usd.toFixed(2)}, ${tokens(total)} tokens.` : 'no model was used.';
  const each = perCompletedLeaf
    ? `Per completed leaf (${completedLeaves}): ${usesModel ? `$${perCompletedLeaf.usd.toFixed(4)}, ${tokens(perCompletedLeaf)} tokens, ` : ''}` +
      `${perCompletedLeaf.attempts.toFixed(1)} attempts, ${formatDuration(perCompletedLeaf.nodeSeconds * 1_000)} of all nodes' work.`
    : 'No leaf completed, so there is no cost per completed leaf.';
  const left = unknown === 0 ? '' : ` What ${counted(unknown, 'failed node')} used is not known.`;
  write(screen, `Cost: ${used} ${each}${left}`);
  const dearest = nodes
    .filter(({ self }) => self.usd > 0 || self.inputTokens + self.outputTokens > 0)
    .sort((a, b) => b.self.usd - a.self.usd || b.self.outputTokens - a.self.outputTokens)
    .slice(0, MOST_NAMES)
    .map(({ path, self, subtree }) => `${path} $${self.usd.toFixed(4)} ($${subtree.usd.toFixed(4)} with all below)`);
  if (dearest.length > 0) write(screen, `Dearest: ${dearest.join(', ')}.`);
}

/** Renders what a stored run answers. */
export function renderRun(run: RunView, options: RunViewOptions = {}): string {
  const screen: Screen = { lines: [], width: Math.max(20, options.width ?? 80), paint: options.paint ?? plain };
  head(screen, run);
  if (run.review.nodes === 0) {
    write(screen, 'No node has begun, so there is nothing more to say.');
    return `${screen.lines.join('\n')}\n`;
  }
  bottleneck(screen, run);
  criticalPath(screen, run);
  figures(
    screen,
    ['Completion times', 'n', 'min', 'median', 'p90', 'max', 'mean', 'std dev'],
    run.review.completion.map(({ level, times }) => [level, ...timesOf(times)]),
  );
  waits(screen, run);
  lost(screen, run);
  effort(screen, run);
  cost(screen, run);
  nodeTree(screen, run.nodes, Math.max(LEAST_TREE, MOST_LINES - screen.lines.length - 2));
  return `${screen.lines.join('\n')}\n`;
}
