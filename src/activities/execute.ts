/** One attempt of a leaf, or of an orchestrator in place of its children: runs the author's code in its context. */
import type { LeafContext, LeafRun, SourceReader } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { AttemptInput, AttemptIo } from '../ports/activities.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import type { GapDraft } from '../protocol/gap.ts';
import { misfitOf } from '../protocol/misfit.ts';
import { nameOf } from '../protocol/path.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import { errorOf } from '../tier/fault.ts';
import type { Entry } from './registry.ts';
import { createSourceReader, NoEvidence, type SeriesCache } from './source-reader.ts';

export type ExecuteWith = { entry: Entry; adapter: SourceAdapter | undefined; cache: SeriesCache };

export async function execute({ task, attempt }: AttemptInput, io: AttemptIo, given: ExecuteWith): Promise<unknown> {
  const { entry, adapter, cache } = given;
  const run = runOf(entry);
  if (!run) return undoneChildren(entry);
  let sources: SourceReader | undefined; // made on first use, and with it the signal
  const context: LeafContext = {
    /** Frozen: it shares its grant with the parent's, and its prior reports with the brief. */
    get task() {
      return deepFreeze(task);
    },
    attempt,
    get sources() {
      const { abortSignal } = io;
      return (sources ??= createSourceReader({
        adapter,
        declared: entry.sources,
        asOf: task.asOf,
        abortSignal,
        cache,
      }));
    },
    get abortSignal() {
      return io.abortSignal;
    },
    report: io.report,
    gap: (gap, why) => ({ gap, why }),
    prior: (name) => deepFreeze(task).prior.find((report) => nameOf(report.path) === name),
    spawn(name) {
      const message = `${task.path} tried to spawn "${name}"; only an orchestrator's own decision creates nodes`;
      io.alert('spawn', message);
      throw new EspalierError('spawn-refused', `${message}. Make it a domain with children instead.`);
    },
  };
  try {
    return withData(await run(context), entry);
  } catch (error) {
    if (error instanceof NoEvidence) return { gap: 'insufficient', why: error.message } satisfies GapDraft;
    throw error;
  }
}

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

const runOf = ({ definition }: Entry): LeafRun<unknown> | undefined =>
  definition.kind === 'leaf' ? definition.run : definition.execute;

function undoneChildren({ path, definition }: Entry): GapDraft[] {
  if (definition.kind === 'leaf') return [];
  const why = `depth is spent, and ${nameOf(path)} cannot execute: it has no execute of its own`;
  return definition.stages.flat().map((child) => ({ gap: 'undone', why, child: child.name }));
}
