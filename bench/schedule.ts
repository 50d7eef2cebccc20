/**
 * How near a run comes to the shortest time its work allows, on the virtual clock: nothing here measures the machine.
 *  - 120 sources with seeded log-normal latencies, 3 domains of 40, one cap of 10, a synthesis per orchestrator.
 *  - bound = max(sum of latencies / cap, longest latency) + a domain's synthesis + the root's.
 *  - efficiency = bound / makespan: 1 is the best that any schedule could do.
 */
import {
  defineDomain,
  defineLeaf,
  defineScenario,
  memoryStore,
  run,
  type Child,
  type RunOptions,
  type Scenario,
  type Synthesizer,
} from 'espalier';
import { VirtualClock } from 'espalier/testing';
import { logNormal, uniform } from './random.ts';
import { median, quantile } from './statistics.ts';

const DOMAINS = 3;
const SOURCES = 120;
const CAP = 10;
const SIGMA = 0.8;
/** The mean is then 23.5 s: 120 of them one after another take 47 minutes. */
const MEDIAN_MS = 17_064;
const DOMAIN_SYNTHESIS_MS = 15_000;
const ROOT_SYNTHESIS_MS = 30_000;
/** How far a source is from its own median on another day. */
const DAILY_SIGMA = 0.3;

type Errand = { latencyMs: number; estimateMs?: number };
/** What the scenario says of its durations: the truth, nothing, or the truth times a log-normal error. */
type Knowledge = 'true' | 'none' | { sigma: number };

type Makespan = { makespanMs: number; boundMs: number; efficiency: number; peak: number };

export function errandsOf(seed: number, knowledge: Knowledge): Errand[] {
  const latency = logNormal(MEDIAN_MS, SIGMA, uniform(seed));
  const error = typeof knowledge === 'object' ? logNormal(1, knowledge.sigma, uniform(seed + 1_000_000)) : () => 1;
  return Array.from({ length: SOURCES }, () => {
    const latencyMs = Math.max(1, Math.round(latency()));
    return { latencyMs, estimateMs: knowledge === 'none' ? MEDIAN_MS : latencyMs * error() };
  });
}

type Form = 'three tiers' | 'one orchestrator';

/** The same sources on another day, of which the scenario says nothing. */
function onDay(day: number, sources: readonly Errand[], seed: number): Errand[] {
  const mood = logNormal(1, DAILY_SIGMA, uniform(seed + day * 2_000_000));
  return sources.map(({ latencyMs }) => ({ latencyMs: Math.max(1, Math.round(latencyMs * mood())) }));
}

/** Two days of one scenario without estimates: the second run knows what the first one took. */
export async function firstAndSecond(seed: number): Promise<[first: Makespan, second: Makespan]> {
  const store = memoryStore();
  const sources = errandsOf(seed, 'none');
  const first = await makespanOf(onDay(1, sources, seed), 'three tiers', CAP, { store });
  const second = await makespanOf(onDay(2, sources, seed), 'three tiers', CAP, { store });
  return [first, second];
}

/** Runs the errands in virtual time, and measures how long that took there. */
export async function makespanOf(
  errands: readonly Errand[],
  form: Form,
  cap: number,
  options: Pick<RunOptions, 'store'> = {},
): Promise<Makespan> {
  const clock = new VirtualClock();
  let [atWork, peak] = [0, 0];
  const leaves = errands.map(({ latencyMs, estimateMs }, i) =>
    defineLeaf({
      name: `source-${i}`,
      ...(estimateMs !== undefined && { estimate: estimateMs }),
      run: async () => {
        peak = Math.max(peak, ++atWork);
        await clock.sleep(latencyMs);
        atWork--;
        return { statement: `source ${i} answered` };
      },
    }),
  );
  const outcome = await clock.run(run(scenarioOf(leaves, form, cap, clock), { ...options, clock }));
  if (outcome.status !== 'complete')
    throw new Error(`the run is ${outcome.status}: ${JSON.stringify(outcome.gaps[0])}`);
  const makespanMs = clock.now();
  const latencies = errands.map((errand) => errand.latencyMs);
  const sum = latencies.reduce((a, b) => a + b, 0);
  const synthesisMs = form === 'three tiers' ? DOMAIN_SYNTHESIS_MS + ROOT_SYNTHESIS_MS : ROOT_SYNTHESIS_MS;
  const boundMs = Math.max(sum / cap, ...latencies) + synthesisMs;
  return { makespanMs, boundMs, efficiency: boundMs / makespanMs, peak };
}

