/**
 * A process that a run has started, and all that it starts in turn.
 *  1. It has a process group of its own: a ^C at the terminal is for the run, which then ends it in its own time.
 *  2. `end` asks first, then makes it: when it resolves, nobody of the group is left.
 *  3. When this process ends, whatever the way short of being killed, the groups that are left are killed.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export type ServerProcess = {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** The last of what it wrote to stderr. */
  lastWords(): string;
  end(): Promise<void>;
};
export type Command = {
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
};

const GRACE_MS = 1_000;
const LISTED_MS = 200;
const LONGEST_WORDS = 2_000;
const POLL_MS = 20;
const HAS_GROUPS = process.platform !== 'win32';
const live = new Set<ServerProcess['child']>();
let isWatching = false;

export function startProcess({ command, args = [], env, cwd }: Command): ServerProcess {
  const child = spawn(command, [...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: HAS_GROUPS,
    windowsHide: true,
    ...(cwd !== undefined && { cwd }),
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-LONGEST_WORDS)));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {}); // its end says it all
  live.add(child);
  child.once('error', () => child.pid === undefined && live.delete(child));
  watchExit();
  let ending: Promise<void> | undefined;
  return { child, lastWords: () => words.trim().split('\n').at(-1) ?? '', end: () => (ending ??= endGroup(child)) };
}

async function endGroup(child: ServerProcess['child']): Promise<void> {
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const isGone = (): boolean => !signal(child, 0);
  child.stdin.end(); // a server ends when nobody can ask it any more
  await until(hasExited, GRACE_MS);
  if (!isGone()) {
    signal(child, 'SIGTERM');
    await until(isGone, GRACE_MS);
  }
  if (!isGone()) {
    signal(child, 'SIGKILL');
    // Whoever has lost its parent may stay listed, dead, for as long as nobody collects it.
    await until(() => hasExited() && isGone(), LISTED_MS);
  }
  live.delete(child);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}

/** Looks for a while. */
async function until(holds: () => boolean, ms: number): Promise<void> {
  for (let waited = 0; waited < ms && !holds(); waited += POLL_MS) {
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** False when there is nobody to be told. */
function signal(child: ServerProcess['child'], name: NodeJS.Signals | 0): boolean {
  const { pid } = child;
  if (pid === undefined) return false;
  if (!HAS_GROUPS) return child.exitCode === null && child.signalCode === null && child.kill(name);
  try {
    return process.kill(-pid, name);
  } catch {
    return false;
  }
}

function watchExit(): void {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', () => {
    for (const child of live) signal(child, 'SIGKILL');
  });
}
