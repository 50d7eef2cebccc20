/** What others answer (an author, a planner, a synthesizer) is parsed, not believed. Nothing here throws. */
import type { z } from 'zod';
import { misfitOf } from '../protocol/misfit.ts';
import { faultOf } from './fault.ts';

/** `why` names the first place that is wrong: `stages.0.name is 7; it must be a text`. */
export type Answer<T> = { value: T } | { why: string };

export function readAnswer<T>(schema: z.ZodType<T>, given: unknown): Answer<T> {
  try {
    const parsed = schema.safeParse(given);
    return parsed.success ? { value: parsed.data } : { why: misfitOf(parsed.error, given) };
  } catch (error) {
    return unreadable(error);
  }
}

/** A getter threw, or the nesting (a cycle is endless) exhausted the stack. */
export const unreadable = (error: unknown): { why: string } => ({
  why: `it cannot be read: ${faultOf(error).message}`,
});
