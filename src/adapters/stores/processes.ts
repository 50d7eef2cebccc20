/**
 * Which process a number names. A number says little: it is given again when its process is gone, and containers that
 * share a host's name each count for themselves.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export type Processes = {
  /** Where the numbers hold: on Linux the boot of the machine and the namespace of process ids, elsewhere the host. */
  readonly place: string;
  /** When the process of this number was born, in the system's own words; empty when it does not say; undefined when there is none. */
  readonly bornAt: (pid: number) => string | undefined;
};

export const ownProcesses = (): Processes => ({ place: placeOf(), bornAt });

function placeOf(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function bornAt(pid: number): string | undefined {
  if (!isThere(pid)) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold anything, brackets and spaces too. See proc_pid_stat(5).
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return ''; // not Linux, or not ours to see
  }
}

function isThere(pid: number): boolean {
  if (!(pid > 0)) return false; // zero and less would ask about groups of processes
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
