/** What `doctor` says of the store. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Store } from '../ports/store.ts';
import { counted } from '../render/figures.ts';
import { fileSize, formatBytes } from './bytes.ts';
import type { Check } from './doctor.ts';
import { nearestFolder, whyReadOnly } from './doctor-environment.ts';
import { oneLine } from './misuse.ts';
import type { StoreFlags } from './open-store.ts';
import { isWorkedOn, stateOf } from './shown-state.ts';
import { openExisting } from './stored-run.ts';

const LITTLE_BYTES = 1e9;
const TOO_LITTLE_BYTES = 5e7;
const MOST_NAMED = 5;

export async function checkStore(flags: StoreFlags): Promise<Check[]> {
  const file = String(flags.store);
  const what = `Store ${file}`;
  const space = freeSpace(file);
  try {
    const store = await openExisting(flags);
    if (!store) return [{ what, ...noneYet(nearestFolder(dirname(file))) }, space];
    try {
      const { VERSION } = await import('../adapters/stores/sqlite-schema.ts'); // opening has brought the file to it
      return [...contents(store, what, { file, format: VERSION }), space];
    } finally {
      store.close();
    }
  } catch (error) {
    return [{ what, verdict: 'problem', says: oneLine(error) }, space];
  }
}

function noneYet(folder: string): Omit<Check, 'what'> {
  const why = whyReadOnly(folder);
  if (why === undefined) return { verdict: 'note', says: 'there is none yet; the first run makes it' };
  return { verdict: 'problem', says: `there is none, and ${folder} cannot be written: ${why}. Give another --store.` };
}

function contents(store: Store, what: string, { file, format }: { file: string; format: number }): Check[] {
  let runs = 0;
  let busy = 0;
  const interrupted: string[] = [];
  for (const run of store.runs()) {
    runs++;
    if (isWorkedOn(run)) busy++;
    if (stateOf(run) === 'interrupted') interrupted.push(run.runId);
  }
  const working = busy === 0 ? '' : `, ${busy} being worked on`;
  const checks: Check[] = [
    {
      what,
      verdict: 'ok',
      says: `can be opened, format ${format}; ${counted(runs, 'run')}${working}, ${formatBytes(fileSize(file))}`,
    },
    ...store.problems().map((says): Check => ({ what, verdict: 'problem', says })),
  ];
  const resume = interrupted.slice(0, MOST_NAMED).map((runId) => `espalier resume ${runId}`);
  if (resume.length > 0) {
    const more = interrupted.length > MOST_NAMED ? '; the others: espalier runs --state interrupted' : '';
    const says = `${counted(interrupted.length, 'run')}. To go on: ${resume.join(', ')}${more}`;
    checks.push({ what: 'Interrupted', verdict: 'note', says });
  }
  return checks;
}

function freeSpace(file: string): Check {
  const folder = nearestFolder(dirname(file));
  try {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const says = `${formatBytes(free)} free in ${folder}`;
    if (free >= LITTLE_BYTES) return { what: 'Disk', verdict: 'ok', says };
    if (free >= TOO_LITTLE_BYTES)
      return { what: 'Disk', verdict: 'note', says: `${says}; make room before a long run` };
    return {
      what: 'Disk',
      verdict: 'problem',
      says: `only ${says}. Make room: espalier runs prune, or another --store`,
    };
  } catch (error) {
    return { what: 'Disk', verdict: 'note', says: `how much is free is not known: ${oneLine(error)}` };
  }
}
