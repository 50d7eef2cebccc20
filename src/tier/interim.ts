/**
 * What an orchestrator can say before its children have ended. Owns its state and mutates it; no IO, no clock.
 *  1. An interim report is made by rules from the children's ends and, of those that run, their own latest interims.
 *  2. Each child that has not ended is a gap `pending`. An interim ends nobody, and mints no finding.
 *  3. Its coverage never falls: of a child's end and its last interim the one that covers more stands for it.
 */
import { hear } from '../analytics/conviction.ts';
import { deterministicSynthesis } from '../analytics/deterministic-synthesis.ts';
import type { Ended } from '../ports/activities.ts';
import type { Decision } from '../protocol/decision.ts';
import { seal } from '../protocol/digest.ts';
import type { Gap } from '../protocol/gap.ts';
import { childPath } from '../protocol/path.ts';
import type { Report, UnsealedReport } from '../protocol/report.ts';
import type { Synthesis } from '../protocol/synthesis.ts';
import type { Task } from '../protocol/task.ts';
import { withHeard } from './partial.ts';
import { gapsLeftBy, reportOf, rootReport, type Gathered } from './report.ts';
import { bodyOf } from './synthesis-check.ts';

export type Interim = {
  readonly task: Task;
  readonly decision: Decision;
  /** What stands for each child that has ended or has an interim. */
  readonly standing: Map<string, Ended>;
  readonly ended: Set<string>;
  /** The latest. */
  report: Report | undefined;
};
/** A sum over children may differ in its last bits from the one before. */
const ROUNDING = 1e-9;

export const openInterim = (task: Task, decision: Decision): Interim => ({
  task,
  decision,
  standing: new Map(),
  ended: new Set(),
  report: undefined,
});

/** A child that still runs has made an interim of its own. */
export function interimHeard(interim: Interim, name: string, report: Report): void {
  const { standing, ended } = interim;
  if (ended.has(name)) return;
  const known = standing.get(name);
  const heard: Ended = { name, outcome: report };
  if (!known || shareOf(interim, heard) >= shareOf(interim, known)) standing.set(name, heard);
}

export function interimEnded(interim: Interim, end: Ended): void {
  const { standing, ended } = interim;
  const { name } = end;
  if (ended.has(name)) return;
  ended.add(name);
  const known = standing.get(name);
  const hasLost = known?.outcome.kind === 'report' && shareOf(interim, end) < shareOf(interim, known);
  standing.set(name, hasLost ? { name, outcome: keptOf(known.outcome as Report, end) } : end);
}

/** What one child adds to coverage. */
const shareOf = ({ task, decision }: Interim, one: Ended): number => hear({ task, decision, ended: [one] }).coverage;

/** An interim that stands for its node past its end: with what became critical since, and the gaps of the end. */
function keptOf(report: Report, end: Ended): Report {
  const { timing, digest: _, ...unsealed } = report;
  const body = bodyOf(end.outcome);
  const said = [...(body?.findings ?? []), ...(body?.escalations ?? [])];
  const settled = report.gaps.filter(({ kind }) => kind !== 'pending');
  const gaps = [...settled, ...gapsLeftBy(end)].map((gap) => [JSON.stringify(gap), gap] as const);
  return seal(withHeard({ ...unsealed, gaps: [...new Map(gaps).values()] }, said), { ...timing }) as Report;
}

/** The interim report as of now; undefined when it would say less than the one before. */
export function makeInterim(interim: Interim, now: number): Report | undefined {
  const { task, decision, standing, ended } = interim;
  const children = decision.stages.flat().map(({ name }) => name);
  const pending = children.flatMap((name): Gap[] => {
    if (ended.has(name)) return [];
    const why = standing.has(name) ? 'has not ended yet: its interim report stands for it' : 'has not ended yet';
    return [{ kind: 'pending', path: childPath(task.path, name), why }];
  });
  const gathered: Gathered = { task, decision, ended: children.flatMap((name) => standing.get(name) ?? []) };
  const own = reportOf(gathered, { synthesis: { ...mintingNothing(deterministicSynthesis(gathered)), gaps: pending } });
  const whole = withoutFall(own, interim.report?.assessment?.coverage ?? 0);
  if (!whole) return undefined;
  const isPending = whole.gaps.some(({ kind }) => kind === 'pending');
  const report: UnsealedReport = isPending ? { ...whole, status: 'partial' } : whole;
  const sealed = seal(task.tier === 'root' ? rootReport(task, report) : report, {
    startedAt: task.grant.issuedAt,
    endedAt: now,
  });
  interim.report = sealed as Report;
  return interim.report;
}

function withoutFall(report: UnsealedReport, before: number): UnsealedReport | undefined {
  const { assessment } = report;
  if (!assessment || assessment.coverage >= before) return report;
  if (before - assessment.coverage > ROUNDING) return undefined;
  return { ...report, assessment: { ...assessment, coverage: before } };
}

/** Of findings that say the same the heaviest stands for all: a merged one would be another with each interim. */
function mintingNothing(synthesis: Synthesis): Synthesis {
  const leads = new Map(synthesis.merges.map(({ key, lead }) => [key, lead]));
  const dispositions = synthesis.dispositions.map((disposition) => {
    if (disposition.as !== 'merged') return disposition;
    const { id } = disposition;
    const lead = leads.get(disposition.into);
    return lead === id ? { id, as: 'kept' as const } : { id, as: 'dropped' as const, why: `repeats ${lead}` };
  });
  return { ...synthesis, dispositions, merges: [] };
}
