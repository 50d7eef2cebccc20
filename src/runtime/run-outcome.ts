import type { Report } from '../protocol/report.ts';
import type { RunOutcome } from './run.ts';

/** What a run ended with, by its brief. */
export const outcomeOf = (brief: Report): RunOutcome => ({
  runId: brief.runId,
  status: brief.status,
  brief,
  escalations: brief.escalations,
  gaps: brief.gaps,
});
