/** Trees that are flatter or narrower than their work justifies. */
import { nameOf } from '../../protocol/path.ts';
import type { Facts, NodeFacts } from '../facts.ts';
import { quoted, type Rule } from '../remark.ts';

/** Beyond so many, one synthesis has to weigh more than anyone can follow. */
const WIDEST = 50;

/** `us-employment` of `us-employment/nonfarm`. */
export const familyOf = (source: string): string | undefined =>
  source.includes('/') ? source.slice(0, source.indexOf('/')) : undefined;

/** The families of sources that two leaves or more begin with: groups that could be domains. */
function groupsIn({ root, nodes }: Facts): string[] {
  if (root.leaves <= WIDEST || nodes.some(({ depth }) => depth > 1)) return [];
  const families = root.children.flatMap(({ sources: [first] }) => (first && familyOf(first)) ?? []);
  return [...Map.groupBy(families, (family) => family)].flatMap(([family, { length }]) => (length < 2 ? [] : family));
}
const isHeap = (facts: Facts): boolean => groupsIn(facts).length > 1;

export const flatHeap: Rule = {
  id: 'flat-heap',
  severity: 'warning',
  when: `Two tiers with more than ${WIDEST} leaves that read several families of sources (\`jobs/…\`, \`prices/…\`).`,
  remedy: 'Make a domain of each group, with a charter and a synthesis of its own.',
  look: (facts) =>
    isHeap(facts)
      ? [
          {
            path: facts.root.path,
            message: `${facts.root.leaves} leaves stand under one root, and read ${quoted(groupsIn(facts))}. Make a domain of each group, with a charter.`,
          },
        ]
      : [],
};

export const tierTooWide: Rule = {
  id: 'tier-too-wide',
  severity: 'note',
  when: `More than ${WIDEST} children under one orchestrator.`,
  remedy: 'Divide them into domains, unless they are many pieces of one kind of work.',
  look: (facts) =>
    facts.nodes
      .filter((node) => node.children.length > WIDEST && !(node === facts.root && isHeap(facts)))
      .map(({ path, children }) => ({
        path,
        message: `Has ${children.length} children, and one synthesis for all. Divide them into domains, unless all do one kind of work.`,
      })),
};

/** By definition, whatever a run leaves out. A root over one leaf is the least that is worth a run. */
function isFoldable({ definition }: NodeFacts): boolean {
  if (definition.kind === 'leaf') return false;
  const [only, ...more] = definition.stages.flat();
  return more.length === 0 && !(definition.kind === 'scenario' && only?.kind === 'leaf');
}

export const singleChildTier: Rule = {
  id: 'single-child-tier',
  severity: 'note',
  when: 'An orchestrator has one child: a tier, and a synthesis, of nothing to bring together.',
  remedy: 'Put the child in its place.',
  look: ({ nodes }) =>
    nodes.filter(isFoldable).map(({ path, children }) => {
      const only = quoted(children.map((child) => nameOf(child.path)));
      return {
        path,
        message: `Has one child, ${only}: there is nothing to bring together. Put the child in its place.`,
      };
    }),
};
