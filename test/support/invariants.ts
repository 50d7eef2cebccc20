/** What holds of every run, whatever its tree, its authors and its faults. Each function throws when it does not. */
import { expect } from 'vitest';
import { digestOf } from '../../src/protocol/digest.ts';
import { weightOf, type Finding } from '../../src/protocol/finding.ts';
import { isHole } from '../../src/protocol/gap.ts';
import { depthOf } from '../../src/protocol/path.ts';
import { FailureToken, Report } from '../../src/protocol/report.ts';
import { RunEvent } from '../../src/protocol/run-event.ts';
import { endsOf, json } from './world.ts';

type Events = readonly RunEvent[];
type End = Report | FailureToken;
const typed = <Type extends RunEvent['type']>(events: Events, type: Type): Extract<RunEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
const bodyOf = (end: End | undefined): Omit<Report, 'timing' | 'digest'> | undefined =>
  end?.kind === 'failure' ? end.partial : end;

/** Events can be parsed, are numbered without a hole, and never go back in time. */
export function expectValidEvents(events: Events): void {
  for (const [i, event] of events.entries()) {
    expect(event.seq).toBe(i);
    expect(event.at).toBeGreaterThanOrEqual(events[i - 1]?.at ?? 0);
    const plain = json(event);
    expect(RunEvent.parse(plain)).toEqual(plain);
  }
}

/** Every node that started ended exactly once, and nobody else did. */
export function expectEachEndsOnce(events: Events): void {
  const started = typed(events, 'node.started').map(({ path }) => path);
  expect(new Set(started).size).toBe(started.length);
  const ended = endsOf(events).map(({ path }) => path);
  expect(ended.toSorted()).toEqual(started.toSorted());
}

const HAND_OFF_MS = 100;
/** A node reports by its own deadline, one whose gather is broken before its parent stops waiting; the run by its own. */
export function expectNobodyLate(events: Events): void {
  const deadlines = new Map(typed(events, 'node.started').map(({ path, grant }) => [path, grant.deadline]));
  for (const { path, at } of typed(events, 'node.reported')) {
    expect(at).toBeLessThanOrEqual((deadlines.get(path) ?? -Infinity) + HAND_OFF_MS);
  }
  const [started] = typed(events, 'run.started');
  expect(events.at(-1)?.at).toBeLessThanOrEqual(started?.deadline ?? -1);
}

export function expectDepthKept(events: Events, brief: Report): void {
  const maxDepth = typed(events, 'run.started')[0]?.maxDepth ?? -1;
  for (const { path, depth, grant } of typed(events, 'node.started')) {
    expect(depth).toBe(depthOf(path));
    expect(depth + grant.depthLeft).toBe(maxDepth);
    expect(grant.depthLeft).toBeGreaterThanOrEqual(0);
  }
  expect(brief.run?.observedDepth).toBeLessThanOrEqual(maxDepth);
  const demoted = typed(events, 'depth.refused').map(({ path }) => path);
  expect(demoted).toEqual(expect.arrayContaining(brief.run?.demotions ?? []));
}

/** One id never stands for two bodies, in any event. */
export function expectOneBodyPerId(events: Events): void {
  const bodies = new Map<string, string>();
  const note = (finding: Finding): void => {
    const body = JSON.stringify(finding);
    expect(bodies.get(finding.id) ?? body).toBe(body);
    bodies.set(finding.id, body);
  };
  for (const event of events) {
    if (event.type === 'finding.reported' || event.type === 'finding.escalated') note(event.finding);
    if (event.type === 'child.late') event.findings.forEach(note);
    if (event.type === 'node.reported') [...event.report.findings, ...event.report.escalations].forEach(note);
    if (event.type === 'node.failed') bodyOf(event.token)?.findings.forEach(note);
  }
}

/**
 * No critical finding is lost or altered: each that was reported stands in the brief as it was reported, and was
 * escalated once. Each that was `uttered` by an author is there too, or was too late: told, and named in a gap.
 */
