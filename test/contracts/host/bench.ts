/** What the cases of the host contract stand on: any host, given as functions, on real time. */
import { expect } from 'vitest';
import { defineDomain } from '../../../src/define/define-domain.ts';
import { defineLeaf } from '../../../src/define/define-leaf.ts';
import { defineScenario } from '../../../src/define/define-scenario.ts';
import type { Child, DomainSpec, LeafSpec, Scenario, ScenarioSpec } from '../../../src/define/spec.ts';
import type { FindingDraft } from '../../../src/protocol/finding.ts';
import type { FailureToken, Report } from '../../../src/protocol/report.ts';
import type { RunEvent, RunEventType } from '../../../src/protocol/run-event.ts';
import type { RunHandle, RunOptions, RunOutcome } from '../../../src/runtime/run.ts';

/** A host under test. `start` makes whatever the scenario needs to be performed there, and starts it. */
export type HostUnderTest = {
  start(scenario: Scenario, options: RunOptions): Promise<RunHandle>;
  /** What is still open once the runs are over: nothing may be. */
  leftovers(): Promise<readonly unknown[]>;
};
export type OpenHost = () => HostUnderTest;

export type Performed = RunOutcome & { events: RunEvent[] } & Asked;
type Asked = {
  eventsOf<Type extends RunEventType>(type: Type): Extract<RunEvent, { type: Type }>[];
  endOf(path: string): Report | FailureToken | undefined;
};
export type Running = { handle: RunHandle; events: RunEvent[]; done: Promise<Performed> } & Asked;

const asked = (events: readonly RunEvent[]): Asked => ({
  eventsOf: <Type extends RunEventType>(type: Type) =>
    events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type),
  endOf(path) {
    const end = events.findLast((event) => event.path === path && isEnd(event));
    return end?.type === 'node.reported' ? end.report : end?.type === 'node.failed' ? end.token : undefined;
  },
});
const isEnd = ({ type }: RunEvent): boolean => type === 'node.reported' || type === 'node.failed';

export async function started(host: HostUnderTest, scenario: Scenario, options: RunOptions = {}): Promise<Running> {
  const events: RunEvent[] = [];
  const handle = await host.start(scenario, {
    ...options,
    onEvent(event) {
      events.push(event);
      return options.onEvent?.(event);
    },
  });
  const done = handle.result.then((outcome) => ({ ...outcome, events, ...asked(events) }));
  done.catch(() => {});
  return { handle, events, done, ...asked(events) };
}

/** Runs it to its end, and checks what holds of every run. */
export async function performed(host: HostUnderTest, scenario: Scenario, options?: RunOptions): Promise<Performed> {
  const run = await (await started(host, scenario, options)).done;
  expectSound(run);
  return run;
}

export function expectSound({ events, brief }: Performed): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
  expect(events[0]?.type).toBe('run.started');
  expect(events.at(-1)?.type).toBe('run.completed');
  const starts = new Map<string, number>();
  const ends = new Map<string, number>();
  const said = new Map<string, number>();
  const escalated: string[] = [];
  for (const event of events) {
    if (event.type === 'node.started') starts.set(event.path, (starts.get(event.path) ?? 0) + 1);
    else if (event.path !== 'root' || event.type !== 'run.started') {
      if (event.type === 'attempt.started') expect(starts.has(event.path)).toBe(true);
    }
    if (isEnd(event)) ends.set(event.path, (ends.get(event.path) ?? 0) + 1);
    if (event.type === 'finding.reported') said.set(event.finding.id, (said.get(event.finding.id) ?? 0) + 1);
    if (event.type === 'finding.escalated') escalated.push(event.finding.id);
  }
  expect([...starts.values()].every((times) => times === 1)).toBe(true);
  expect([...said].filter(([, times]) => times > 1)).toEqual([]);
  expect(escalated.toSorted()).toEqual([...new Set(escalated)].toSorted());
  const inBrief = new Set(brief.escalations.map(({ id }) => id));
  expect(escalated.filter((id) => !inBrief.has(id))).toEqual([]);
  for (const path of ends.keys()) expect(starts.has(path)).toBe(true);
  expect(ends.get('root')).toBe(1);
}

export const said = (path: string, over: Partial<FindingDraft> = {}): FindingDraft => ({
  key: 'said',
  statement: `Said by ${path}`,
  stance: 0.5,
  confidence: 0.8,
  ...over,
});
export const ALARM = { critical: { rule: 'alarm', reason: 'it rings' } } as const;
export const never = (): Promise<never> => new Promise(() => {});
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const leaf = (name: string, over: Partial<LeafSpec> = {}) =>
  defineLeaf({ name, run: ({ task }) => said(task.path), ...over });
export const domain = (name: string, children: readonly Child[], over: Partial<DomainSpec> = {}) =>
  defineDomain({ name, charter: `domain ${name}`, children, ...over });

let scenarios = 0;
/** A scenario of a name that no other has, due in 20 s unless it says otherwise. */
export const scenarioOf = (domains: readonly Child[], over: Partial<ScenarioSpec> = {}): Scenario =>
  defineScenario({
    name: `case-${++scenarios}-${process.pid}`,
    thesis: 'It holds',
    domains,
    ...over,
    limits: { deadline: '20s', ...over.limits },
  });

export const pathsIn = ({ brief }: RunOutcome): string[] => brief.findings.map(({ path }) => path).toSorted();
