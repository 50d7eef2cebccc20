import { nameOf } from '../../protocol/path.ts';
import type { NodeFacts } from '../facts.ts';
import { quoted, type Rule, type Sighting } from '../remark.ts';
import { familyOf } from './width.ts';

/** A quorum says that its children can stand in for each other: one that none of the others can is worth a note. */
export const earlySynthesis: Rule = {
  id: 'early-synthesis',
  severity: 'note',
  when: 'A quorum lets a synthesis begin without a child that alone reads a family of sources, or that its own `synthesize` names.',
  remedy: 'Raise the quorum, or give another child that source too.',
  look: ({ nodes }) =>
    nodes.flatMap((node): Sighting[] => {
      const { definition, path } = node;
      const quorum = definition.kind === 'leaf' ? undefined : definition.join?.quorum;
      if (quorum === undefined) return [];
      // No join closes over a child that a later stage needs.
      const needed = new Set(node.children.flatMap(({ needs }) => needs));
      const readers = readersIn(node);
      const missed = node.stages
        .flatMap((stage) => (quorum < stage.length ? stage : []))
        .filter((child) => !needed.has(nameOf(child.path)) && (isNamed(child, node) || isSingular(child, readers)));
      if (missed.length === 0) return [];
      const names = quoted(missed.map((child) => nameOf(child.path)));
      const message = `May synthesize without ${names}, since ${quorum} ${quorum === 1 ? 'suffices' : 'suffice'}, though none of the others stands in for it. Raise the quorum.`;
      return [{ path, message }];
    }),
};

const isNamed = (child: NodeFacts, { definition }: NodeFacts): boolean => {
  const text = definition.kind === 'leaf' ? '' : String(definition.synthesize ?? '');
  return [`'`, '"', '`'].some((quote) => text.includes(`${quote}${nameOf(child.path)}${quote}`));
};

/** How many children read each family. */
function readersIn({ children }: NodeFacts): Map<string, number> {
  const readers = new Map<string, number>();
  for (const family of children.flatMap(familiesOf)) readers.set(family, (readers.get(family) ?? 0) + 1);
  return readers;
}
const familiesOf = ({ sources }: NodeFacts): string[] => [...new Set(sources.flatMap((id) => familyOf(id) ?? []))];

/** Alone in reading a family, where others share theirs: where each reads another, a quorum is a choice. */
function isSingular(child: NodeFacts, readers: ReadonlyMap<string, number>): boolean {
  const own = familiesOf(child);
  if (!own.some((family) => readers.get(family) === 1)) return false;
  return [...readers].some(([family, count]) => count - Number(own.includes(family)) >= 2);
}