export function expectCriticalsKept(events: Events, brief: Report, uttered: readonly string[]): void {
  const reported = typed(events, 'finding.reported').map(({ finding }) => finding);
  expect(new Set(reported.map(({ id }) => id)).size).toBe(reported.length);
  const criticals = reported.filter(({ critical }) => critical);
  const byId = (a: Finding, b: Finding): number => (a.id < b.id ? -1 : 1);
  expect(json(brief.escalations.toSorted(byId))).toEqual(json(criticals.toSorted(byId)));
  const escalated = typed(events, 'finding.escalated').map(({ finding }) => finding);
  expect(json(escalated.toSorted(byId))).toEqual(json(brief.escalations.toSorted(byId)));

  const late = typed(events, 'child.late').flatMap(({ findings }) => findings);
  const known = new Set([...criticals, ...late].map(({ statement }) => statement));
  expect(uttered.filter((statement) => !known.has(statement))).toEqual([]);
  for (const { statement } of late) expect(brief.gaps.some(({ why }) => why.includes(statement))).toBe(true);
  if (late.length > 0) expect(brief.status).not.toBe('complete');
}

/** A report's books equal a count by hand over what its children ended with. */
export function expectBooksKept(events: Events): void {
  const ends = new Map(endsOf(events).map((end) => [end.path, end]));
  for (const report of ends.values()) {
    if (report.kind !== 'report' || !report.retention) continue;
    const bodies = report.children.flatMap(({ path }) => bodyOf(ends.get(path)) ?? []);
    const incoming = [...new Map(bodies.flatMap(({ findings }) => findings).map((one) => [one.id, one])).values()];
    const holderOf = ({ id }: Finding): [Finding | undefined, Finding | undefined] => [
      report.findings.find((one) => one.id === id),
      report.findings.find((one) => one.from?.includes(id)),
    ];
    const count = { kept: 0, merged: 0, dropped: 0 };
    let [total, passed] = [0, 0];
    for (const finding of incoming) {
      const [itself, merged] = holderOf(finding);
      count[itself ? 'kept' : merged ? 'merged' : 'dropped']++;
      const holder = itself ?? merged;
      total += weightOf(finding);
      if (holder && Math.sign(holder.stance) === Math.sign(finding.stance)) passed += weightOf(finding);
    }
    expect(report.retention).toMatchObject({ incoming: incoming.length, ...count, verbatim: 1 });
    expect(report.retention.recall).toBeCloseTo(total > 0 ? passed / total : 1, 9);
    expect(count.kept + count.merged + count.dropped).toBe(report.retention.incoming);
  }
}

/** What a report says of itself fits its findings and gaps, and every gap below it is among its own. */
export function expectHonestStatus(events: Events): void {
  const ends = new Map(endsOf(events).map((end) => [end.path, end]));
  for (const end of ends.values()) {
    if (end.kind === 'failure') continue;
    const hasHole = end.gaps.some(isHole);
    if (hasHole || end.madeBy !== 'leaf') {
      const honest = end.findings.length === 0 ? 'failed' : hasHole ? 'partial' : 'complete';
      expect([end.path, end.status]).toEqual([end.path, honest]);
    } else expect(end.status).toBe('complete');
    const { coverage } = end.assessment ?? { coverage: 0 };
    expect(coverage).toBeGreaterThanOrEqual(0);
    expect(coverage).toBeLessThanOrEqual(1);
    for (const { path, status } of end.children) {
      const child = ends.get(path);
      expect(child?.status).toBe(status);
      const ownGaps = new Set(end.gaps.map((gap) => JSON.stringify(gap)));
      for (const gap of bodyOf(child)?.gaps ?? []) expect(ownGaps).toContain(JSON.stringify(gap));
      if (child?.kind === 'failure') expect(end.gaps.map((gap) => gap.path)).toContain(path);
    }
  }
}

/** Digests recompute, and a parent's covers its children's. */
export function expectProven(events: Events, brief: Report): void {
  const ends = new Map(endsOf(events).map((end) => [end.path, end]));
  for (const end of ends.values()) {
    const plain = json(end);
    expect(end.kind === 'report' ? Report.parse(plain) : FailureToken.parse(plain)).toEqual(plain);
    expect(digestOf(end)).toBe(end.digest);
    if (end.kind === 'failure') continue;
    for (const child of end.children) expect(child.digest).toBe(ends.get(child.path)?.digest);
  }
  expect(digestOf(brief)).toBe(brief.digest);
  expect(typed(events, 'run.completed')).toMatchObject([{ status: brief.status, digest: brief.digest }]);
}
