import { z } from 'zod';

/** What may be spent; a dimension that is absent is not limited. */
export const Budget = z.object({
  usd: z.number().min(0).exactOptional(),
  /** In and out together. */
  tokens: z.number().min(0).exactOptional(),
  leaves: z.int().min(0).exactOptional(),
});
export type Budget = z.infer<typeof Budget>;

/** Authority passed down. Instants are epoch milliseconds; `issuedAt` is stamped by whoever spawns the node. */
export const Grant = z.object({
  depthLeft: z.int(),
  issuedAt: z.number(),
  deadline: z.number(),
  /** Kept back for this node's own synthesis, in ms. */
  reserveMs: z.number().min(0),
  /** What it may take to decide, in ms. Default 20 s; never above a quarter of its time. */
  planMs: z.number().min(0).exactOptional(),
  /** As granted when the node started; on request it may get more of what its parent has left. */
  budget: Budget,
  maxChildren: z.int().min(1),
  sources: z.array(z.string()),
  tools: z.array(z.string()),
});
export type Grant = z.infer<typeof Grant>;
