/** Runs that end before they are done, and go on in another world: a store is all that they share. */
import { expect } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import type { Scenario } from '../../src/define/spec.ts';
import type { Store } from '../../src/ports/store.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import type { RunOutcome } from '../../src/runtime/run.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { world, type World, type WorldOptions } from './world.ts';

export type Interrupted = {
  readonly store: Store;
  /** The world before the interruption. */
  readonly first: World;
  /** Paths that had ended by themselves until then. */
  readonly ended: ReadonlySet<string>;
};
export type Latency = (path: string) => number;
const TEN_MS: Latency = () => 10;

/** A world whose attempts take as long as `latency` says before their own work begins. */
export function slowWorld(scenario: Scenario, latency: Latency = TEN_MS, options: WorldOptions = {}): World {
  const clock = new VirtualClock();
  return world(
    scenario,
    (own) => ({
      async attempt(input, io) {
        await clock.sleep(latency(input.task.path), io.abortSignal);
        return own.attempt(input, io);
      },
    }),
    { ...options, clock },
  );
}

/** Runs until `ms`, and dies there as a process would: nothing is delivered. */
export async function interruptedAt(
  ms: number,
  scenario: Scenario,
  latency: Latency = TEN_MS,
  options: WorldOptions = {},
): Promise<Interrupted> {
  const store = options.store ?? memoryStore();
  const first = slowWorld(scenario, latency, { store, ...options });
  const handle = first.start();
  first.clock.setTimeout(() => handle.stop(), ms);
  await expect(first.clock.run(handle.result)).rejects.toMatchObject({ code: 'stopped' });
  return { store, first, ended: endedIn(first.events) };
}

const endedIn = (events: readonly RunEvent[]): Set<string> =>
  new Set(events.flatMap(({ type, path }) => (type === 'node.reported' || type === 'node.failed' ? [path] : [])));

/** Goes on with an interrupted run. */
export async function resumed(
  { store }: Pick<Interrupted, 'store'>,
  scenario: Scenario,
  latency: Latency = TEN_MS,
  options: WorldOptions = {},
): Promise<{ second: World; outcome: RunOutcome }> {
  const second = slowWorld(scenario, latency, { store, resume: 'run', ...options });
  return { second, outcome: await second.run() };
}

/** The paths that a step was asked of. */
export const askedFor = (step: 'plan' | 'attempt' | 'synthesize', { calls }: World): string[] =>
  calls.flatMap((call) => (call.startsWith(`${step} `) ? [call.slice(step.length + 1)] : []));
