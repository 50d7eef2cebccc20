/**
 * Runs a scenario once to see what its nodes read: which reports of siblings, which series. It executes the scenario's
 * own code, sources and all, on virtual time: time stands still while that code is at work, so nobody is late for
 * being slow, and a run that waits for nothing waits no time.
 */
import type { Domain, Leaf, LeafContext, LeafRun, Scenario, Synthesizer } from '../define/spec.ts';
import type { Observed, Reads } from '../check/facts.ts';
import { keeperOf } from '../activities/artifact-shelf.ts';
import type { Activities } from '../ports/activities.ts';
import { childPath, nameOf, parentOf, ROOT } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import { start } from '../runtime/in-process/start.ts';
import type { RunOptions } from '../runtime/run.ts';
import { scripted } from './scripted.ts';
import { VirtualClock } from './virtual-clock.ts';

export type ObserveOptions = Pick<
  RunOptions,
  'asOf' | 'thesis' | 'deadline' | 'maxDepth' | 'concurrency' | 'domains'
> & {
  /** How long the code at work may take, in ms of real time, before time goes on without it. Default: 30 s. */
  patienceMs?: number;
};
type Noted = { prior: Set<string>; sources: Set<string>; isWhole: boolean };

/**
 * Observes what each node reads in one run. Give the result to `check` as `observed`.
 * @throws EspalierError `invalid-input` on an option that cannot be read
 */
export async function observeReads(scenario: Scenario, options: ObserveOptions = {}): Promise<Observed> {
  const { patienceMs = 30_000, ...rest } = options;
  const notes = new Map<string, Noted>();
  const noteOf = (path: string): Noted => {
    const note = notes.get(path) ?? { prior: new Set<string>(), sources: new Set<string>(), isWhole: false };
    notes.set(path, note);
    return note;
  };
  const clock = new VirtualClock();
  const work = workWatch();
  const observed = scripted(scenario, observingScript(scenario, noteOf));
  const { result } = start(observed, { ...rest, clock, activities: work.activities });
  await ended(result, clock, work, patienceMs);
  // A note goes on being written by code that outlives its run.
  return new Map(
    [...notes].map(([path, { prior, sources, isWhole }]): [string, Reads] => [
      path,
      { prior: new Set(prior), sources: new Set(sources), isWhole },
    ]),
  );
}

type NoteOf = (path: string) => Noted;
type Observing = { runs: Record<string, LeafRun<unknown>>; syntheses: Record<string, Synthesizer> };

/** Every function of the scenario's own, in an observed context. */
function observingScript(scenario: Scenario, noteOf: NoteOf): Observing {
  const script: Observing = { runs: {}, syntheses: {} };
  const visit = (path: string, definition: Leaf | Domain | Scenario): void => {
    const needs = definition.kind === 'scenario' ? [] : (definition.needs ?? []);
    if (definition.kind === 'leaf') {
      script.runs[path] = observedRun(definition.run, needs, () => noteOf(path));
      return;
    }
    const { execute, synthesize } = definition;
    if (execute) script.runs[path] = observedRun(execute, needs, () => noteOf(path));
    if (synthesize) script.syntheses[path] = observedSynthesizer(synthesize, needs, () => noteOf(path));
    for (const child of definition.stages.flat()) visit(childPath(path, child.name), child);
  };
  visit(ROOT, scenario);
  return script;
}

function observedRun(run: LeafRun<unknown>, needs: readonly string[], note: () => Noted): LeafRun<unknown> {
  return async (context) => {
    const noted = note();
    const result = await run(observedContext(context, needs, noted));
    const drafts: readonly unknown[] = Array.isArray(result) ? result : [result];
    if (!drafts.some(isGap)) noted.isWhole = true;
    return result;
  };
}

const isGap = (draft: unknown): boolean => typeof draft === 'object' && draft !== null && 'gap' in draft;

function observedSynthesizer(synthesize: Synthesizer, needs: readonly string[], note: () => Noted): Synthesizer {
  return async (context) => {
    const noted = note();
    const draft = await synthesize({ ...context, task: observedTask(context.task, needs, noted) });
    noted.isWhole = true;
    return draft;
  };
}

function observedContext(context: LeafContext, needs: readonly string[], { prior, sources }: Noted): LeafContext {
  const { path } = context.task;
  /** Of a sibling by its name, however it was named; not what a node keeps for itself. */
  const note = (whose: string): void => {
    if (whose !== '' && whose !== path) prior.add(parentOf(whose) === parentOf(path) ? nameOf(whose) : whose);
  };
  return {
    attempt: context.attempt,
    report: context.report,
    gap: context.gap,
    spawn: context.spawn,
    alert: context.alert,
    get tools() {
      return context.tools;
    },
    get abortSignal() {
      return context.abortSignal;
    },
    get budget() {
      return context.budget;
    },
    get model() {
      return context.model;
    },
    get task() {
      return observedTask(context.task, needs, { prior });
    },
    sources: {
      series(id, options) {
        sources.add(id);
        return context.sources.series(id, options);
      },
    },
    artifacts: {
      keep: (name, content) => context.artifacts.keep(name, content),
      read(ref) {
        note(keeperOf(ref));
        return context.artifacts.read(ref);
      },
    },
    prior(name) {
      note(name);
      return context.prior(name);
    },
    need(name) {
      note(name);
      return context.need(name);
    },
  };
}

/** Whoever takes the list of reports is taken to read them all. */
const observedTask = (task: Task, needs: readonly string[], { prior }: Pick<Noted, 'prior'>): Task => ({
  ...task,
  get prior() {
    for (const name of needs) prior.add(name);
    return task.prior;
  },
});

type WorkWatch = {
  activities: (own: Activities) => Activities;
  /** Resolves when an attempt or a synthesis next begins or ends. */
  turn: () => Promise<void>;
};

function workWatch(): WorkWatch {
  let next = Promise.withResolvers<void>();
  const turned = (): void => {
    next.resolve();
    next = Promise.withResolvers();
  };
  const watched = async <T>(step: () => Promise<T>): Promise<T> => {
    turned();
    try {
      return await step();
    } finally {
      turned();
    }
  };
  return {
    activities: (own) => ({
      ...own,
      synthesize: (input, io) => watched(() => own.synthesize(input, io)),
      attempt: (input, io) => watched(() => own.attempt(input, io)),
    }),
    turn: () => next.promise,
  };
}

/** Lets time pass only when nothing has begun or ended for as long as patience lasts: then somebody hangs. */
async function ended(
  result: Promise<unknown>,
  clock: VirtualClock,
  work: WorkWatch,
  patienceMs: number,
): Promise<void> {
  const over = result.then(() => 'over' as const);
  const next = (): Promise<'over' | 'turn'> => Promise.race([over, work.turn().then(() => 'turn' as const)]);
  for (let last = await within(patienceMs, next(), 'late' as const); last !== 'over';) {
    last = last === 'late' ? await clock.run(next()) : await within(patienceMs, next(), 'late' as const);
  }
}

async function within<T, Late>(ms: number, promise: Promise<T>, late: Late): Promise<T | Late> {
  const patience = Promise.withResolvers<Late>();
  const timer = setTimeout(() => patience.resolve(late), ms);
  try {
    return await Promise.race([promise, patience.promise]);
  } finally {
    clearTimeout(timer);
  }
}
