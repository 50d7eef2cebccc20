/** `espalier runs prune`: forgets runs, never one that is being worked on. */
import { EspalierError } from '../errors.ts';
import type { Store, StoredRun } from '../ports/store.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { counted, formatInstant } from '../render/figures.ts';
import { fileSize, formatBytes } from './bytes.ts';
import { EXIT } from './exit-code.ts';
import { misuse } from './misuse.ts';
import type { StoreFlags } from './open-store.ts';
import type { Output } from './output.ts';
import { runsOf } from './runs.ts';
import { isWorkedOn, stateOf } from './shown-state.ts';
import { openExisting } from './stored-run.ts';

export type PruneFlags = StoreFlags & {
  /** How many to keep, the latest ones. */
  keep?: number;
  /** In ms. */
  olderThan?: number;
  scenario?: string;
  dryRun?: boolean;
  json?: boolean;
};
type Pruned = { gone: StoredRun[]; busy: StoredRun[] };

export async function pruneCommand(flags: PruneFlags, output: Output): Promise<number> {
  if (flags.keep === undefined && flags.olderThan === undefined) {
    throw misuse(
      'Nothing says which runs go. Give --keep, --older-than, or both: then those go that both would let go.',
    );
  }
  const store = await openExisting(flags);
  try {
    const found: Pruned = store ? chosen(store, flags) : { gone: [], busy: [] };
    const bytes = store && bytesOf(store, flags, found.gone);
    const pruned = store && !flags.dryRun ? forget(store, found) : found;
    const state = { isDone: !flags.dryRun, ...(bytes !== undefined && { bytes }) };
    const { gone, busy } = pruned;
    if (flags.json)
      output.result(`${JSON.stringify({ ...state, gone: gone.map(idOf), busy: busy.map(idOf) }, null, 2)}\n`);
    else output.result(told(pruned, state));
    return EXIT.complete;
  } finally {
    store?.close();
  }
}

const idOf = ({ runId }: StoredRun): string => runId;

/** What both conditions let go. Runs that are being worked on count among those that are kept. */
function chosen(store: Store, { keep = 0, olderThan = 0, ...flags }: PruneFlags): Pruned {
  const before = Date.now() - olderThan;
  const pruned: Pruned = { gone: [], busy: [] };
  let seen = 0;
  for (const run of runsOf(store, flags)) {
    if (seen++ < keep || run.startedAt > before) continue;
    (isWorkedOn(run) ? pruned.busy : pruned.gone).push(run);
  }
  return pruned;
}

/** Somebody may have taken one up since it was looked at. */
function forget(store: Store, { gone, busy }: Pruned): Pruned {
  const done: Pruned = { gone: [], busy: [...busy] };
  for (const run of gone) {
    try {
      store.remove(run.runId);
      done.gone.push(run);
    } catch (error) {
      if (!EspalierError.isInstance(error) || error.code !== 'run-busy') throw error;
      done.busy.push(run);
    }
  }
  return done;
}

/** The runs' part of the file by their events: what each takes is not recorded. */
function bytesOf(store: Store, { store: file }: PruneFlags, gone: readonly StoredRun[]): number | undefined {
  const size = typeof file === 'string' ? fileSize(file) : 0;
  let events = 0;
  for (const run of store.runs()) events += run.events;
  if (size === 0 || events === 0) return undefined;
  return Math.round((size * gone.reduce((sum, run) => sum + run.events, 0)) / events);
}

function told({ gone, busy }: Pruned, { isDone, bytes = 0 }: { isDone: boolean; bytes?: number }): string {
  const line = (run: StoredRun): string =>
    `${escapeTerminal(run.runId)}  ${formatInstant(run.startedAt)}  ${escapeTerminal(run.scenario)}, ${stateOf(run)}`;
  const about = `about ${formatBytes(bytes)}`;
  const lines = [
    ...gone.map((run) => `${isDone ? 'gone' : 'would go'}  ${line(run)}`),
    ...busy.map((run) => `kept, being worked on  ${line(run)}`),
  ];
  if (gone.length === 0) lines.push('There is no such run: nothing to forget.');
  else {
    lines.push(
      isDone
        ? `${counted(gone.length, 'run')} forgotten, ${about}. The file keeps the room for later runs; folders of briefs stay.`
        : `${counted(gone.length, 'run')} would be forgotten, ${about}. To forget ${gone.length === 1 ? 'it' : 'them'}, leave out --dry-run.`,
    );
  }
  return `${lines.join('\n')}\n`;
}
