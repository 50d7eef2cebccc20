/** One attempt of a leaf, or of an orchestrator in place of its children: runs the author's code in its context. */
import { DEFAULT_WORK } from '../define/models.ts';
import type { Work } from '../ports/model.ts';
import type { LeafContext, LeafRun, SourceReader } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { AttemptInput, AttemptIo } from '../ports/activities.ts';
import type { Artifacts, ArtifactShelf } from '../ports/artifacts.ts';
import type { Model } from '../ports/asking.ts';
import type { Spending } from '../ports/budget.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import type { ToolShelf } from '../ports/tools.ts';
import type { GapDraft } from '../protocol/gap.ts';
import { misfitOf } from '../protocol/misfit.ts';
import { childPath, nameOf, parentOf } from '../protocol/path.ts';
import type { Artifact, Report } from '../protocol/report.ts';
import { deepFreeze, NONE } from '../protocol/freeze.ts';
import type { Task } from '../protocol/task.ts';
import { errorOf } from '../tier/fault.ts';
import { artifactShelf, keeperOf } from './artifact-shelf.ts';
import { modelFor, type Asking } from './ask-model.ts';
import type { Entry } from './registry.ts';
import type { OpenTools } from './open-tools.ts';
import type { SharedReads } from './shared-reads.ts';
import { createSourceReader, NoEvidence, type SeriesCache, type SourceReaderOptions } from './source-reader.ts';
import { toolShelf } from './tool-shelf.ts';

export type ExecuteWith = {
  entry: Entry;
  adapter: SourceAdapter | undefined;
  cache: SeriesCache;
  artifacts: Artifacts;
  tools: OpenTools;
  /** When undeclared reads are observed and not refused. */
  shared: SharedReads | undefined;
  asking: Asking | undefined;
};

export async function execute(input: AttemptInput, io: AttemptIo, given: ExecuteWith): Promise<unknown> {
  const { entry } = given;
  const run = runOf(entry);
  if (!run) return undoneChildren(entry);
  try {
    return withData(await run(new AttemptContext(input, io, given)), entry);
  } catch (error) {
    if (error instanceof NoEvidence) return { gap: 'insufficient', why: error.message } satisfies GapDraft;
    if (error instanceof UnmetNeed) return { gap: 'undone', why: error.message } satisfies GapDraft;
    throw error;
  }
}

/** A sibling that this node cannot do without left no report. */
class UnmetNeed extends Error {
  override readonly name = 'UnmetNeed';
}

type Lazy = 'task' | 'need' | 'sources' | 'tools' | 'artifacts' | 'abortSignal' | 'budget' | 'model';

/**
 * What an author's code is given. What is lazy is an own property, so that `{ ...context }` has it too, but by getters
 * that all contexts share: with closures of its own a context was the biggest object of a leaf.
 */
class AttemptContext implements LeafContext {
  declare readonly task: LeafContext['task'];
  declare readonly need: LeafContext['need'];
  declare readonly sources: SourceReader;
  declare readonly tools: ToolShelf;
  declare readonly artifacts: ArtifactShelf;
  declare readonly abortSignal: AbortSignal;
  declare readonly budget: Spending;
  readonly attempt: number;
  readonly report: LeafContext['report'];
  readonly gap = gapOf;
  readonly #task: Task;
  readonly #io: AttemptIo;
  readonly #given: ExecuteWith;
  #sources: SourceReader | undefined;
  #tools: ToolShelf | undefined;
  #artifacts: ArtifactShelf | undefined;
  #model: Model | undefined;

