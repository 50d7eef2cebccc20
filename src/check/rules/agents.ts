/** Agents whose definitions are not self-contained. */
import type { NodeFacts } from '../facts.ts';
import { quoted, type Rule, type Sighting } from '../remark.ts';

export const namesAnotherAgent: Rule = {
  id: 'names-another-agent',
  severity: 'warning',
  when: 'The definition of an agent names another agent of the scenario: it is not self-contained.',
  remedy: 'Say in its own words what it is to know, or let it need the other in code and read that report.',
  look: ({ nodes }) => {
    const agents = nodes.flatMap((node) => (instructionsOf(node) === undefined ? [] : node.definition.name));
    return nodes.flatMap((node): Sighting[] => {
      const text = instructionsOf(node) ?? '';
      const named = agents.filter((name) => name !== node.definition.name && isNamedIn(text, name));
      if (named.length === 0) return [];
      return [
        {
          path: node.path,
          message: `Its definition names ${quoted(named)}. Say in its own words what it is to know, or let it need ${named.length === 1 ? 'that one' : 'those'} in code.`,
        },
      ];
    });
  },
};

const instructionsOf = ({ definition }: NodeFacts): string | undefined =>
  definition.kind === 'leaf' ? definition.instructions : undefined;

/** A name of one plain word may be just that word: then only as code, or in quotes. */
function isNamedIn(text: string, name: string): boolean {
  const isPlain = /^\p{L}+$/u.test(name);
  const sign = isPlain ? '[`"“”]' : '[^\\p{L}\\p{N}_-]';
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`${isPlain ? sign : `(?:^|${sign})`}${escaped}${isPlain ? sign : `(?:$|${sign})`}`, 'iu').test(
    text,
  );
}
