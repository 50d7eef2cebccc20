import { z } from 'zod';

const Side = z.object({ findings: z.array(z.string()), weight: z.number() });

/** Findings that disagree within one node's children. Both sides are kept; `resolution` says whether it was settled. */
export const Conflict = z.object({
  against: Side,
  /** min(w⁺, w⁻) / (w⁺ + w⁻): 0 when all agree, 0.5 when evenly split. */
  dissent: z.number().min(0).max(0.5),
  path: z.string(),
  resolution: z.enum(['open', 'resolved']),
  statement: z.string(),
  supports: Side,
});
export type Conflict = z.infer<typeof Conflict>;

/** How two children of a node stand to each other. */
export const Relation = z.object({
  between: z.tuple([z.string(), z.string()]),
  kind: z.enum(['contradicts', 'reinforces']),
  statement: z.string(),
  /** The smaller of the two children's absolute log-odds. */
  strength: z.number().min(0),
});
export type Relation = z.infer<typeof Relation>;
