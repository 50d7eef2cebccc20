/** `espalier runs`: what a store holds, the latest first. */
import { clipped, displayWidth, padded, wrapText } from '../render/text-layout.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { counted, formatDuration } from '../render/figures.ts';
import type { RunFilter, Store, StoredRun } from '../ports/store.ts';
import { EXIT } from './exit-code.ts';
import type { StoreFlags } from './open-store.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';
import { stateOf, type ShownState } from './shown-state.ts';
import { openExisting, runLineOf, type RunLine } from './stored-run.ts';

export type RunsFlags = StoreFlags & {
  scenario?: string;
  state?: ShownState;
  /** Epoch ms. */
  since?: number;
  limit?: number;
  json?: boolean;
};
const USUAL_LIMIT = 20;

export async function runsCommand(flags: RunsFlags, output: Output): Promise<number> {
  const { limit = USUAL_LIMIT } = flags;
  const store = await openExisting(flags);
  try {
    const lines: RunLine[] = [];
    let hasMore = false;
    for (const run of store ? runsOf(store, flags) : []) {
      hasMore = lines.length === limit;
      if (hasMore || !store) break;
      lines.push(runLineOf(store, run));
    }
    if (flags.json) output.result(`${JSON.stringify(lines, null, 2)}\n`);
    else if (lines.length === 0) output.note(noneOf(flags, store));
    else output.result(listed(lines));
    if (hasMore) output.note('There are more. Give a higher --limit, or --scenario, --state, --since.');
    return EXIT.complete;
  } finally {
    store?.close();
  }
}

/** Those that meet the conditions, the latest first. */
export function* runsOf(store: Store, { scenario, state, since }: RunsFlags): Iterable<StoredRun> {
  const filter: RunFilter = {
    ...(scenario !== undefined && { scenario }),
    ...(state !== undefined && { state: state === 'interrupted' ? 'running' : state }),
    ...(since !== undefined && { startedAfter: since - 1 }),
  };
  for (const run of store.runs(filter)) if (state === undefined || stateOf(run) === state) yield run;
}

function noneOf({ store: file, scenario, state, since }: RunsFlags, store: Store | undefined): string {
  const isNarrowed = scenario !== undefined || state !== undefined || since !== undefined;
  if (!store) return `No run is stored: there is no store ${escapeTerminal(String(file))} yet.`;
  return isNarrowed
    ? `No run in ${store.name} is like that. Leave out --scenario, --state or --since.`
    : `No run is stored in ${store.name} yet.`;
}

function listed(lines: readonly RunLine[]): string {
  const width = widthOf(process.stdout);
  const paint = paintFor(process.stdout);
  const ids = shortest(lines.map(({ runId }) => runId));
  const header = ['run', 'began, UTC', 'scenario', 'state', 'leaves', 'took', 'crit.'];
  const rows = lines.map((line, index) => [
    ids[index] ?? '',
    startOf(line.startedAt),
    clipped(escapeTerminal(line.scenario), 14),
    line.state,
    String(line.leaves ?? ''),
    line.tookMs === undefined ? '' : formatDuration(line.tookMs),
    String(line.criticals ?? ''),
  ]);
  const widths = header.map((name, at) =>
    Math.max(...[[name], ...rows.map((row) => [row[at] ?? ''])].map(([cell = '']) => displayWidth(cell))),
  );
  if (widths.reduce((sum, each) => sum + each + 2, 0) > width) return inSentences(lines, ids, width);
  const written = (cells: readonly string[], thesis: string): string =>
    clipped(
      `${cells.map((cell, at) => aligned(cell, widths[at] ?? 0, FIGURES.has(at))).join('  ')}  ${thesis}`,
      width,
    ).trimEnd();
  const shown = rows.map((row, index) => written(row, escapeTerminal(lines[index]?.thesis ?? '')));
  return `${[paint('bold', written(header, 'thesis')), ...shown].join('\n')}\n`;
}

/** Where the columns do not fit: each run under its id. */
function inSentences(lines: readonly RunLine[], ids: readonly string[], width: number): string {
  const shown = lines.flatMap(({ scenario, thesis, state, startedAt, endedAt, leaves, criticals }, index) => [
    ...wrapText(
      [
        `${startOf(startedAt)} UTC, ${state}`,
        ...(endedAt === undefined ? [] : [`took ${formatDuration(endedAt - startedAt)}`]),
        ...(leaves === undefined ? [] : [counted(leaves, 'leaf', 'leaves')]),
        ...(criticals === undefined ? [] : [`${criticals} critical`]),
      ].join(', '),
      width,
      `${ids[index]}  `,
    ),
    clipped(`  ${escapeTerminal(scenario)}: ${escapeTerminal(thesis)}`, width),
  ]);
  return `${shown.join('\n')}\n`;
}

/** The columns of figures, which stand on the right. */
const FIGURES = new Set([4, 5, 6]);
const aligned = (cell: string, width: number, isFigure: boolean): string =>
  isFigure ? ' '.repeat(Math.max(0, width - displayWidth(cell))) + cell : padded(cell, width);

/** The year where it is not this one, for it is the same in most lines. */
function startOf(ms: number): string {
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  return date.startsWith(new Date().toISOString().slice(0, 4)) ? `${date.slice(5)} ${time.slice(0, 5)}` : date;
}

/** As much of each id as tells them apart, which is also enough to name one. */
function shortest(ids: readonly string[]): string[] {
  for (let length = 8; ; length++) {
    const cut = ids.map((id) => id.slice(0, length));
    if (new Set(cut).size === new Set(ids).size) return cut.map(escapeTerminal);
  }
}
