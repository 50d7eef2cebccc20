import { z } from 'zod';
import { Grant } from './grant.ts';
import { Path } from './path.ts';
import { Report, Tier } from './report.ts';

/** A calendar date, `YYYY-MM-DD`. */
export const IsoDate = z.iso.date();

/** What a node receives, and all that it receives. */
export const Task = z.object({
  runId: z.string().min(1),
  path: Path,
  tier: Tier,
  question: z.string(),
  /** The context of its domain. */
  charter: z.string(),
  asOf: IsoDate.exactOptional(),
  grant: Grant,
  /** The reports of the siblings it needs. */
  prior: z.array(Report),
  /** What earlier failures taught: one more entry for every attempt. */
  enrichments: z.array(z.string()),
  /** W3C trace context of the parent's span. */
  traceparent: z.string().exactOptional(),
});
export type Task = z.infer<typeof Task>;
