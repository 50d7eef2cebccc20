import { NoEvidence, type FindingDraft, type GapDraft, type LeafContext, type Series } from 'espalier';
import type { Analysis } from 'espalier/analytics';

type Answer = FindingDraft | GapDraft;
/** What to say about one series. */
type Reading = readonly [id: string, analyse: (series: Series) => Analysis];

/** The series, or a gap when nothing of it was known yet: one that begins later must not silence its neighbours. */
export async function knownSeries({ sources }: LeafContext, id: string): Promise<Series | GapDraft> {
  try {
    return await sources.series(id);
  } catch (error) {
    if (error instanceof NoEvidence) return { gap: error.kind, why: error.why };
    throw error;
  }
}

/** Reads several series at once and analyses each on its own. */
export const analyseEach = (context: LeafContext, readings: readonly Reading[]): Promise<Answer[]> =>
  Promise.all(
    readings.map(async ([id, analyse]) => {
      const series = await knownSeries(context, id);
      return 'gap' in series ? series : analyse(series);
    }),
  );
