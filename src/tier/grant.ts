/**
 * Depth and deadline algebra. Pure: every instant derives from `issuedAt` and `deadline`, never from a clock.
 *  1. issuedAt ≤ planDeadline ≤ stageDeadline(i) ≤ stageDeadline(i + 1) ≤ joinDeadline ≤ deadline.
 *  2. A child's deadline lies before the stage deadline it is issued under, by the hand-off margin.
 *  3. depthLeft strictly falls from parent to child.
 * Reserves are small absolute estimates, never above a quarter of the window: shares would compound over tiers.
 */
import type { ChildSpec, Decision } from '../protocol/decision.ts';
import type { Budget, Grant } from '../protocol/grant.ts';

/** What a deterministic synthesis is given, and what a synthesizer of another kind is given, in ms. */
export const DETERMINISTIC_RESERVE_MS = 100;
export const SYNTHESIZER_RESERVE_MS = 20_000;
const PLAN_MS = 20_000;
/** What one is given that asks a model. */
export const ASKING_PLAN_MS = 60_000;
export const HAND_OFF_MS = 100;
const LONGEST_MS = 1e12;

const atMostAQuarter = (ms: number, from: number, to: number): number => Math.min(ms, Math.max(0, to - from) / 4);

export const joinDeadline = (grant: Grant): number =>
  grant.deadline - atMostAQuarter(grant.reserveMs, grant.issuedAt, grant.deadline);

export const planDeadline = (grant: Grant): number =>
  grant.issuedAt + atMostAQuarter(grant.planMs ?? PLAN_MS, grant.issuedAt, joinDeadline(grant));

/** A stage closes at its share of the window, by estimates, so that a hanging stage cannot starve the next one. */
export function stageDeadline(grant: Grant, decision: Decision, stage: number): number {
  const closes = joinDeadline(grant);
  if (stage >= decision.stages.length - 1) return closes;
  const longest = decision.stages.map(longestEstimate);
  const total = longest.reduce((sum, ms) => sum + ms, 0);
  const before = longest.slice(0, stage + 1).reduce((sum, ms) => sum + ms, 0);
  const opens = planDeadline(grant);
  return opens + (closes - opens) * (before / total);
}

/** At least 1 ms, so that every stage has a share; at most an age, so that shares stay numbers. */
const longestEstimate = (children: readonly ChildSpec[]): number =>
  children.reduce((longest, { estimateMs = 1 }) => Math.max(longest, Math.min(estimateMs, LONGEST_MS)), 1);

/** What an answer needs to travel a tier up, and how much later a step of a tier's own may be: of the host, in ms. */
export type Margins = { readonly handOffMs: number; readonly leastReserveMs: number };
const IN_ONE_PROCESS: Margins = { handOffMs: HAND_OFF_MS, leastReserveMs: 0 };

/** When whoever works under `deadline` must be done, so that the answer arrives before it. */
export const handOff = (from: number, deadline: number, ms = HAND_OFF_MS): number =>
  Math.max(from, deadline - atMostAQuarter(ms, from, deadline));

export const childGrant = (
  grant: Grant,
  child: ChildSpec,
  stageEnds: number,
  now: number,
  budget: Budget = grant.budget,
  { handOffMs, leastReserveMs }: Margins = IN_ONE_PROCESS,
): Grant => ({
  depthLeft: grant.depthLeft - 1,
  issuedAt: now,
  deadline: handOff(now, stageEnds, handOffMs),
  reserveMs: Math.max(child.reserveMs ?? DETERMINISTIC_RESERVE_MS, leastReserveMs),
  ...(child.planMs !== undefined && { planMs: child.planMs }),
  budget,
  maxChildren: grant.maxChildren,
  sources: child.sources ?? [],
  tools: child.tools ?? [],
});

export const depthIsSpent = (grant: Grant): boolean => grant.depthLeft <= 0;
