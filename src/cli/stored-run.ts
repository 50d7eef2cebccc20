/** What the command line says of a stored run, whichever command asks. */
import { existsSync } from 'node:fs';
import { EspalierError } from '../errors.ts';
import type { Store, StoredNode, StoredRun } from '../ports/store.ts';
import { ROOT } from '../protocol/path.ts';
import type { RunEvent } from '../protocol/run-event.ts';
import { openStore, runIdOf, type StoreFlags } from './open-store.ts';
import { readEvent } from '../runtime/record/reading.ts';
import { lastInstantOf } from '../runtime/record/review.ts';
import { isWorkedOn, stateOf, type ShownState } from './shown-state.ts';

/** The store, if there is one yet: asking must not make one. @throws EspalierError `store-fault` */
export async function openExisting(flags: StoreFlags): Promise<Store | undefined> {
  return isThere(flags) ? openStore(flags) : undefined;
}
const isThere = ({ store }: StoreFlags): boolean => typeof store === 'string' && existsSync(store);

/** @throws EspalierError `unknown-run` */
export async function openRun(given: string, flags: StoreFlags): Promise<{ store: Store; run: StoredRun }> {
  const store = await openExisting(flags);
  const unknown = (): EspalierError =>
    new EspalierError(
      'unknown-run',
      `There is no run "${given}": no store ${String(flags.store)} yet. Run a scenario first.`,
    );
  if (!store) throw unknown();
  try {
    const run = store.run(runIdOf(store, given));
    if (!run) throw unknown();
    return { store, run };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** What happened, in its order. @throws EspalierError `store-fault` at an event that is damaged */
export function* eventsOf(store: Store, runId: string): Iterable<RunEvent> {
  for (const { body } of store.events(runId)) {
    const event = readEvent(body);
    if (!event) throw damagedEvent();
    yield event;
  }
}
export const damagedEvent = (cause?: unknown): EspalierError =>
  new EspalierError('store-fault', 'An event of the run is damaged in its store. "espalier verify" says which.', {
    cause,
  });

/** What it was known as of: also where the scenario said it, and not the command. */
export function asOfOf(store: Store, { runId, options }: StoredRun): string | undefined {
  if (options.asOf !== undefined) return options.asOf;
  const first = store.event(runId, 0);
  const event = first && readEvent(first.body);
  return event?.type === 'run.started' ? event.asOf : undefined;
}
/** Until when a run is known to have gone on: now, or the last sign of life of whoever worked on it. */
export function lastKnown(run: StoredRun, nodes: readonly StoredNode[], now: number): number {
  if (isWorkedOn(run)) return now;
  return Math.max(lastInstantOf(nodes), run.state === 'running' ? (run.claim?.renewedAt ?? 0) : 0);
}

/** How long its root took since it was last taken up; undefined while it has not ended. */
export const tookOf = (root: StoredNode | undefined): number | undefined =>
  root?.endedAt === undefined ? undefined : Math.max(0, root.endedAt - root.startedAt);

/** What it was given when it was last taken up, in ms. */
export function givenOf(store: Store, { runId, options }: StoredRun): number {
  let given = options.deadlineMs;
  for (const { body } of store.events(runId, { types: ['run.started'] })) {
    const event = readEvent(body);
    if (event?.type === 'run.started') given = event.deadline - event.at;
  }
  return given;
}

/** One line's worth of a run. */
export type RunLine = {
  runId: string;
  scenario: string;
  thesis: string;
  asOf?: string;
  state: ShownState;
  startedAt: number;
  endedAt?: number;
  tookMs?: number;
  leaves?: number;
  criticals?: number;
};
export function runLineOf(store: Store, run: StoredRun): RunLine {
  const { runId, scenario, thesis, startedAt, endedAt } = run;
  const asOf = asOfOf(store, run);
  const root = store.node(runId, ROOT);
  const tookMs = tookOf(root);
  const leaves = root?.usage?.subtree.leaves;
  return {
    runId,
    scenario,
    thesis,
    ...(asOf !== undefined && { asOf }),
    state: stateOf(run),
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(tookMs !== undefined && { tookMs }),
    ...(leaves !== undefined && { leaves }),
    ...(root?.endedAt !== undefined && { criticals: root.criticals }),
  };
}
