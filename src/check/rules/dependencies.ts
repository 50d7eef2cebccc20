/** Who waits for whom, and who reads what: the order of siblings against their reading. */
import type { Facts, NodeFacts, Reads } from '../facts.ts';
import { literalsRead, mayRead } from '../function-text.ts';
import { quoted, type Rule, type Sighting } from '../remark.ts';
import { AS_OBSERVED, AS_SHOWN, codeOf } from './reading.ts';

export const needlessSequence: Rule = {
  id: 'needless-sequence',
  severity: 'warning',
  when: 'A node needs a sibling whose report it never reads: it waits for nothing.',
  remedy: 'Remove the name from `needs`, or read `prior(name)`.',
  look: ({ nodes, observed }) =>
    nodes.flatMap((node): Sighting[] => {
      const { unread, how } = unreadNeeds(node, observed.get(node.path));
      if (unread.length === 0) return [];
      const what = `${quoted(unread)}, whose ${unread.length === 1 ? 'report' : 'reports'} it never reads, ${how}`;
      return [
        {
          path: node.path,
          message: `Waits for ${what}. Remove it from needs, or ${node.definition.kind === 'leaf' ? `read prior(${quoted(unread.slice(0, 1))})` : 'read it in a synthesize of its own'}.`,
        },
      ];
    }),
};

function unreadNeeds(node: NodeFacts, reads: Reads | undefined): { unread: readonly string[]; how: string } {
  const { definition, needs } = node;
  if (needs.length === 0 || hooksMayRead(definition)) return { unread: [], how: AS_SHOWN };
  const code = codeOf(definition);
  // Of two functions, a rehearsal sees one at work.
  if (reads?.isWhole && code.length === 1) {
    return { unread: needs.filter((name) => !reads.prior.has(name)), how: AS_OBSERVED };
  }
  // All or none: a text that mentions prior may read any. A domain without code of its own reads none.
  return { unread: code.some((one) => mayRead(one, 'prior')) ? [] : needs, how: AS_SHOWN };
}

/** What decides on a leaf's next attempt is given its task second. */
const hooksMayRead = (definition: NodeFacts['definition']): boolean =>
  definition.kind === 'leaf' &&
  [definition.verify, definition.recover].some((hook) => hook !== undefined && mayRead(hook, 'prior', 1));

export const hiddenDependency: Rule = {
  id: 'hidden-dependency',
  severity: 'error',
  when: 'A node reads `prior(name)`, `need(name)` or an artifact of one that is not in its `needs`: it is given none.',
  remedy: 'Add the name to `needs`, or correct it.',
  look: (facts) =>
    facts.nodes.flatMap((node) => {
      const needed = new Set(node.needs);
      return readPriors(facts, node)
        .filter(({ name }) => !needed.has(name))
        .map(({ name, how }): Sighting => ({ path: node.path, message: messageOf(name, how, node) }));
    }),
};

function messageOf(name: string, how: string, { family }: NodeFacts): string {
  if (family.includes(name)) {
    return `Reads the report of "${name}", ${how}, without needing it: there is never one. Add "${name}" to its needs.`;
  }
  const isPath = name.includes('/');
  const what = isPath ? `the report or an artifact of "${name}"` : `the report of "${name}"`;
  const remedy = isPath ? 'Make them siblings, and let it need that one' : 'Correct the name';
  return `Reads ${what}, ${how}, which is no sibling of it: there is never one. ${remedy}.`;
}

function readPriors({ observed }: Facts, { path, definition }: NodeFacts): { name: string; how: string }[] {
  const found = new Map([...(observed.get(path)?.prior ?? [])].map((name) => [name, AS_OBSERVED]));
  for (const name of codeOf(definition).flatMap((code) => literalsRead(code, 'prior'))) {
    if (!found.has(name)) found.set(name, AS_SHOWN);
  }
  return Array.from(found, ([name, how]) => ({ name, how }));
}
