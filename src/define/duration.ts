import { EspalierError } from '../errors.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;
const BARE = /^\d{1,9}(?:\.\d{1,9})?$/;
const LONGEST_MS = 2 ** 31 - 1; // what a timer can wait

/**
 * Reads a positive duration: a number of ms, or text such as `500ms`, `20s`, `8m`, `1h30m`.
 * @returns milliseconds
 * @throws EspalierError `invalid-input`; `what` names the value in the message
 */
export function parseDuration(duration: number | string, what = 'duration'): number {
  let ms = Number.NaN;
  if (typeof duration === 'number') ms = duration;
  else if (WHOLE.test(duration)) {
    ms = 0;
    for (const [, amount, unit] of duration.matchAll(PART))
      ms += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  if (typeof duration === 'string' && BARE.test(duration) && Number(duration) > 0) {
    throw new EspalierError(
      'invalid-input',
      `The ${what} "${duration}" is a number without a unit: add a unit, such as "${duration}s" or "${duration}m".`,
    );
  }
  throw new EspalierError(
    'invalid-input',
    `The ${what} "${duration}" is not a positive duration of at most 24 days. Write one such as "90s", "8m" or "1h30m".`,
  );
}
