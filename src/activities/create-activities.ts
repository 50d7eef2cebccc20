import type { Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { Activities, Io } from '../ports/activities.ts';
import type { Artifacts } from '../ports/artifacts.ts';
import type { Slots } from '../ports/slots.ts';
import { deepFreeze, NONE } from '../protocol/freeze.ts';
import { ROOT } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import { execute } from './execute.ts';
import { staticDecision } from './plan.ts';
import { withinPools } from './pooled-loads.ts';
import { lengthOf, type Entry } from './registry.ts';
import type { SharedReads } from './shared-reads.ts';
import type { SeriesCache } from './source-reader.ts';
import { synthesize } from './synthesize.ts';

export type ActivityOptions = {
  registry: ReadonlyMap<string, Entry>;
  domains?: readonly string[] | undefined;
  /** Default: in memory, for as long as the run lasts. */
  artifacts?: Artifacts | undefined;
  shared?: SharedReads | undefined;
  /** Caps the loads of sources. Default: nothing does. */
  slots?: Slots;
};
const DEFAULT_ATTEMPTS = 3;

/** The steps with effects of one run of a scenario. Reads are shared within the run. */
export function createActivities(
  scenario: Scenario,
  { registry, domains, artifacts = inMemory(), shared, slots }: ActivityOptions,
): Activities {
  const cache: SeriesCache = new Map();
  const areOthersMeasured = (registry.get(ROOT)?.measured ?? 0) > 0;
  const adapter = scenario.sources && slots ? withinPools(scenario.sources, slots) : scenario.sources;
  const entryOf = (path: string): Entry => {
    const entry = registry.get(path);
    if (!entry) throw new EspalierError('host-fault', `Nothing is defined at ${path}.`);
    return entry;
  };
  const leafOf = (path: string) => {
    const { definition } = entryOf(path);
    return definition.kind === 'leaf' ? definition : undefined;
  };
  const shown = (task: Task, { abortSignal, budget }: Io) => ({ task: deepFreeze(task), abortSignal, budget });
  return {
    plan: async ({ task }) => staticDecision(registry, task.path, domains),
    synthesize: async (input, io) => synthesize(input, io, { entry: entryOf(input.task.path), artifacts }),
    attempt: async (input, io) =>
      execute(input, io, { entry: entryOf(input.task.path), adapter, cache, artifacts, shared }),
    verify({ task }, findings, io) {
      const check = leafOf(task.path)?.verify;
      return check && (async () => check(findings, shown(task, io)))();
    },
    recover({ task }, fault, io) {
      const diagnose = leafOf(task.path)?.recover;
      return diagnose && (async () => diagnose(fault, shown(task, io)))();
    },
    attemptsOf: (path) => leafOf(path)?.attempts ?? DEFAULT_ATTEMPTS,
    estimateOf: (path) => lengthOf(entryOf(path), areOthersMeasured),
    poolsOf: (path) => registry.get(path)?.pools ?? NONE,
  };
}

function inMemory(): Artifacts {
  const bytesBySum = new Map<string, Uint8Array>();
  return { keep: (sha256, bytes) => void bytesBySum.set(sha256, bytes), bytes: (sha256) => bytesBySum.get(sha256) };
}
