/**
 * The live tree as lines that fit a terminal. Pure: state, size and time in, text out.
 *  1. Never more than `rows` lines, none wider than `columns`.
 *  2. Orchestrators stay in sight longest; leaves that wait or have ended give way to counts, then running ones do.
 */
import { formatDuration } from '../render/figures.ts';
import type { Paint, Style } from '../render/paint.ts';
import { clipped, displayWidth, padded } from '../render/text-layout.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { convictionLine } from './conviction-line.ts';
import { countLeaves, isCutOff, type NodeProgress, type RunProgress } from './run-progress.ts';

export type FrameOptions = {
  readonly columns: number;
  readonly rows: number;
  readonly now: number;
  readonly paint: Paint;
};

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const SPIN_MS = 100;
/** How many leaves of one node are shown one by one, from generous to none. */
const LEAVES_SHOWN = [Number.POSITIVE_INFINITY, 12, 8, 5, 3, 2, 1, 0];
const WIDE = 60;

type Row = { lead: string; glyph: string; style: Style; name: string; note: string };

const isLeaf = (node: NodeProgress): boolean => node.children.length === 0;
const hasFailed = ({ outcome }: NodeProgress): boolean =>
  outcome !== undefined && outcome !== 'complete' && outcome !== 'partial' && outcome !== 'reused';

const GLYPHS: Readonly<Record<string, { glyph: string; style: Style }>> = {
  complete: { glyph: '✓', style: 'green' },
  partial: { glyph: '!', style: 'yellow' },
  reused: { glyph: '✓', style: 'dim' },
  closed: { glyph: '-', style: 'dim' },
  cancelled: { glyph: '-', style: 'dim' },
};
function glyphOf(node: NodeProgress, now: number): Pick<Row, 'glyph' | 'style'> {
  if (node.state === 'waiting') return { glyph: '·', style: 'dim' };
  if (node.state === 'running') {
    return { glyph: SPINNER[Math.floor(now / SPIN_MS) % SPINNER.length] ?? '*', style: 'cyan' };
  }
  return GLYPHS[node.outcome ?? ''] ?? { glyph: '✗', style: 'red' };
}

const elapsedOf = ({ startedAt, endedAt }: NodeProgress, now: number): string =>
  startedAt === undefined ? '' : formatDuration((endedAt ?? now) - startedAt);

function noteOf(node: NodeProgress, now: number, isWide: boolean): string {
  const parts: string[] = [];
  const { ended, cutOff, total } = countLeaves(node);
  if (!isLeaf(node) && node.state !== 'waiting') {
    parts.push(isWide ? `${ended} of ${total} leaves` : `${ended}/${total}`);
    if (cutOff > 0) parts.push(isWide ? `${cutOff} cut off` : `${cutOff} cut`);
  }
  if (node.state === 'ended' && hasFailed(node)) parts.push(node.outcome ?? '');
  else if (isWide && node.state === 'ended' && isLeaf(node)) parts.push(`${node.findings} found`);
  if (node.state === 'running' && node.attempt > 1) parts.push(`attempt ${node.attempt}`);
  if (node.criticals > 0) parts.push(isWide ? `${node.criticals} critical` : `${node.criticals} crit`);
  parts.push(elapsedOf(node, now));
  return parts.filter((part) => part !== '').join(isWide ? ', ' : ' ');
}

const isHot = (node: NodeProgress): boolean => node.state === 'running' || hasFailed(node);

/** The leaves that are shown one by one, and a line that counts the others: those at work first, then the failed. */
function pickLeaves(leaves: readonly NodeProgress[], most: number): { shown: ReadonlySet<NodeProgress>; rest: string } {
  if (leaves.length <= most) return { shown: new Set(leaves), rest: '' };
  const hot = leaves.filter(isHot).sort((a, b) => Number(hasFailed(a)) - Number(hasFailed(b)));
  const shown = new Set(hot.slice(0, most));
  const hidden = leaves.filter((leaf) => !shown.has(leaf));
  const count = (word: string, belongs: (leaf: NodeProgress) => boolean): string[] => {
    const found = hidden.filter(belongs).length;
    return found === 0 ? [] : [`${found} ${word}`];
  };
  const rest = [
    ...count('running', (leaf) => leaf.state === 'running'),
    ...count('failed', (leaf) => hasFailed(leaf) && !isCutOff(leaf)),
    ...count('cut off', isCutOff),
    ...count('done', (leaf) => leaf.state === 'ended' && !hasFailed(leaf)),
    ...count('waiting', (leaf) => leaf.state === 'waiting'),
  ];
  return { shown, rest: rest.join(', ') };
}

