import { z } from 'zod';
import { FailureStatus } from './failure-status.ts';

/**
 * Why an attempt failed, as far as is known: what the next one must be told depends on it.
 * - `off-track`: it answered another question · `out-of-context`: too much to hold at once · `invalid-output`: the
 *   answer has the wrong shape · `failed-check`: its own definition of done refused it · `missing-knowledge`: it lacks
 *   something that it could be given · `transient`: the same again may succeed · `rate-limited`: asked too often
 */
export const Diagnosis = z.enum([
  'off-track',
  'out-of-context',
  'invalid-output',
  'failed-check',
  'missing-knowledge',
  'transient',
  'rate-limited',
]);
export type Diagnosis = z.infer<typeof Diagnosis>;

export const Fault = z.object({
  status: FailureStatus,
  message: z.string(),
  diagnosis: Diagnosis.exactOptional(),
  /** The same again would fail the same way: there is no further attempt. */
  isFinal: z.literal(true).exactOptional(),
  /** Of a `rate-limited` one: how long whoever refused wants to be left alone, in ms. */
  retryAfterMs: z.number().min(0).exactOptional(),
  /** Of a `rate-limited` one: the pool that was asked too much of. */
  pool: z.string().exactOptional(),
});
export type Fault = z.infer<typeof Fault>;
