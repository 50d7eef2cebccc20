/**
 * What a synthesizer answers: ids and dispositions, never the bodies of findings. It has no field that could drop or
 * reword an escalation.
 */
import { z } from 'zod';
import { Assessment } from './assessment.ts';
import { Conflict, Relation } from './conflict.ts';
import { FindingKey } from './finding.ts';
import { Gap } from './gap.ts';

/** What becomes of one incoming finding. One that is not named counts as dropped, "unaccounted". */
export const Disposition = z.discriminatedUnion('as', [
  z.object({ as: z.literal('kept'), id: z.string() }),
  z.object({ as: z.literal('merged'), id: z.string(), into: z.string() }),
  z.object({ as: z.literal('dropped'), id: z.string(), why: z.string().min(1) }),
]);
export type Disposition = z.infer<typeof Disposition>;

/** A finding to be minted from several: the host takes value, unit and source from `lead`, which is one of them. */
export const Merge = z.object({ key: FindingKey, lead: z.string(), statement: z.string().min(1) });
export type Merge = z.infer<typeof Merge>;

/** A number in the narrative that no input holds, and how to recompute it. `from` are ids of incoming findings. */
export const Derived = z.object({
  from: z.array(z.string()),
  op: z.enum(['count', 'sum', 'mean', 'median', 'min', 'max', 'difference', 'ratio']),
  value: z.number(),
});
export type Derived = z.infer<typeof Derived>;

export const Synthesis = z.object({
  madeBy: z.enum(['synthesis', 'deterministic']).default('synthesis'),
  /** Prose. Cites findings as `[id]`. */
  narrative: z.string(),
  dispositions: z.array(Disposition),
  merges: z.array(Merge).default([]),
  derived: z.array(Derived).default([]),
  conflicts: z.array(Conflict).default([]),
  relations: z.array(Relation).default([]),
  gaps: z.array(Gap).default([]),
  assessment: Assessment.exactOptional(),
});
export type Synthesis = z.infer<typeof Synthesis>;
export type SynthesisDraft = z.input<typeof Synthesis>;
