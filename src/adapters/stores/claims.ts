/**
 * Who may write to a run; the rule of every store.
 *  1. A claim is live unless it was given back, was not renewed for CLAIM_MS, or its process is seen to be gone. That is
 *     seen only where process ids mean the same as they did to whoever took it: of other places the renewals alone tell.
 *  2. A run with a live claim cannot be claimed, not even by the process that holds it.
 *  3. A claim is its token: of two that one process took, the later one counts.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { EspalierError } from '../../errors.ts';
import { CLAIM_MS, type Claim } from '../../ports/store.ts';
import { ownProcesses, type Processes } from './processes.ts';

/** A claim as it is kept. */
export type Holder = {
  readonly owner: string;
  readonly pid: number;
  readonly hostname: string;
  /** Where `pid` holds, and when its process was born; empty in a file of an older format. */
  readonly place: string;
  readonly born: string;
  renewedAt: number;
};

/** What a store asks of the machine that it runs on; for tests. */
export type StoreOptions = {
  /** Epoch ms. */
  now?: () => number;
  processes?: Processes;
};

export type ClaimRule = {
  now(): number;
  newHolder(): Holder;
  claimOf(holder: Holder): Claim;
  /** @throws EspalierError `run-busy` */
  refuseLive(runId: string, holder: Holder | undefined): void;
};

export function claimRule({ now = Date.now, processes = ownProcesses() }: StoreOptions): ClaimRule {
  const here = hostname();
  const { place: ourPlace, bornAt } = processes;
  const isGone = ({ pid, hostname, place, born }: Holder): boolean => {
    if (place !== ourPlace && (place !== '' || hostname !== here)) return false;
    const found = bornAt(pid);
    return found === undefined || (found !== '' && born !== '' && found !== born);
  };
  const isLive = (holder: Holder): boolean =>
    // A claim from the future is one from before a clock was set back.
    Math.abs(now() - holder.renewedAt) <= CLAIM_MS && !isGone(holder);
  return {
    now,
    newHolder: () => {
      const { pid } = process;
      const born = bornAt(pid) ?? '';
      return { owner: randomUUID(), pid, hostname: here, place: ourPlace, born, renewedAt: now() };
    },
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
