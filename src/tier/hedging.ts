/**
 * What a run may spend on hedges: a share of the leaves that it has started. Owns its counts and mutates them; no IO.
 *  1. At every instant: hedges ≤ extra · leaves.
 */
export type Hedging = {
  /** Hedges per leaf. */
  readonly extra: number;
  leaves: number;
  hedges: number;
};

export const openHedging = ({ extra }: { extra: number }): Hedging => ({ extra, leaves: 0, hedges: 0 });

/** A leaf has begun its first attempt. */
export const noteLeaf = (hedging: Hedging): void => void hedging.leaves++;

export const hasHedgeLeft = ({ extra, leaves, hedges }: Hedging): boolean => hedges + 1 <= extra * leaves;

/** Takes one hedge, if any is left. */
export function takeHedge(hedging: Hedging): boolean {
  if (!hasHedgeLeft(hedging)) return false;
  hedging.hedges++;
  return true;
}