  constructor({ task, attempt }: AttemptInput, io: AttemptIo, given: ExecuteWith) {
    this.#task = task;
    this.#io = io;
    this.#given = given;
    this.attempt = attempt;
    this.report = io.report;
    for (const name of LAZY) Object.defineProperty(this, name, AttemptContext.#getters[name]);
    // In a run without models no leaf pays for one.
    if (given.asking) Object.defineProperty(this, 'model', AttemptContext.#getters.model);
  }

  get model(): Model {
    return (this.#model ??= this.#asked());
  }

  readonly prior: LeafContext['prior'] = (name) =>
    this.task.prior.find((report) => nameOf(report.path) === name) ?? this.#undeclared(name);

  readonly spawn: LeafContext['spawn'] = (name) => {
    const message = `${this.#task.path} tried to spawn "${name}"; only an orchestrator's own decision creates nodes`;
    this.#io.alert('spawn', message);
    throw new EspalierError('spawn-refused', `${message}. Make it a domain with children instead.`);
  };

  readonly alert: LeafContext['alert'] = (message) => this.#io.alert('authority', `${this.#task.path} ${message}`);

  static readonly #getters: Record<Lazy, PropertyDescriptor & ThisType<AttemptContext>> = {
    /** Frozen: it shares its grant with the parent's, and its prior reports with the brief. */
    task: {
      enumerable: true,
      get() {
        return deepFreeze(this.#task);
      },
    },
    need: {
      enumerable: true,
      get() {
        return (name: string) => this.#needed(name);
      },
    },
    sources: {
      enumerable: true,
      get() {
        return (this.#sources ??= this.#reader());
      },
    },
    tools: {
      enumerable: true,
      get() {
        return (this.#tools ??= this.#shelf());
      },
    },
    artifacts: {
      enumerable: true,
      get() {
        const { path, prior } = this.#task;
        return (this.#artifacts ??= artifactShelf(
          path,
          this.#given.artifacts,
          prior,
          (artifact) => this.#noteArtifact(artifact),
          (ref) => this.#undeclaredArtifact(ref),
        ));
      },
    },
    abortSignal: {
      enumerable: true,
      get() {
        return this.#io.abortSignal;
      },
    },
    budget: {
      enumerable: true,
      get() {
        return this.#io.budget;
      },
    },
    model: {
      enumerable: true,
      get() {
        return (this.#model ??= this.#asked());
      },
    },
  };

  #needed(name: string): Report {
    const report = this.prior(name);
    if (report) return report;
    if (this.#needs.includes(name)) throw new UnmetNeed(`it needs "${name}", which left no report`);
    const { path } = this.#task;
    throw new EspalierError(
      'invalid-definition',
      `${path} asked for need("${name}"), which is not among its needs. Add it there, or correct the name.`,
    );
  }

  get #needs(): readonly string[] {
    const { definition } = this.#given.entry;
    return definition.kind === 'scenario' ? NONE : (definition.needs ?? NONE);
  }

  /** A report that this node does not need: of a sibling by its name, of any other node by its path. */
  #undeclared(name: string): Report | undefined {
    if (this.#needs.includes(name)) return undefined; // it failed
    const { path } = this.#task;
    const on = name.includes('/') ? name : childPath(parentOf(path), name);
    const { shared } = this.#given;
    if (shared) this.#io.depend({ on, via: 'report' });
    else this.#io.alert('read', `${path} asked for the report of ${on}, which it does not need: it was given none`);
    return shared?.report(on);
  }

  #noteArtifact(artifact: Artifact): void {
    this.#given.shared?.noteArtifact(artifact);
    this.#io.kept(artifact);
  }

  /** Counted also when it is not kept yet: whether it was is chance. */
  #undeclaredArtifact(ref: string): Artifact | undefined {
    const { shared } = this.#given;
    const on = keeperOf(ref);
    if (shared && on !== '' && on !== this.#task.path) this.#io.depend({ on, via: 'artifact' });
    return shared?.artifact(ref);
  }

  #asked(): Model {
    const { entry, asking } = this.#given;
    const { path, enrichments, grant } = this.#task;
    return modelFor(asking, {
      path,
      deadline: grant.deadline,
      work: workOf(entry),
      io: this.#io,
      pools: entry.pools,
      isAttempt: true,
      lessons: enrichments,
    });
  }

  #shelf(): ToolShelf {
    const { entry, tools } = this.#given;
    const { abortSignal } = this.#io;
    return toolShelf({
      declared: entry.tools,
      open: tools,
      abortSignal,
      watch: (name) => this.#io.calling(name),
      onUndeclared: (name) =>
        this.#io.alert(
          'tool',
          `${this.#task.path} asked for the tool ${JSON.stringify(name)}, which it did not declare`,
        ),
    });
  }

  /** Made on first use, and with it the signal. */
  #reader(): SourceReader {
    const { entry, adapter, cache, shared } = this.#given;
    const { abortSignal } = this.#io;
    const observe = shared && { onUndeclared: (on: string) => this.#io.depend({ on, via: 'source' }) };
    const { asOf } = this.#task;
    const watch: SourceReaderOptions['watch'] = (id, isDeclared) => this.#io.reading(id, isDeclared);
    return createSourceReader({ adapter, declared: entry.sources, asOf, abortSignal, cache, watch, ...observe });
  }
}
const LAZY = ['task', 'need', 'sources', 'tools', 'artifacts', 'abortSignal', 'budget'] as const;
const gapOf: LeafContext['gap'] = (gap, why) => ({ gap, why });

/** A leaf that declares the shape of its data is held to it. */
function withData(result: unknown, { definition }: Entry): unknown {
  const shape = definition.kind === 'leaf' ? definition.data : undefined;
  if (!shape) return result;
  for (const draft of Array.isArray(result) ? result : [result]) {
    if (typeof draft !== 'object' || draft === null || 'gap' in draft) continue;
    const { data } = draft as { data?: unknown };
    const parsed = shape.safeParse(data);
    if (parsed.success) continue;
    const why = misfitOf(parsed.error, data);
    throw errorOf({ status: 'invalid', message: `data is not as the leaf declares it: ${why}` });
  }
  return result;
}

/** Of an orchestrator in its children's place: as of a leaf that does not say. */
export const workOf = ({ definition }: Entry): Work =>
  (definition.kind === 'leaf' ? definition.work : undefined) ?? DEFAULT_WORK;

const runOf = ({ definition }: Entry): LeafRun<unknown> | undefined =>
  definition.kind === 'leaf' ? definition.run : definition.execute;

function undoneChildren({ path, definition }: Entry): GapDraft[] {
  if (definition.kind === 'leaf') return [];
  const why = `depth is spent, and ${nameOf(path)} cannot execute: it has no execute of its own`;
  return definition.stages.flat().map((child) => ({ gap: 'undone', why, child: child.name }));
}
