/** What proves, from a brief alone, that nothing was changed or lost since it was made. */
import { z } from 'zod';

export const Receipt = z.object({
  schemaVersion: z.literal(1),
  runId: z.string(),
  /** The digest of the root's report: what the brief says. */
  brief: z.string(),
  /** SHA-256 of the canonical JSON of the whole brief, with its run and its times. */
  sha256: z.string(),
  /** SHA-256 of the canonical JSON of each critical finding, by its id: every one that a leaf reported. */
  criticals: z.record(z.string(), z.string()),
  /** How many events the run had until then, and the checksum of the last. */
  events: z.int().min(0),
  head: z.string(),
  /** Over the canonical JSON of all of the above. */
  signature: z.object({ algorithm: z.literal('ed25519'), publicKey: z.string(), value: z.string() }).exactOptional(),
});
export type Receipt = z.infer<typeof Receipt>;
