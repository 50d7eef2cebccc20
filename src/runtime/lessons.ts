/** What a run teaches its orchestrators, read off its events. Pure but for what it has heard. */
import type { Lesson } from '../ports/memory.ts';
import type { Decision } from '../protocol/decision.ts';
import { nameOf, parentOf, ROOT } from '../protocol/path.ts';
import type { Report } from '../protocol/report.ts';
import type { RunEvent } from '../protocol/run-event.ts';

export type Lessons = {
  hear(event: RunEvent): void;
  /** By the path of the orchestrator. */
  learned(): ReadonlyMap<string, readonly Lesson[]>;
};

const DAY = 10;
const MOST = 8; // lessons of one orchestrator and run, besides how it ended
const LONGEST_ENRICHMENT = 200;

export function lessonsOf(runId: string, asOf: string | undefined): Lessons {
  const decisions = new Map<string, Decision>();
  const reports = new Map<string, Report>();
  const enrichments = new Map<string, string>();
  const lessons = new Map<string, string[]>();
  let day = asOf ?? '';
  const note = (path: string, text: string): void => {
    const known = lessons.get(path) ?? [];
    if (known.length < MOST) known.push(text);
    lessons.set(path, known);
  };
  return {
    hear(event) {
      if (day === '') day = new Date(event.at).toISOString().slice(0, DAY);
      const { path } = event;
      switch (event.type) {
        case 'node.planned':
          decisions.set(path, event.decision);
          break;
        case 'attempt.started':
          if (event.enrichment !== undefined) enrichments.set(path, event.enrichment);
          break;
        case 'synthesis.rejected':
          note(path, `a synthesis was rejected: ${event.fault.message}`);
          break;
        case 'node.reported': {
          const helped = enrichments.get(path);
          if (helped !== undefined)
            note(parentOf(path), `${nameOf(path)} succeeded after it was told: ${short(helped)}`);
          if (event.tier !== 'leaf') reports.set(path, event.report);
          break;
        }
        case 'node.failed':
          if (parentOf(path) !== '')
            note(parentOf(path), `${nameOf(path)} failed (${event.token.status}): ${event.token.message}`);
          break;
        default:
      }
    },
    learned() {
      const all = new Map<string, readonly Lesson[]>();
      for (const [path, decision] of decisions) {
        const texts = [...(lessons.get(path) ?? []), strategyOf(path, decision, reports.get(path))];
        all.set(
          path,
          texts.map((text) => ({ runId, asOf: day, text })),
        );
      }
      return all;
    },
  };
}

const short = (text: string): string => text.slice(0, LONGEST_ENRICHMENT).replaceAll(/\s+/g, ' ').toWellFormed();

/** What was chosen, and what came of it. */
function strategyOf(path: string, { by, stages, skipped }: Decision, report: Report | undefined): string {
  const names = stages.flat().map(({ name }) => name);
  const left = skipped.length === 0 ? '' : `; skipped ${skipped.map(({ name }) => name).join(', ')}`;
  const choice = names.length === 0 ? `${by}: executed itself` : `${by}: activated ${names.join(', ')}${left}`;
  const question = path === ROOT && report ? ` for "${report.question}"` : '';
  if (!report) return `${choice}${question}; ended without a report`;
  const { status, findings, escalations, gaps, assessment } = report;
  const conviction = assessment?.conviction === undefined ? '' : `, conviction ${Math.round(assessment.conviction)}`;
  return `${choice}${question}; ${status}: ${findings.length} findings, ${escalations.length} critical, ${gaps.length} gaps${conviction}`;
}
