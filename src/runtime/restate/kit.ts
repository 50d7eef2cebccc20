/** What a worker keeps of the runs it serves: definitions by path, activities, loads in progress. */
import { createActivities } from '../../activities/create-activities.ts';
import { identifyIn, type Identify } from '../../activities/identity.ts';
import { registryOf, type Registry } from '../../activities/registry.ts';
import { openTools } from '../../activities/open-tools.ts';
import { adopt } from '../../activities/sub-domains.ts';
import { withHooks } from '../../activities/with-hooks.ts';
import { withinSpans } from '../../activities/within-spans.ts';
import { modelsOf } from '../../define/models.ts';
import type { Scenario } from '../../define/spec.ts';
import { EspalierError } from '../../errors.ts';
import type { Activities } from '../../ports/activities.ts';
import type { Artifacts } from '../../ports/artifacts.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { createSlots } from '../slots.ts';
import { harmless } from '../open-run.ts';
import { systemClock } from '../system-clock.ts';
import { withDecided } from '../with-decided.ts';
import type { Made, Foreknowledge, RunSpec } from './wire.ts';

export type Kit = {
  readonly registry: Registry;
  /** How many were declared. Those that decisions make are not among them: which of them a worker knows of is chance. */
  readonly orchestrators: number;
  readonly activities: Activities;
  readonly identify: Identify | undefined;
  readonly learned: ReadonlyMap<string, string[]>;
  /** Whether anybody checks what the leaf at this path found. */
  verifies(path: string): boolean;
  /** Whether the leaf's author says what its next attempt is told. */
  recovers(path: string): boolean;
  /** Makes known what decisions have made. */
  adopt(made: readonly Made[]): void;
  /** The trace context of the node's span, or else of the run's. */
  traceparentOf(path: string): string | undefined;
  /** Closes what its leaves have opened, such as servers of tools. */
  close(): void;
};
export type KitOptions = {
  artifacts?: Artifacts | undefined;
  telemetry?: Telemetry | undefined;
};
/** Of which nothing has been asked for so long a worker keeps nothing. It is made again when it is. */
const IDLE_MS = 10 * 60_000;

/** Kits by run. `foreknowledge`: what earlier runs have taught; those who plan have it, leaves do without. */
export class Kits {
  readonly #scenario: Scenario;
  readonly #options: KitOptions;
  readonly #kits = new Map<string, { kit: Kit; idle: NodeJS.Timeout; uses: number }>();

  constructor(scenario: Scenario, options: KitOptions) {
    this.#scenario = scenario;
    this.#options = options;
  }

  /** Of a run, for as long as `work` goes on, and a while beyond. */
  async using<Answer>(
    spec: RunSpec,
    foreknowledge: Foreknowledge | undefined,
    work: (kit: Kit) => Promise<Answer>,
  ): Promise<Answer> {
    const key = `${foreknowledge ? 'with' : 'without'} foreknowledge ${spec.runId}`;
    let kept = this.#kits.get(key);
    if (!kept) {
      const idle = setTimeout(() => this.#forget(key), IDLE_MS).unref();
      this.#kits.set(key, (kept = { kit: kitFor(this.#scenario, spec, foreknowledge, this.#options), idle, uses: 0 }));
    }
    kept.uses++;
    try {
      return await work(kept.kit);
    } finally {
      kept.uses--;
      kept.idle.refresh();
    }
  }
  #forget(key: string): void {
    const kept = this.#kits.get(key);
    if (kept && kept.uses > 0) kept.idle.refresh();
    else {
      this.#kits.delete(key);
      kept?.kit.close();
    }
  }
}

function kitFor(scenario: Scenario, spec: RunSpec, foreknowledge: Foreknowledge | undefined, options: KitOptions): Kit {
  const { runId, thesis, limits, domains, isStored, policy, traceparent } = spec;
  const { artifacts = NO_PLACE } = options;
  const telemetry = options.telemetry && harmless(options.telemetry);
  const history = new Map(foreknowledge?.durations);
  const models = scenario.models && modelsOf(scenario.models, policy);
  const registry = registryOf(scenario, thesis, { concurrency: limits.concurrency, models, history });
  const tools = openTools(scenario.tools);
  // Of this process alone: how many loads of one server are at work. The slots of leaves are the run's.
  const loads = createSlots(systemClock, limits.concurrency, limits.deadlineMs, { pools: limits.pools });
  const own = createActivities(scenario, {
    tools,
    registry,
    domains,
    clock: systemClock,
    artifacts,
    slots: loads,
    models,
  });
  const activities = withinSpans(
    withHooks(foreknowledge?.decided ? withDecided(own, foreknowledge.decided) : own, scenario.hooks, systemClock),
    telemetry,
  );
  const leafAt = (path: string) => {
    const definition = registry.get(path)?.definition;
    return definition?.kind === 'leaf' ? definition : undefined;
  };
  return {
    registry,
    orchestrators: [...registry.values()].filter(({ definition }) => definition.kind !== 'leaf').length,
    activities,
    identify: isStored && identifyIn(registry, domains),
    learned: new Map(foreknowledge?.learned),
    verifies: (path) => leafAt(path)?.verify !== undefined || scenario.hooks?.taskCompleted !== undefined,
    recovers: (path) => leafAt(path)?.recover !== undefined,
    adopt(made) {
      for (const { path, stages } of made) {
        const isKnown = stages.flat().every(({ name, members }) => !members || registry.has(`${path}/${name}`));
        if (!isKnown) adopt(registry, registry.get(path), { stages: stages.map((stage) => [...stage]) });
      }
    },
    traceparentOf: (path) => traceparent && (telemetry?.traceparentFor?.(traceparent, runId, path) ?? traceparent),
    close: () => void tools.close(),
  };
}

const NO_PLACE: Artifacts = {
  keep() {
    throw new EspalierError(
      'invalid-definition',
      'This worker has no place for artifacts that all workers share. Give it one: services(scenario, { artifacts: artifactFolder(FOLDER) }).',
    );
  },
  bytes: () => undefined,
};
