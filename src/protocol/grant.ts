import { z } from 'zod';

/** Authority passed down. Instants are epoch milliseconds; `issuedAt` is stamped by whoever spawns the node. */
export const Grant = z.object({
  depthLeft: z.int(),
  issuedAt: z.number(),
  deadline: z.number(),
  /** Kept back for this node's own synthesis, in ms. */
  reserveMs: z.number().min(0),
  budget: z.object({
    usd: z.number().min(0).exactOptional(),
    tokens: z.number().min(0).exactOptional(),
    leaves: z.int().min(0).exactOptional(),
  }),
  maxChildren: z.int().min(1),
  sources: z.array(z.string()),
  tools: z.array(z.string()),
});
export type Grant = z.infer<typeof Grant>;
