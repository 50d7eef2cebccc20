/** Makes a run's receipt of its events, as they come: the same one whoever heard them. */
import type { Finding } from '../../protocol/finding.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { SCHEMA_VERSION } from '../../protocol/version.ts';
import { checksumOf } from './checksum.ts';
import { standingCriticals } from './standing-criticals.ts';

export type ReceiptBuilder = {
  /** Takes in the next event, as it is and as JSON. Returns its checksum. */
  add(event: RunEvent, body: string): string;
  /** Of the run that has just completed with this event. */
  receiptOf(completed: RunEvent & { type: 'run.completed' }): Receipt;
};

/** `before`: what an interrupted run had, the checksum of its last event and its critical findings. */
export function createReceiptBuilder(
  before: { head: string; criticals: Iterable<Finding> } = { head: '', criticals: [] },
): ReceiptBuilder {
  const criticals = standingCriticals();
  for (const finding of before.criticals) criticals.note(finding);
  let { head } = before;
  return {
    add(event, body) {
      head = checksumOf(head, body);
      criticals.apply(event);
      return head;
    },
    receiptOf: ({ runId, digest, sha256, seq }) => ({
      schemaVersion: SCHEMA_VERSION,
      runId,
      brief: digest,
      sha256,
      criticals: Object.fromEntries(Array.from(criticals.all(), ({ finding, sha256 }) => [finding.id, sha256])),
      events: seq + 1,
      head,
    }),
  };
}
