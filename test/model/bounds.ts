/** How big a walk is, and how a tree of these bounds is decided. */
import type { Decision } from '../../src/protocol/decision.ts';
import { decisionOf, leaf, orchestrator } from '../tier/samples.ts';

export type Bounds = {
  /** Children per stage, tier by tier: `[[3], [2, 1]]` are three domains of two leaves and one more, which needs the first. */
  readonly tiers: readonly (readonly number[])[];
  /** In every join of the tree. */
  readonly quorum?: number;
  /** How often a leaf may try. */
  readonly attempts?: number;
  /** Leaves may end with a finding that is not critical. */
  readonly plain?: boolean;
  /** An attempt of a leaf may be hedged. */
  readonly hedges?: boolean;
  /** Gathers may break or end with rubbish. */
  readonly hostFaults?: boolean;
  /** The root may be asked for one stage more, and then for none. */
  readonly grows?: boolean;
  readonly maxDepth?: number;
  /** Which parts stand for themselves by what others can tell apart of them, rather than by all of their states. */
  readonly reduced?: 'nothing' | 'leaves' | 'all';
  /** Takes siblings that nobody tells apart to be interchangeable. */
  readonly symmetric?: boolean;
};

const LETTERS = ['d', 's', 't'];

/** What the orchestrator at `level` decides. All of a later stage need the first child of the first. */
export function decisionAt({ tiers, quorum, grows = false }: Bounds, level: number): Decision {
  const isLast = level === tiers.length - 1;
  const letter = isLast ? 'l' : (LETTERS[level] ?? 'd');
  let made = 0;
  const stages = (tiers[level] ?? []).map((width, stage) =>
    Array.from({ length: width }, () => {
      const over = stage > 0 ? { needs: [`${letter}0`] } : {};
      const name = `${letter}${made++}`;
      return isLast ? leaf(name, over) : orchestrator(name, over);
    }),
  );
  return decisionOf(stages, {
    ...(quorum !== undefined && { quorum }),
    ...(grows && level === 0 && { mayGrow: true as const }),
  });
}

/** What tells a child from its siblings: its name, or, up to symmetry, its stage and whether others need it. */
export function labelOf({ stages }: Decision, isSymmetric: boolean): (name: string) => string {
  if (!isSymmetric) return (name) => `${name}:`;
  const needed = new Set(stages.flat().flatMap(({ needs = [] }) => needs));
  const labels = new Map(
    stages.flatMap((stage, i) => stage.map(({ name }) => [name, `${i}${needed.has(name) ? name : ''}:`] as const)),
  );
  return (name) => labels.get(name) ?? `${name}:`;
}