function rowsOf(root: NodeProgress, leavesShown: number, now: number, isWide: boolean): Row[] {
  const rows: Row[] = [];
  const visit = (node: NodeProgress, branch: string, indent: string): void => {
    rows.push({ lead: branch, ...glyphOf(node, now), name: node.name, note: noteOf(node, now, isWide) });
    const leaves = node.children.filter(isLeaf);
    const { shown, rest } = pickLeaves(leaves, leavesShown);
    const visible = node.children.filter((child) => !isLeaf(child) || shown.has(child));
    // With no leaf in sight the node's own "x of y" says as much as the counts would.
    const counts = leavesShown === 0 ? '' : rest;
    for (const [index, child] of visible.entries()) {
      const isLast = index === visible.length - 1 && counts === '';
      visit(child, `${indent}${isLast ? '└ ' : '├ '}`, `${indent}${isLast ? '  ' : '│ '}`);
    }
    if (counts !== '') rows.push({ lead: `${indent}└ `, glyph: '', style: 'dim', name: counts, note: '' });
  };
  visit(root, '', '');
  return rows;
}

/** When even the orchestrators are too many: those that have something to say, and how many are left out. */
function squeezed(rows: readonly Row[], most: number): Row[] {
  if (rows.length <= most) return [...rows];
  const isQuiet = (row: Row): boolean => row.glyph === '✓' || row.glyph === '·';
  const [root, ...others] = rows;
  const byUrgency = [...others.filter((row) => !isQuiet(row)), ...others.filter(isQuiet)];
  const picked = new Set(byUrgency.slice(0, Math.max(0, most - 2)));
  const kept = rows.filter((row) => row === root || picked.has(row));
  const left = rows.length - kept.length;
  const rest: Row = { lead: '└ ', glyph: '', style: 'dim', name: `and ${left} more nodes`, note: '' };
  return [...kept, rest].slice(0, most);
}

function laidOut(rows: readonly Row[], columns: number, paint: Paint): string[] {
  const labelled = rows.map((row) => ({ ...row, label: row.glyph === '' ? row.name : `${row.glyph} ${row.name}` }));
  const noted = labelled.filter((row) => row.note !== '');
  const widest = Math.max(0, ...noted.map((row) => displayWidth(row.lead) + displayWidth(row.label)));
  const noteRoom = Math.max(0, ...noted.map((row) => displayWidth(row.note)));
  const labelRoom = Math.min(widest, Math.max(16, columns - noteRoom - 2));
  return labelled.map(({ lead, label, note, style }) => {
    const left =
      note === '' ? clipped(`${lead}${label}`, columns) : padded(clipped(`${lead}${label}`, labelRoom), labelRoom);
    const right = note === '' ? '' : clipped(`  ${note}`, Math.max(0, columns - displayWidth(left)));
    return `${paint('dim', left.slice(0, lead.length))}${paint(style, left.slice(lead.length))}${paint('dim', right)}`;
  });
}

function headline(progress: RunProgress, { columns, now, paint }: FrameOptions): string[] {
  const { ended, running, total } = countLeaves(progress.root);
  const { startedAt, deadlineMs } = progress;
  const elapsed = startedAt === undefined ? 0 : (progress.root.endedAt ?? now) - startedAt;
  const asOf = progress.asOf === undefined ? '' : `, as of ${progress.asOf}`;
  const time = `${formatDuration(elapsed)} of ${formatDuration(deadlineMs)}`;
  const line =
    columns >= WIDE
      ? `${time}, ${ended} of ${total} ended, ${running} running, ${progress.escalations} critical${asOf}`
      : `${time}, ${ended}/${total}, ${running} running, ${progress.escalations} crit`;
  const lines = [
    paint('bold', clipped(escapeTerminal(progress.thesis), columns)),
    paint('dim', clipped(line, columns)),
  ];
  if (progress.conviction) lines.push(paint('cyan', clipped(convictionLine(progress.conviction), columns)));
  return lines;
}

/** The lines of one frame. */
export function frameOf(progress: RunProgress, options: FrameOptions): string[] {
  const { columns, rows: most, now, paint } = options;
  const head = headline(progress, options);
  const room = most - head.length;
  if (room < 1) return head.slice(0, Math.max(0, most));
  const isWide = columns >= WIDE;
  const { total } = countLeaves(progress.root);
  let rows: Row[] = [];
  for (const leavesShown of LEAVES_SHOWN) {
    // Ten times a second: rows that cannot fit are not even made.
    if (leavesShown > room && total > room) continue;
    rows = rowsOf(progress.root, leavesShown, now, isWide);
    if (rows.length <= room) break;
  }
  return [...head, ...laidOut(squeezed(rows, room), columns, paint)];
}

/** The tree without its leaves: what stays on the screen when a run has ended, above its brief. */
export function closingFrame(progress: RunProgress, { columns, rows: most, now, paint }: FrameOptions): string[] {
  const rows = rowsOf(progress.root, 0, now, columns >= WIDE);
  return [...laidOut(squeezed(rows, Math.max(1, Math.min(most - 1, 12))), columns, paint), ''];
}
