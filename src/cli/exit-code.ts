import type { ReportStatus } from '../protocol/report.ts';

/** How `espalier` exits. A second ^C is `interrupted`; after the first, the partial brief was delivered. */
export const EXIT = { complete: 0, failed: 1, misuse: 2, partial: 3, interrupted: 130 } as const;

/** The exit code of a run: `wasCancelled` by ^C, or whose files could not all be written. */
export function exitCodeOf(status: ReportStatus, run: { wasCancelled: boolean; isUnsaved: boolean }): number {
  if (run.isUnsaved) return EXIT.failed;
  if (status === 'complete') return EXIT.complete;
  return run.wasCancelled ? EXIT.partial : EXIT[status];
}
