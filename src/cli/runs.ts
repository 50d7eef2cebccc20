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
  const columns: readonly Column[] = [
    { name: 'run', of: (_, index) => ids[index] ?? '' },
    { name: 'began, UTC', of: ({ startedAt }) => startOf(startedAt) },
    { name: 'scenario', of: ({ scenario }) => clipped(escapeTerminal(scenario), 14) },
    { name: 'state', of: ({ state }) => state },
    { name: 'leaves', of: ({ leaves }) => String(leaves ?? ''), isFigure: true },
    { name: 'took', of: ({ tookMs }) => (tookMs === undefined ? '' : formatDuration(tookMs)), isFigure: true },
    { name: 'crit.', of: ({ criticals }) => String(criticals ?? ''), isFigure: true },
  ];
  const laid = columns.map(({ name, of, isFigure = false }) => {
    const cells = [name, ...lines.map(of)];
    const most = Math.max(...cells.map(displayWidth));
    return { most, cells: cells.map((cell) => aligned(cell, most, isFigure)) };
  });
  if (laid.reduce((sum, { most }) => sum + most + 2, 0) > width) return inSentences(lines, ids, width);
  const shown = ['thesis', ...lines.map(({ thesis }) => escapeTerminal(thesis))].map((thesis, row) =>
    clipped([...laid.map(({ cells }) => cells[row] ?? ''), thesis].join('  '), width).trimEnd(),
  );
  const [header = '', ...rows] = shown;
  return `${[paint('bold', header), ...rows].join('\n')}\n`;
}

/** Figures stand on the right. */
type Column = { name: string; of: (line: RunLine, index: number) => string; isFigure?: true };
const aligned = (cell: string, width: number, isFigure: boolean): string =>
  isFigure ? ' '.repeat(Math.max(0, width - displayWidth(cell))) + cell : padded(cell, width);

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
