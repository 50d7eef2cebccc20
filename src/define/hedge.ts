/** When a straggling leaf is executed a second time, and which leaves may be. */
import { EspalierError } from '../errors.ts';
import { OBJECT, shown } from './check.ts';
import { parseDuration } from './duration.ts';
import type { HedgeLimit, HedgeSpec, Leaf } from './spec.ts';

const DEFAULT_TIMES = 3;
const DEFAULT_EXTRA = 0.05;
/** Sooner than this a second execution gains nothing. */
const SOONEST_MS = 100;

/** @throws EspalierError `invalid-input` */
export function hedgeOf(given: HedgeSpec | false | undefined): HedgeLimit | undefined {
  if (given === undefined || given === false) return undefined;
  if (!OBJECT.isMet(given)) {
    throw invalid(
      `The limit hedge is ${shown(given)}. Give { times: 3 } or { after: "30s" }, maybe with extra, or false.`,
    );
  }
  const unknown = Object.keys(given).find((name) => !['after', 'times', 'extra'].includes(name));
  if (unknown !== undefined) throw invalid(`The limit hedge has "${unknown}". Give after or times, and maybe extra.`);
  const { after, times = DEFAULT_TIMES, extra = DEFAULT_EXTRA } = given;
  if (!(typeof extra === 'number' && extra > 0 && extra <= 1)) {
    throw invalid(
      `The limit hedge.extra is ${shown(extra)}. Give a share above 0, at most 1: 0.05 is one leaf in twenty.`,
    );
  }
  if (after !== undefined && given.times !== undefined) {
    throw invalid('The limit hedge has both after and times. Give one of them.');
  }
  if (after !== undefined) {
    if (typeof after === 'string' || typeof after === 'number')
      return { after: parseDuration(after, 'hedge.after'), extra };
    throw invalid(`The limit hedge.after is ${shown(after)}. Give a duration such as "30s".`);
  }
  if (typeof times === 'number' && times > 1 && times < Infinity) return { times, extra };
  throw invalid(
    `The limit hedge.times is ${shown(times)}. Give a number above 1: 3 is three times as long as expected.`,
  );
}

/** After how long at work, in ms. `expectedMs`: undefined when nobody can say. */
export function hedgeAfter(hedge: HedgeLimit, expectedMs: number | undefined): number | undefined {
  if ('after' in hedge) return hedge.after;
  return expectedMs === undefined ? undefined : Math.max(SOONEST_MS, hedge.times * expectedMs);
}

/** Whether an attempt of it may be executed twice at once: work by rules may, unless it says otherwise. */
export const mayRunTwice = ({ idempotent, work }: Pick<Leaf, 'idempotent' | 'work'>): boolean =>
  idempotent ?? work === 'rules';

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
