/**
 * Who may write to a run; the rule of every store.
 *  1. A claim is live unless it was given back, was not renewed for CLAIM_MS, or its process is gone from this host.
 *  2. A run with a live claim cannot be claimed, not even by the process that holds it.
 *  3. A claim is its token: of two that one process took, the later one counts.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { EspalierError } from '../../errors.ts';
import { CLAIM_MS, type Claim } from '../../ports/store.ts';

/** A claim as it is kept. */
export type Holder = { readonly owner: string; readonly pid: number; readonly hostname: string; renewedAt: number };

/** What a store asks of the machine that it runs on; for tests. */
export type StoreOptions = {
  /** Epoch ms. */
  now?: () => number;
  /** Whether there is a process of this number on this host. */
  isAlive?: (pid: number) => boolean;
};

export type ClaimRule = {
  now(): number;
  newHolder(): Holder;
  claimOf(holder: Holder): Claim;
  /** @throws EspalierError `run-busy` */
  refuseLive(runId: string, holder: Holder | undefined): void;
};

export function claimRule({ now = Date.now, isAlive = isProcessAlive }: StoreOptions): ClaimRule {
  const here = hostname();
  const isLive = ({ pid, hostname, renewedAt }: Holder): boolean =>
    // A claim from the future is one from before a clock was set back.
    Math.abs(now() - renewedAt) <= CLAIM_MS && (hostname !== here || isAlive(pid));
  return {
    now,
    newHolder: () => ({ owner: randomUUID(), pid: process.pid, hostname: here, renewedAt: now() }),
    claimOf: (holder) => {
      const { pid, hostname, renewedAt } = holder;
      return { pid, hostname, renewedAt, isLive: isLive(holder) };
    },
    refuseLive(runId, holder) {
      if (!holder || !isLive(holder)) return;
      const { pid, hostname, renewedAt } = holder;
      const seconds = Math.max(0, Math.round((now() - renewedAt) / 1000));
      throw new EspalierError(
        'run-busy',
        `Run ${runId} is being worked on by process ${pid} on ${hostname} (alive ${seconds} s ago). Wait until it ends, or stop it.`,
      );
    },
  };
}

function isProcessAlive(pid: number): boolean {
  if (!(pid > 0)) return false; // zero and less would ask about groups of processes
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
