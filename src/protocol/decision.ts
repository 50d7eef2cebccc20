/** An orchestrator's dispatch plan: who is activated, in which stages, who is skipped and why. It is kept. */
import { z } from 'zod';
import { Budget } from './grant.ts';
import { NodeName } from './path.ts';

export const ChildSpec = z.object({
  /** The most that it may spend, with all below it. */
  budget: Budget.exactOptional(),
  charter: z.string().exactOptional(),
  estimateMs: z.number().positive().exactOptional(),
  /** How many leaves its subtree has, as far as is known beforehand. */
  leaves: z.int().min(0).exactOptional(),
  /** Of a sub-domain that the decision made: the declared children that it holds. */
  members: z.array(NodeName).min(1).exactOptional(),
  name: NodeName,
  /** Names of earlier siblings whose reports this one reads. */
  needs: z.array(z.string()).exactOptional(),
  /** What an orchestrator child may take to decide, in ms, when that is not the usual. */
  planMs: z.number().min(0).exactOptional(),
  question: z.string().exactOptional(),
  /** What an orchestrator child keeps back for its own synthesis, in ms. */
  reserveMs: z.number().min(0).exactOptional(),
  role: z.enum(['leaf', 'orchestrator']),
  sources: z.array(z.string()).exactOptional(),
  tools: z.array(z.string()).exactOptional(),
  /** Its share of what its parent may spend, beside its siblings'. Default: its leaves. */
  weight: z.number().min(0).exactOptional(),
});
export type ChildSpec = z.infer<typeof ChildSpec>;

export const Skipped = z.object({ name: z.string(), score: z.number().exactOptional(), why: z.string() });

export const Decision = z
  .object({
    /** Set when somebody has approved it before the run. */
    approved: z.enum(['as-planned', 'edited']).exactOptional(),
    /** Who decided: the scenario as written, or a planner of another kind. */
    by: z.string().min(1),
    /** Set when depth was spent: the children that were declared and could not be spawned. */
    demoted: z.array(z.string()).exactOptional(),
    estimates: z.object({ criticalPathMs: z.number(), leaves: z.int() }),
    /** Set while one more stage may be asked for, when these are through. */
    mayGrow: z.literal(true).exactOptional(),
    /** Where a planner expects its children to contradict each other. Part of the digest. */
    expects: z.array(z.string()).exactOptional(),
    mode: z.enum(['divide', 'execute']),
    /** What the node keeps of its budget for its own synthesis, as a weight beside its children's. */
    ownWeight: z.number().min(0).exactOptional(),
    quorum: z.int().min(1).exactOptional(),
    /** Why this shape: of a decider's decision. Part of the digest, so they speak of no durations. */
    reasons: z.array(z.string()).exactOptional(),
    /** The latest round that added a stage; absent when there was one round only. */
    round: z.int().min(2).exactOptional(),
    skipped: z.array(Skipped),
    stages: z.array(z.array(ChildSpec)),
  })
  .refine((decision) => {
    const names = decision.stages.flat().map((child) => child.name);
    return new Set(names).size === names.length;
  }, 'two children have the same name');
export type Decision = z.infer<typeof Decision>;
