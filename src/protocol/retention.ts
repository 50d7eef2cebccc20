import { z } from 'zod';

/** How much of what came into a synthesis passed up. Never blended into one figure. */
export const Retention = z.object({
  /** Findings that came in; each is exactly one of kept, merged, dropped. */
  incoming: z.int().min(0),
  kept: z.int().min(0),
  merged: z.int().min(0),
  dropped: z.int().min(0),
  /** Share of incoming weight (confidence · |stance|, ×3 when critical) that passed up with its sign. 1 when none came in. */
  recall: z.number().min(0).max(1),
  /** Share of incoming critical findings that stand byte for byte in the report. Anything but 1 is an alarm. */
  verbatim: z.number().min(0).max(1),
  /** Share of the distinct numbers that came in which the report still holds. 1 when none came in. */
  numbersKept: z.number().min(0).max(1),
  /** Numbers in the narrative that are neither in an input nor a declared derivation that recomputes. */
  numbersFabricated: z.int().min(0),
});
export type Retention = z.infer<typeof Retention>;
