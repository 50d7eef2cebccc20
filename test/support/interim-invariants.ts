/** What holds of the interim reports of every run. Each function throws when it does not. */
import { expect } from 'vitest';
import { digestOf } from '../../src/protocol/digest.ts';
import { isWithin } from '../../src/protocol/path.ts';
import { Report } from '../../src/protocol/report.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { json } from './world.ts';

type Interim = Extract<RunEvent, { type: 'synthesis.interim' }>;

export const interimsOf = (events: readonly RunEvent[]): Interim[] =>
  events.filter((event): event is Interim => event.type === 'synthesis.interim');

/** A brief by its schema, with the digest it says, and partial while anything is pending. */
export function expectBriefs(events: readonly RunEvent[]): void {
  for (const { path, report, ended, children, assessment } of interimsOf(events)) {
    expect(report !== undefined).toBe(path === 'root');
    expect(ended).toBeLessThanOrEqual(children);
    if (!report) continue;
    const plain = json(report);
    expect(Report.parse(plain)).toEqual(plain);
    expect(digestOf(report)).toBe(report.digest);
    expect(report.assessment).toMatchObject(assessment);
    const pending = report.gaps.filter(({ kind }) => kind === 'pending').map((gap) => gap.path);
    expect(new Set(pending).size).toBe(pending.length);
    expect(pending.filter((one) => one.split('/').length === 2)).toHaveLength(children - ended);
    if (pending.length > 0) expect(report.status).toBe('partial');
    expect(report.run?.maxDepth).toBeGreaterThan(0);
  }
}

export function expectNoFall(events: readonly RunEvent[]): void {
  const before = new Map<string, number>();
  for (const { path, assessment } of interimsOf(events)) {
    expect(assessment.coverage).toBeGreaterThanOrEqual(before.get(path) ?? 0);
    before.set(path, assessment.coverage);
  }
}

/** Of one node never two within `ms`. */
export function expectDebounced(events: readonly RunEvent[], ms: number): void {
  const before = new Map<string, number>();
  for (const { path, at } of interimsOf(events)) {
    expect(at - (before.get(path) ?? -Infinity)).toBeGreaterThanOrEqual(ms - 1e-6); // stages close at fractions of a ms
    before.set(path, at);
  }
}

/** Of what has ended nothing is said any more, and no end holds what is pending. */
export function expectOverIsOver(events: readonly RunEvent[]): void {
  const ended: string[] = [];
  for (const event of events) {
    const { type, path } = event;
    if (type === 'node.reported' && event.tier !== 'leaf') ended.push(path);
    if (type === 'node.failed' && event.tier !== 'leaf') ended.push(path);
    if (type === 'synthesis.interim') expect(ended.filter((one) => isWithin(path, one))).toEqual([]);
    if (type === 'node.reported') expect(event.report.gaps.filter(({ kind }) => kind === 'pending')).toEqual([]);
  }
}

/** A critical finding that a child of the root has ended with stands in every interim from then on. */
export function expectCriticalsStand(events: readonly RunEvent[]): void {
  const criticals = new Set<string>();
  for (const event of events) {
    if (event.type === 'synthesis.interim' && event.report) {
      const standing = new Set(event.report.escalations.map(({ id }) => id));
      expect([...criticals].filter((id) => !standing.has(id))).toEqual([]);
    }
    if (event.path.split('/').length !== 2) continue;
    const body =
      event.type === 'node.reported' ? event.report : event.type === 'node.failed' ? event.token.partial : undefined;
    for (const { id } of body?.escalations ?? []) criticals.add(id);
  }
}
