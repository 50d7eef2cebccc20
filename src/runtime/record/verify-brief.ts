/** Proof of a brief away from its store: against itself, its receipt, and the events it came from. */
import { canonicalJson, digestOf, sha256 } from '../../protocol/digest.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import { Report } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { createLogCheck } from './log-check.ts';
import { createProblems, type Problems } from './problems.ts';
import { createReceiptBuilder } from './receipt-builder.ts';
import { checkReceipt } from './receipt-check.ts';
import { findingHash } from './standing-criticals.ts';
import { createUpwardCheck } from './upward-check.ts';
import type { Verification, VerifyOptions } from './verify.ts';

export type VerifyBriefOptions = VerifyOptions & {
  /** As parsed from `receipt.json`. Without one the brief is only checked against its own digest. */
  receipt?: unknown;
  /** The lines of `events.ndjson`. Without them the way up from the leaves is not checked. */
  events?: Iterable<string>;
};

/** The text of `brief.json`: of a report, the only one that is as it was written. */
export const briefText = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`;

/** Recomputes everything that can be known of a brief. `text` is that of `brief.json`, byte for byte. */
export function verifyBrief(text: string, { receipt, events, key }: VerifyBriefOptions = {}): Verification {
  const problems = createProblems();
  const brief = readBrief(text);
  if (!brief) {
    problems.add('', 'its brief cannot be read: it is not the JSON of a report');
    return { problems: problems.inOrder(), checked: NOTHING, isFinished: false };
  }
  const told = events && checkEvents(events, brief, problems);
  checkItself(text, brief, problems);
  let signedBy: string | undefined;
  if (receipt !== undefined) {
    signedBy = checkReceipt(receipt, { own: { ...told?.receipt, ...receiptOf(brief) }, key, problems });
  } else if (key) problems.add('', 'no receipt lies beside its brief, so whose signature it bears cannot be told');
  const own = { events: 0, nodes: 1, findings: brief.findings.length, criticals: brief.escalations.length };
  return {
    problems: problems.inOrder(),
    checked: told?.checked ?? own,
    isFinished: told?.isFinished ?? true,
    ...(signedBy !== undefined && { signedBy }),
  };
}

const NOTHING = { events: 0, nodes: 0, findings: 0, criticals: 0 };

function readBrief(text: string): Report | undefined {
  try {
    const report: unknown = JSON.parse(text);
    return Report.safeParse(report).success ? (report as Report) : undefined;
  } catch {
    return undefined;
  }
}

/** What the receipt of this brief says of it. */
const receiptOf = (brief: Report): Partial<Receipt> => ({
  runId: brief.runId,
  brief: digestOf(brief),
  sha256: sha256(canonicalJson(brief)),
  criticals: Object.fromEntries(brief.escalations.map((finding) => [finding.id, findingHash(finding)])),
});

function checkItself(text: string, brief: Report, problems: Problems): void {
  const { path } = brief;
  if (digestOf(brief) !== brief.digest) problems.add(path, 'the digest of the brief is not that of what it says');
  if (briefText(brief) !== text) problems.add(path, 'the brief is not written as it was: something was added or moved');
  const found = new Map(brief.findings.map((finding) => [finding.id, findingHash(finding)]));
  for (const finding of brief.escalations) {
    if (found.get(finding.id) === findingHash(finding)) continue;
    problems.add(
      path,
      `the critical finding ${finding.id} does not stand in the findings of the brief as it was escalated`,
    );
  }
}

type EventsReading = Pick<Verification, 'checked' | 'isFinished'> & { receipt: Partial<Receipt> };
function checkEvents(lines: Iterable<string>, brief: Report, problems: Problems): EventsReading {
  const { runId } = brief;
  const log = createLogCheck(runId, problems);
  const upward = createUpwardCheck(runId, problems, log.inDoubt);
  const receipts = createReceiptBuilder();
  let last: RunEvent | undefined;
  let ended: Partial<Receipt> = {};
  for (const body of lines) {
    last = log.take({ body });
    if (!last) continue;
    receipts.add(last, body);
    upward.apply(last);
    if (last.type === 'run.completed') ended = { ...receipts.receiptOf(last), events: log.events, head: log.head };
  }
  const isFinished = last?.type === 'run.completed';
  const { brief: digest, sha256: whole } = ended;
  if (!isFinished) problems.add('', 'its events have no end, or what follows it is not that of this brief');
  else if (digest !== brief.digest || whole !== sha256(canonicalJson(brief))) {
    problems.add('', 'its events did not end with this brief');
  }
  return { checked: { events: log.events, ...upward.counts() }, isFinished, receipt: ended };
}