function scenarioOf(leaves: readonly Child[], form: Form, cap: number, clock: VirtualClock): Scenario {
  const width = leaves.length / DOMAINS;
  const domains = Array.from({ length: DOMAINS }, (_, i) =>
    defineDomain({
      name: `domain-${i}`,
      charter: 'a third of the sources',
      children: leaves.slice(i * width, (i + 1) * width),
      synthesize: keepingAll(clock, DOMAIN_SYNTHESIS_MS),
    }),
  );
  return defineScenario({
    name: 'schedule',
    thesis: 'the work is done as soon as it can be',
    domains: form === 'three tiers' ? domains : leaves,
    limits: { concurrency: cap, deadline: '24h' }, // far off: no deadline and no lease shortens what is measured
    synthesize: keepingAll(clock, ROOT_SYNTHESIS_MS),
  });
}

const keepingAll =
  (clock: VirtualClock, ms: number): Synthesizer =>
  async ({ children }) => {
    await clock.sleep(ms);
    const findings = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
    return { narrative: '', dispositions: findings.map(({ id }) => ({ id, as: 'kept' })) };
  };

export type ScheduleFigures = {
  seeds: number;
  /** Efficiency by what the scenario knows of its durations: median and 5th percentile. */
  efficiency: Record<string, { median: number; p5: number }>;
  /** Median makespans in minutes, and how many times faster than one after another. */
  makespans: Record<string, { minutes: number; timesFaster: number }>;
};

export async function measureSchedule(seeds: number, note: (text: string) => void): Promise<ScheduleFigures> {
  const all = Array.from({ length: seeds }, (_, seed) => seed);
  const over = async (knowledge: Knowledge, form: Form = 'three tiers', cap = CAP): Promise<Makespan[]> => {
    const results: Makespan[] = [];
    for (const seed of all) results.push(await makespanOf(errandsOf(seed, knowledge), form, cap));
    return results;
  };
  const spread = (runs: readonly Makespan[]) => {
    const efficiencies = runs.map(({ efficiency }) => efficiency);
    return { median: median(efficiencies), p5: quantile(efficiencies, 0.05) };
  };
  const minutesOf = (runs: readonly Makespan[]): number => median(runs.map(({ makespanMs }) => makespanMs)) / 60_000;
  note(`schedules over ${seeds} seeds`);
  const days: [first: Makespan, second: Makespan][] = [];
  for (const seed of all) days.push(await firstAndSecond(seed));
  const known = await over('true');
  const flat = await over('true', 'one orchestrator');
  const sequential = await over('true', 'one orchestrator', 1);
  const [least, single, slowest] = [known, flat, sequential].map(minutesOf) as [number, number, number];
  return {
    seeds,
    efficiency: {
      'true durations': spread(known),
      'no estimates': spread(await over('none')),
      'estimates off by σ 0.3': spread(await over({ sigma: 0.3 })),
      'estimates off by σ 0.6': spread(await over({ sigma: 0.6 })),
      'learned: first run': spread(days.map(([first]) => first)),
      'learned: second run': spread(days.map(([, second]) => second)),
    },
    makespans: {
      'three tiers, cap 10': { minutes: least, timesFaster: slowest / least },
      'one orchestrator, cap 10': { minutes: single, timesFaster: slowest / single },
      'one after another': { minutes: slowest, timesFaster: 1 },
    },
  };
}
