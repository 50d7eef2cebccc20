/** What others answer (an author, a planner, a synthesizer) is parsed, not believed. Nothing here throws. */
import type { z } from 'zod';
import { faultOf } from './fault.ts';

/** `where` is empty at the top, else a path such as `stages.0.name`. */
export type Answer<T> = { value: T } | { where: string; why: string };

export function readAnswer<T>(schema: z.ZodType<T>, given: unknown): Answer<T> {
  try {
    const parsed = schema.safeParse(given);
    if (parsed.success) return { value: parsed.data };
    const [issue] = parsed.error.issues;
    return { where: issue?.path.map(String).join('.') ?? '', why: issue?.message ?? 'wrong shape' };
  } catch (error) {
    return unreadable(error);
  }
}

/** A getter threw, or the nesting (a cycle is endless) exhausted the stack. */
export const unreadable = (error: unknown): { where: string; why: string } => ({
  where: '',
  why: `it cannot be read: ${faultOf(error).message}`,
});
