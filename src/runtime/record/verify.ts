/**
 * Proof of escalation: whether a stored run still is what happened, from what each leaf said to the brief.
 * Reads the log once, and keeps hashes of it, no bodies.
 */
import type { KeyObject } from 'node:crypto';
import { EspalierError } from '../../errors.ts';
import type { Store, StoredRun } from '../../ports/store.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { createArtifactCheck } from './artifact-check.ts';
import { createIndexCheck } from './index-check.ts';
import { createLogCheck } from './log-check.ts';
import { createProblems, type Problem, type Problems } from './problems.ts';
import { readingOf } from './reading.ts';
import { createReceiptBuilder } from './receipt-builder.ts';
import { checkReceipt } from './receipt-check.ts';
import { createUpwardCheck } from './upward-check.ts';

export type VerifyOptions = {
  /** An Ed25519 public key: then a receipt that its holder did not sign is a problem. */
  key?: KeyObject;
};
export type Verification = {
  /** None: everything is as it was made. The first names the first node, in the order of the log, that is not. */
  problems: readonly Problem[];
  /** What was checked. */
  checked: { events: number; nodes: number; findings: number; criticals: number };
  /** Whether the run, or what of it was given, goes to its end. */
  isFinished: boolean;
  /** The fingerprint of the key that signed the receipt. */
  signedBy?: string;
};

/**
 * Recomputes everything that a store says of a run.
 * @throws EspalierError `unknown-run`, `store-fault`
 */
export function verifyRun(store: Store, runId: string, { key }: VerifyOptions = {}): Verification {
  const run = store.run(runId);
  if (!run) throw new EspalierError('unknown-run', `There is no run ${runId} in ${store.name}.`);
  const problems = createProblems();
  const log = createLogCheck(runId, problems);
  const upward = createUpwardCheck(runId, problems, log.inDoubt);
  const index = createIndexCheck(store, runId, problems, log.inDoubt);
  const checkArtifacts = createArtifactCheck(store, runId, problems);
  const receipts = createReceiptBuilder();
  let first: RunEvent | undefined;
  let last: RunEvent | undefined;
  let completed: { at: number; status: string; receipt: Receipt } | undefined;
  // While it is written to, what it had a moment ago is checked, and not its index, which moves on.
  const isLive = run.claim?.isLive === true;
  for (const row of store.events(runId)) {
    if (isLive && row.seq >= run.events) break;
    last = log.take(row);
    if (!last) continue;
    first ??= last;
    receipts.add(last, row.body);
    upward.apply(last);
    index.apply(last);
    checkArtifacts(last);
    if (last.type === 'run.completed') {
      const { at, status } = last;
      completed = { at, status, receipt: { ...receipts.receiptOf(last), events: log.events, head: log.head } };
    }
  }
  if (!isLive) index.conclude(log.nameMissing);
  const isFinished = last?.type === 'run.completed';
  checkRow(store, run, { first, log, completed, isFinished }, problems);
  let signedBy: string | undefined;
  if (run.receipt && completed) signedBy = checkReceipt(run.receipt, { own: completed.receipt, key, problems });
  else if (run.receipt) problems.add('', 'it has a receipt, and its log has no end');
  else if (completed) problems.add('', 'its receipt is missing');
  else if (key) problems.add('', 'it has not ended, so nobody has signed it');
  return {
    problems: problems.inOrder(),
    checked: { events: log.events, ...upward.counts() },
    isFinished,
    ...(signedBy !== undefined && { signedBy }),
  };
}

type LogReading = {
  first: RunEvent | undefined;
  log: { events: number; head: string };
  completed: { at: number; status: string } | undefined;
  isFinished: boolean;
};
/** What the store says of the run besides its log. Where its scenario was found is the caller's, and not checked. */
function checkRow(
  store: Store,
  run: StoredRun,
  { first, log, completed, isFinished }: LogReading,
  problems: Problems,
): void {
  const { runId, startedAt } = run;
  const options: Partial<StoredRun['options']> = run.options ?? {};
  const isSaid = (what: string, is: unknown, said: unknown): void => {
    if (is !== said) problems.add('', `its ${what} is not what its events say`);
  };
  isSaid('number of events', run.events, log.events);
  if (run.events === log.events) isSaid('last checksum', run.head, log.head);
  if (isFinished || !completed) isSaid('state', run.state, completed?.status ?? 'running');
  isSaid('end', run.endedAt, completed?.at);
  if (first?.type === 'run.started') {
    isSaid('id', runId, first.runId);
    isSaid('scenario', run.scenario, first.scenario);
    isSaid('thesis', run.thesis, first.thesis);
    isSaid('version', run.hostVersion, first.hostVersion);
    isSaid('depth limit', options.maxDepth, first.maxDepth);
    isSaid('concurrency', options.concurrency, first.concurrency);
    isSaid('as-of date', options.asOf ?? first.asOf, first.asOf);
    isSaid('start or deadline', startedAt + (options.deadlineMs ?? 0), first.deadline);
  }
  const filter = {
    scenario: run.scenario,
    state: run.state,
    startedAfter: startedAt - 1,
    startedBefore: startedAt + 1,
  };
  const found = readingOf(() => Array.from(store.runs(filter), (one) => one.runId).includes(runId));
  if (!('value' in found && found.value)) problems.add('', 'it is filed under another scenario, state or start');
}
