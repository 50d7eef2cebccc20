/** What a stored run answers: who it waited for, what was lost on the way up, what it cost. Times are in ms. */
import { z } from 'zod';
import { FailureStatus } from './failure-status.ts';
import { Usage } from './report.ts';

const ms = z.number().min(0);
const share = z.number().min(0).max(1);
const count = z.int().min(0);

/**
 * What a node's own time goes to. `slot`: it waited to be allowed to work · `recovery`: between two attempts, in which
 * it may wait for a slot again. An orchestrator's waiting for its children is theirs, not its own.
 */
export const Phase = z.enum(['planning', 'slot', 'work', 'recovery', 'synthesis']);
export type Phase = z.infer<typeof Phase>;

/** A tier by name: `root`, `domain at depth 1`, `leaf`. */
const Level = z.string();

/** How long the ended nodes of a tier took, from start to end. */
export const Completion = z.object({
  n: z.int().min(1),
  min: ms,
  median: ms,
  p90: ms,
  max: ms,
  mean: ms,
  /** Of the population: these are all there are. In ms². */
  variance: ms,
  standardDeviation: ms,
});
export type Completion = z.infer<typeof Completion>;

/** The slowest child of one join, and how long the join waited for it after all others had ended. */
export const Wait = z.object({
  /** Who waited. */
  path: z.string(),
  slowest: z.string(),
  /** Who ended before it; of a join with one child, nobody. */
  next: z.string().exactOptional(),
  ms,
});
export type Wait = z.infer<typeof Wait>;

/** What syntheses passed up, of a tier or a node. Shares are weighted by what came in. */
const Passed = z.object({
  incoming: count,
  kept: count,
  merged: count,
  dropped: count,
  recall: share,
  numbersKept: share,
  numbersFabricated: count,
  /** The least of any synthesis: an average would hide an alarm. */
  verbatim: share,
  /** Incoming · (1 − recall): how many findings' worth of signal did not pass up. */
  lost: z.number().min(0),
});
export const TierRetention = Passed.extend({ level: Level, syntheses: count });
export type TierRetention = z.infer<typeof TierRetention>;
export const NodeRetention = Passed.extend({ path: z.string(), level: Level });
export type NodeRetention = z.infer<typeof NodeRetention>;

const Cost = z.object({
  usd: z.number().min(0),
  inputTokens: z.number().min(0),
  outputTokens: z.number().min(0),
  attempts: z.number().min(0),
  /** Planning, work and synthesis of all nodes, in seconds. */
  nodeSeconds: z.number().min(0),
});
export type Cost = z.infer<typeof Cost>;

export const Review = z.object({
  /** By state. Invalidated nodes are counted here and nowhere else. */
  states: z.record(z.string(), count),
  nodes: count,
  leaves: count,
  depth: count,
  /** How many nodes had ended before the run was taken up again, and so cost it no time. */
  reused: count,
  /** From the root's start to its end, or to the last thing known of a run that has not ended. */
  elapsedMs: ms,
  /** The elapsed time in order, and without a rest: at every join the child that ended last. */
  criticalPath: z.array(z.object({ path: z.string(), level: Level, phase: Phase, ms, share })),
  /** Where on the critical path the most time went: a node's own work, or its waiting for a slot. */
  bottleneck: z
    .object({
      path: z.string(),
      level: Level,
      /** The phase that took most of it. */
      phase: Phase,
      ms,
      share,
      wait: Wait.exactOptional(),
    })
    .exactOptional(),
  /** How the critical path divides: by tier, and `slot` for waiting for one. The shares add up to 1. */
  divided: z.array(z.object({ to: z.union([Level, z.literal('slot')]), ms, share })),
  completion: z.array(z.object({ level: Level, times: Completion })),
  /** Worst first. */
  waits: z.array(Wait),
  retention: z.object({
    tiers: z.array(TierRetention),
    /** Where the most signal was lost, if any was. */
    worstTier: TierRetention.exactOptional(),
    worstNode: NodeRetention.exactOptional(),
  }),
  /** What all nodes did, each in its own time: not the run's time, for they work side by side. */
  phases: z.record(Phase, ms),
  attempts: count,
  retries: count,
  /** Attempts that were executed twice because they straggled. Absent when there were none. */
  hedges: count.exactOptional(),
  /** The most attempts first. */
  retried: z.array(z.object({ path: z.string(), attempts: count })),
  failures: z.array(z.object({ status: FailureStatus, paths: z.array(z.string()) })),
  cost: z.object({
    usesModel: z.boolean(),
    total: Cost,
    completedLeaves: count,
    /** Absent when no leaf completed. */
    perCompletedLeaf: Cost.exactOptional(),
    /** Where a model was used. */
    nodes: z.array(z.object({ path: z.string(), self: Usage, subtree: Usage })),
    /** Ended nodes that left no books: what they used is not in the total. */
    unknown: count,
  }),
});
export type Review = z.infer<typeof Review>;
