/** The assessment pass of a lazy tier: reads what children would read, within a share of the plan's time. */
import { DEFAULT_THRESHOLD, relevanceOf, type Assessor, type RelevanceSpec } from '../define/relevance.ts';
import type { Candidate } from '../define/shape.ts';
import type { Clock } from '../ports/clock.ts';
import type { SourceAdapter } from '../ports/sources.ts';
import { ROOT } from '../protocol/path.ts';
import { faultOf } from '../tier/fault.ts';
import { candidatesOf, type Asked } from './decide.ts';
import { patiently } from './patience.ts';
import type { Skips } from './plan.ts';
import { createSourceReader, NoEvidence, type SeriesCache } from './source-reader.ts';

export type AssessedWith = {
  adapter: SourceAdapter | undefined;
  cache: SeriesCache;
  clock: Clock | undefined;
  deadline: number;
};
/** Whom to skip with which score, and whose relevance could not be known: these are not skipped. */
export type Assessed = { skips: Skips; reasons: string[] };

const AT_ONCE = 4; // sources, however many a child declares
const DECIMALS = 1_000;

export async function assessRelevance(
  asked: Asked,
  spec: 'assess' | Assessor | RelevanceSpec,
  given: AssessedWith,
): Promise<Assessed> {
  const { assess = relevanceOf, threshold = DEFAULT_THRESHOLD } =
    spec === 'assess' ? {} : typeof spec === 'function' ? { assess: spec } : spec;
  const { registry, task } = asked;
  const { abortSignal } = asked.io;
  const candidates = candidatesOf(asked);
  const thesis = registry.get(ROOT)?.question ?? task.question;
  const hasData = await sourcesWithData(candidates, asked, given);
  const skipped = new Map<string, { why: string; score: number }>();
  const reasons: string[] = [];
  const assessed = await Promise.all(
    candidates.map(async (child) => {
      const known = child.sources.flatMap((id) => hasData.get(id) ?? []);
      const sources = { asked: known.length, withData: known.filter(Boolean).length };
      return {
        child,
        answer: await patiently((signal) => assess({ thesis, child, sources, abortSignal: signal }), {
          ...given,
          abortSignal,
        }),
      };
    }),
  );
  for (const { child, answer } of assessed) {
    const { name } = child;
    const score: unknown = 'given' in answer ? answer.given : undefined;
    if (typeof score !== 'number' || !Number.isFinite(score)) {
      const why = 'fault' in answer ? faultOf(answer.fault).message : 'the score is no number';
      reasons.push(`the relevance of "${name}" is not known (${why}): not skipped`);
    } else if (score < threshold) {
      skipped.set(name, { score: Math.round(score * DECIMALS) / DECIMALS, why: `relevance below ${threshold}` });
    }
  }
  return { skips: (name) => asked.skips(name) ?? skipped.get(name), reasons };
}

/** Which sources have data as of the date; those that fail, or do not answer in time, are left out. */
async function sourcesWithData(
  candidates: readonly Candidate[],
  { task, io: { abortSignal } }: Asked,
  { adapter, cache, clock, deadline }: AssessedWith,
): Promise<Map<string, boolean>> {
  const ids = [...new Set(candidates.flatMap(({ sources }) => sources))];
  const hasData = new Map<string, boolean>();
  if (!adapter || ids.length === 0) return hasData;
  const readAll = async (waiting: Iterable<string>, signal: AbortSignal): Promise<void> => {
    const reader = createSourceReader({ adapter, declared: ids, asOf: task.asOf, abortSignal: signal, cache });
    for (const id of waiting) {
      if (signal.aborted) return;
      await reader.series(id).then(
        () => hasData.set(id, true),
        (error: unknown) => error instanceof NoEvidence && hasData.set(id, false),
      );
    }
  };
  // Half of the time, so that the decider after it has some.
  const half = clock ? (clock.now() + deadline) / 2 : deadline;
  const waiting = ids.values();
  const all = async (signal: AbortSignal) =>
    Promise.all(Array.from({ length: AT_ONCE }, () => readAll(waiting, signal)));
  await patiently(all, { clock, deadline: half, abortSignal });
  return new Map(hasData);
}
