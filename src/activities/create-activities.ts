import { hedgeAfter, mayRunTwice } from '../define/hedge.ts';
import type { Models } from '../define/models.ts';
import type { ModelWork } from '../ports/model.ts';
import type { HedgeLimit, Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { Activities, Io } from '../ports/activities.ts';
import type { Artifacts } from '../ports/artifacts.ts';
import type { Model } from '../ports/asking.ts';
import type { Clock } from '../ports/clock.ts';
import type { Slots } from '../ports/slots.ts';
import type { Decision } from '../protocol/decision.ts';
import { deepFreeze, NONE } from '../protocol/freeze.ts';
import { ROOT } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import { depthIsSpent } from '../tier/grant.ts';
import { modelFor, type Asking } from './ask-model.ts';
import { answerOf, decisionAsDeclared, decisionFrom, within, type Asked } from './decide.ts';
import { execute, workOf } from './execute.ts';
import { openTools, type OpenTools } from './open-tools.ts';
import { patiently } from './patience.ts';
import { leftOut, orchestratorAt, staticDecision } from './plan.ts';
import { withinPools } from './pooled-loads.ts';
import { lengthOf, type Entry, type Registry } from './registry.ts';
import { assessRelevance } from './relevance.ts';
import { mayGrow, nextRound } from './rounds.ts';
import { childrenOf } from './sub-domains.ts';
import type { SharedReads } from './shared-reads.ts';
import type { SeriesCache } from './source-reader.ts';
import { synthesize } from './synthesize.ts';

export type ActivityOptions = {
  registry: Registry;
  domains?: readonly string[] | undefined;
  /** Default: in memory, for as long as the run lasts. */
  artifacts?: Artifacts | undefined;
  shared?: SharedReads | undefined;
  /** Default: none is open, none can be opened. */
  tools?: OpenTools;
  /** Caps the loads of sources. Default: nothing does. */
  slots?: Slots;
  /** When stragglers are hedged. Default: never. */
  hedge?: HedgeLimit | undefined;
  /** Limits how long deciders are waited for. Default: they are waited for as long as the plan may take. */
  clock?: Clock;
  /** Default: none, and whoever asks a model fails. */
  models?: Models | undefined;
  /** 0 … 1, for back-offs. Default: `Math.random`. */
  random?: () => number;
};
const DEFAULT_ATTEMPTS = 3;

/** The steps with effects of one run of a scenario. Reads are shared within the run. */
export function createActivities(scenario: Scenario, options: ActivityOptions): Activities {
  const { registry, domains, clock, artifacts = inMemory(), shared, slots, models, random = Math.random } = options;
  const { tools = openTools(), hedge } = options;
  const asking: Asking | undefined = models && { models, slots, clock, random };
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
  const shown = (task: Task, io: Io, work?: ModelWork) => ({
    task: deepFreeze(task),
    abortSignal: io.abortSignal,
    budget: io.budget,
    get model(): Model {
      const { path, enrichments: lessons, grant } = task;
      const own = work ?? workOf(entryOf(path));
      const { deadline } = grant;
      return modelFor(asking, { path, deadline, work: own, io, pools: [], isAttempt: false, lessons }); // its slot is given back
    },
  });
  const decided = async (given: Asked, deadline: number): Promise<Decision> => {
    const { decide, relevance } = given.entry.definition;
    const assessed = relevance && (await assessRelevance(given, relevance, { adapter, cache, clock, deadline }));
    const asked = assessed ? { ...given, skips: assessed.skips } : given;
    const decision = decide
      ? decisionFrom(
          asked,
          await patiently((signal) => answerOf(within(asked, signal)), {
            clock,
            deadline,
            abortSignal: given.io.abortSignal,
          }),
        )
      : { ...decisionAsDeclared(asked), ...(assessed && { by: 'relevance' }) };
    const reasons = [...(assessed?.reasons ?? []), ...(decision.reasons ?? [])];
    return reasons.length > 0 ? { ...decision, reasons } : decision;
  };
  return {
    async plan({ task, deadline, again }, io) {
      const entry = orchestratorAt(registry, task.path);
      const { decide, relevance } = entry.definition;
      const { memory } = scenario;
      const asked = { registry, entry, task, skips: leftOut(task.path, domains), memory, io, asking };
      if (again) return asTheTaskAsks(await nextRound(asked, again, clock), entry, task);
      if (depthIsSpent(task.grant)) return staticDecision(registry, task.path, domains);
      const decision =
        decide || relevance ? await decided(asked, deadline) : staticDecision(registry, task.path, domains);
      const put = asTheTaskAsks(decision, entry, task);
      return mayGrow(asked, put) ? { ...put, mayGrow: true } : put;
    },
    synthesize: async (input, io) => synthesize(input, io, { entry: entryOf(input.task.path), artifacts, asking }),
    attempt: async (input, io) =>
      execute(input, io, { entry: entryOf(input.task.path), adapter, cache, artifacts, shared, tools, asking }),
    verify({ task }, findings, io) {
      const check = leafOf(task.path)?.verify;
      return check && (async () => check(findings, shown(task, io)))();
    },
    recover({ task }, fault, io) {
      const diagnose = leafOf(task.path)?.recover;
      return diagnose && (async () => diagnose(fault, shown(task, io, 'recovery')))();
    },
    attemptsOf: (path) => leafOf(path)?.attempts ?? DEFAULT_ATTEMPTS,
    estimateOf: (path) => lengthOf(entryOf(path), areOthersMeasured),
    hedgeAfterOf(path) {
      const leaf = hedge && leafOf(path);
      if (!leaf || !mayRunTwice(leaf)) return undefined;
      const { estimateMs, estimateFrom } = entryOf(path);
      return hedgeAfter(hedge, estimateFrom === 'nobody' ? undefined : estimateMs);
    },
    poolsOf: (path) => registry.get(path)?.pools ?? NONE,
  };
}

/** Children without a question of their own are asked what this node was asked, which may not be what was declared. */
function asTheTaskAsks(decision: Decision, { definition, question }: Entry, task: Task): Decision {
  if (definition.kind === 'leaf' || task.question === question) return decision;
  const own = new Map(childrenOf(definition).map((child) => [child.name, child.question]));
  const stages = decision.stages.map((stage) =>
    stage.map((child) =>
      child.question === question && own.get(child.name) === undefined ? { ...child, question: task.question } : child,
    ),
  );
  return { ...decision, stages };
}

function inMemory(): Artifacts {
  const bytesBySum = new Map<string, Uint8Array>();
  return { keep: (sha256, bytes) => void bytesBySum.set(sha256, bytes), bytes: (sha256) => bytesBySum.get(sha256) };
}
