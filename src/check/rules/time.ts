/** What a tree costs in time, by the estimates that are given. */
import { estimateOf, expectedTime, reserveOf } from '../expected-time.ts';
import type { NodeFacts } from '../facts.ts';
import type { Rule, Sighting } from '../remark.ts';

const shown = (ms: number): string => (ms < 1_000 ? `${Math.ceil(ms)} ms` : `${Math.ceil(ms / 100) / 10} s`);

export const deadlineTooShort: Rule = {
  id: 'deadline-too-short',
  severity: 'warning',
  when: 'By the estimates given, the longest way through the tree, or its work shared among its slots, takes longer than the deadline.',
  remedy: 'Raise the deadline or the concurrency, or make the way shorter.',
  look({ root, limits: { deadlineMs, concurrency } }) {
    const { ms, longest } = expectedTime(root, concurrency);
    if (ms <= deadlineMs) return [];
    const message = `Takes ${shown(ms)} by its estimates, with ${concurrency} at once and most of the way at ${longest}, and is due in ${shown(deadlineMs)}. Raise the deadline, or divide that work.`;
    return [{ path: root.path, message }];
  },
};

export const tierNotWorthIt: Rule = {
  id: 'tier-not-worth-it',
  severity: 'note',
  when: "By its children's estimates, what a domain saves by working in parallel is less than what its synthesis is granted.",
  remedy: 'Make it one leaf that does all of it, unless its charter or its synthesis is worth the time.',
  look: ({ nodes }) => nodes.flatMap((node): Sighting[] => notWorthIt(node)),
};

function notWorthIt(node: NodeFacts): Sighting[] {
  const { path, definition, stages, children } = node;
  if (definition.kind !== 'domain' || children.length < 2) return [];
  const estimates = stages.map((stage) => stage.map(estimateOf));
  if (estimates.flat().includes(undefined)) return [];
  const given = estimates as number[][];
  const inARow = given.flat().reduce((sum, ms) => sum + ms, 0);
  const staged = given.reduce((sum, stage) => sum + stage.reduce((most, ms) => Math.max(most, ms), 0), 0);
  const reserveMs = reserveOf(node);
  if (inARow - staged >= reserveMs) return [];
  const message = `Saves ${shown(inARow - staged)} by its estimates, and its synthesis is granted ${shown(reserveMs)}. Make it one leaf, unless its charter or synthesis is worth that.`;
  return [{ path, message }];
}
