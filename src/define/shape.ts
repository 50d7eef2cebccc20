/** What a decider is told, and what it may answer. A model can sit in its place: the answer is parsed, not believed. */
import { z } from 'zod';
import type { Ended } from '../ports/activities.ts';
import type { Model } from '../ports/asking.ts';
import type { Spending } from '../ports/budget.ts';
import { Skipped } from '../protocol/decision.ts';
import { NodeName } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import type { Asks } from './asks.ts';

/** A declared child, as far as it is known before it runs. */
export type Candidate = {
  readonly name: string;
  readonly kind: 'leaf' | 'domain';
  readonly question: string;
  readonly charter: string;
  readonly sources: readonly string[];
  readonly needs: readonly string[];
  readonly leaves: number;
  /** Tiers that it takes: 1 for a leaf. */
  readonly tiers: number;
  /** Expected duration in ms; of a domain with all below it. */
  readonly estimateMs: number;
  /** How many of its leaves earlier runs have measured. */
  readonly measured: number;
};

/** What the rounds before have brought. */
export type Found = {
  readonly dissent: number;
  /** How the children ended. */
  readonly ended: readonly Ended[];
  /** Whom a further stage may hold. */
  readonly children: readonly Candidate[];
};

export type DeciderContext = {
  readonly task: Task;
  /** 1, or more when it is asked again after its children have ended. */
  readonly round: number;
  /** From round 2 on. */
  readonly found?: Found;
  readonly children: readonly Candidate[];
  /** How many sources the children declare, each counted once. */
  readonly sources: number;
  /** Tiers that may still stand below this node. */
  readonly depthLeft: number;
  /** ms from this node's start until its children must have ended. */
  readonly timeLeftMs: number;
  /** Whether the node has an `execute`. */
  readonly canExecute: boolean;
  /** ms that the children take side by side at the run's concurrency, and one after another in one leaf. */
  readonly expected: { readonly fanOutMs: number; readonly executeMs: number };
  /** What this node remembers of earlier runs, as Markdown: data, in part from outside. Empty when nothing. */
  readonly memory: string;
  readonly abortSignal: AbortSignal;
  readonly budget: Spending;
  /** Asks the model that the run's policy has for planning. In a plan, before anything runs, it is not available. */
  readonly model: Model;
};

const why = { by: z.string().min(1).exactOptional(), reasons: z.array(z.string()).readonly() };
const Names = z.array(z.string()).readonly();

const Group = z.object({
  name: NodeName,
  /** Default: that of the node that divides. */
  charter: z.string().exactOptional(),
  question: z.string().exactOptional(),
  members: Names,
});
const questions = z.record(z.string(), z.string().min(1)).exactOptional();
const expects = z.array(z.string()).readonly().exactOptional();
const skipped = z.array(Skipped).readonly().exactOptional();
/**
 * - `execute`: the node does the work itself, as one leaf
 * - `fan-out`: it spawns all children, or those named; `skipped` says why the others are not, `questions` asks some of
 *   them something else than was declared, `expects` says where they are expected to contradict each other
 * - `divide`: it spawns sub-domains that nobody declared, each with its members; whom no group names stays a child
 */
export const Shape = z.discriminatedUnion('shape', [
  z.object({ ...why, shape: z.literal('execute') }),
  z.object({ ...why, shape: z.literal('fan-out'), children: Names.exactOptional(), skipped, questions, expects }),
  z.object({ ...why, shape: z.literal('divide'), groups: z.array(Group).min(1).readonly(), skipped }),
]);
export type Shape = z.infer<typeof Shape>;
/** Leaves that stand by, to look again where the results are ambiguous. */
export type ChooseContext = Found & {
  readonly task: Task;
  readonly round: number;
  readonly abortSignal: AbortSignal;
};
type Chosen = readonly (string | { readonly name: string; readonly question?: string })[];
export type Choose = (context: ChooseContext) => Chosen | Promise<Chosen>;
export type Decider = {
  (context: DeciderContext): Shape | Promise<Shape>;
  /** That it asks a model, and about what that takes: a plan counts it. */
  readonly asks?: true | Asks;
};
