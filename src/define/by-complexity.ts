/** The default decider: few children make one leaf, many make sub-domains. No clock, no source, no chance. */
import { EspalierError } from '../errors.ts';
import { shown } from './check.ts';
import type { Candidate, Decider, Shape } from './shape.ts';

export type ComplexityOptions = {
  /** Up to so many children, the node does their work itself, if it has an `execute`. Default 1. */
  readonly fewest?: number;
  /** With more children than this, the node divides them among about √n sub-domains. Default 12. */
  readonly most?: number;
};
type Group = { readonly members: readonly Candidate[] };

/**
 * Decides by the number of children. Groups are in order of name, and children that need each other stay together.
 * @throws EspalierError `invalid-definition` on a number that is none
 * @example defineDomain({ …, decide: byComplexity({ fewest: 2, most: 12 }) })
 */
export function byComplexity({ fewest = 1, most = 12 }: ComplexityOptions = {}): Decider {
  for (const [name, value] of Object.entries({ fewest, most })) {
    if (Number.isInteger(value) && value >= 0) continue;
    throw new EspalierError(
      'invalid-definition',
      `byComplexity has ${name}: ${shown(value)}. Give a whole number of at least 0.`,
    );
  }
  const by = 'complexity';
  const decide: Decider = ({ children, canExecute, depthLeft }): Shape => {
    const { length } = children;
    if (length <= fewest && canExecute) {
      return { by, shape: 'execute', reasons: [`${length} of at most ${fewest} children: one leaf does their work`] };
    }
    if (length <= most) return { by, shape: 'fan-out', reasons: [`${length} children, at most ${most} side by side`] };
    const tiers = 1 + Math.max(...children.map((child) => child.tiers));
    if (depthLeft < tiers) {
      const reason = `${length} children, more than ${most}, but a tier between needs depth ${tiers} and ${depthLeft} is left`;
      return { by, shape: 'fan-out', reasons: [reason] };
    }
    const groups = grouped(children);
    if (groups.length < 2) {
      return {
        by,
        shape: 'fan-out',
        reasons: [`${length} children, more than ${most}, but all of them need each other`],
      };
    }
    const names = namesOf(groups);
    return {
      by,
      shape: 'divide',
      groups: groups.map(({ members }, i) => ({ name: names[i] ?? '', members: members.map(({ name }) => name) })),
      reasons: [`${length} children, more than ${most}: divided among ${groups.length} sub-domains`],
    };
  };
  // A decider is known by its text, which would not tell two of these apart.
  Object.defineProperty(decide, 'toString', { value: () => `byComplexity(${JSON.stringify({ fewest, most })})` });
  return decide;
}

/** About √n groups of about the same size. */
function grouped(children: readonly Candidate[]): Group[] {
  const clusters = clustersOf(children.toSorted((a, b) => compare(a.name, b.name)));
  const count = Math.ceil(Math.sqrt(children.length));
  const groups: Candidate[][] = [];
  let placed = 0;
  for (const cluster of clusters) {
    const index = Math.min(count - 1, Math.floor((placed * count) / children.length));
    (groups[index] ??= []).push(...cluster);
    placed += cluster.length;
  }
  return groups.filter((members) => members !== undefined).map((members) => ({ members }));
}

/** Children that need each other, by whatever chain. */
function clustersOf(children: readonly Candidate[]): Candidate[][] {
  const clusterOf = new Map(children.map((child) => [child.name, [child]]));
  for (const { name, needs } of children) {
    for (const need of needs) {
      const [one, other] = [clusterOf.get(name), clusterOf.get(need)];
      if (!one || !other || one === other) continue;
      one.push(...other);
      for (const child of other) clusterOf.set(child.name, one);
    }
  }
  return [...new Set(clusterOf.values())];
}

const compare = (a: string, b: string): number => {
  const [low, high] = [a.toLowerCase(), b.toLowerCase()];
  return low < high ? -1 : low > high ? 1 : a < b ? -1 : Number(a > b);
};

const LEAST_SHARED = 3;
const LONGEST_INITIALS = 8;

/** What the members' names begin with; where that is nothing, or the same for two groups, from which to which: `a-m`. */
function namesOf(groups: readonly Group[]): string[] {
  const shared = groups.map(({ members }) => sharedStart(members.map(({ name }) => name)));
  const isTelling = shared.map((name, i) => name.length >= LEAST_SHARED && shared.indexOf(name) === i);
  const taken = new Set<string>(shared.filter((_, i) => isTelling[i]));
  return groups.map(({ members }, i) => {
    const start = shared[i];
    if (start !== undefined && isTelling[i]) return start;
    const [first = '', last = ''] = [members[0]?.name, members.at(-1)?.name];
    let name = '';
    for (let letters = 1; letters <= LONGEST_INITIALS; letters++) {
      name = `${initials(first, letters)}-${initials(last, letters)}`;
      if (!taken.has(name)) break;
    }
    const base = name;
    for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
    taken.add(name);
    return name;
  });
}

const initials = (name: string, letters: number): string =>
  Array.from(name)
    .slice(0, letters)
    .join('')
    .toLowerCase()
    .replace(/[.\- ]+$/, '');

function sharedStart(names: readonly string[]): string {
  const [first = '', ...others] = names;
  let { length } = first;
  for (const name of others) while (!name.startsWith(first.slice(0, length))) length--;
  // whole words only: what goes on with a letter is cut back to where the last word ended
  const start = first.slice(0, length);
  const isWhole = names.every((name) => name.length === length || /[^\p{L}\p{N}]/u.test(name[length] ?? ''));
  const words = isWhole ? start : (/^.*[.\-_ ]/u.exec(start)?.[0] ?? '');
  return words.replace(/[.\-_ ]+$/, '');
}
