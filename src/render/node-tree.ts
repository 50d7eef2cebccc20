/** A run's nodes as a tree with bars: when each was at it, against the time of the whole. */
import { isWithin, nameOf, parentOf } from '../protocol/path.ts';
import { escapeTerminal } from './escape-terminal.ts';
import { counted, formatDuration } from './figures.ts';
import { clipped, displayWidth, padded } from './text-layout.ts';
import { heading, write, type Screen } from './text-screen.ts';

/** A node as far as the tree shows it. */
export type TimedNode = {
  readonly path: string;
  readonly depth: number;
  readonly state: string;
  readonly from: number;
  readonly to: number;
};

const MOST_NAME = 32;
const LEAST_BAR = 10;
const BAR = '━';

/** Writes as many tiers of the tree as fit into `most` lines; the root alone is no tree. */
export function nodeTree(screen: Screen, nodes: readonly TimedNode[], most: number): void {
  const root = nodes.find(({ depth }) => depth === 0);
  const deepest = nodes.reduce((deep, { depth }) => Math.max(deep, depth), 0);
  const depth = deepestThatFits(nodes, deepest, most);
  if (!root || depth < 1) return;
  const shown = inTreeOrder(nodes.filter((node) => node.depth <= depth));
  const said = shown.map((node) => {
    const below =
      node.depth === depth ? nodes.filter(({ path }) => path !== node.path && isWithin(path, node.path)) : [];
    const state = node.state === 'complete' ? '' : ` ${node.state}`;
    const hidden = below.length > 0 ? `, ${counted(below.length, 'node')} below` : '';
    return {
      node,
      name: clipped(`${'  '.repeat(node.depth)}${escapeTerminal(nameOf(node.path))}`, MOST_NAME),
      note: `${formatDuration(node.to - node.from)}${state}${hidden}`,
    };
  });
  const nameWidth = Math.max(...said.map(({ name }) => displayWidth(name)));
  const noteWidth = Math.max(...said.map(({ note }) => displayWidth(note)));
  const room = screen.width - nameWidth - noteWidth - 6;
  const start = Math.min(root.from, ...shown.map(({ from }) => from));
  const span = Math.max(1, ...shown.map(({ to }) => to - start));
  const column = (at: number): number => Math.round(((at - start) / span) * room);
  heading(screen, depth < deepest ? `Nodes down to depth ${depth}` : 'Nodes');
  for (const { node, name, note } of said) {
    if (room < LEAST_BAR) {
      write(screen, `${nameOf(node.path)}: ${note}`, '  '.repeat(node.depth + 1));
      continue;
    }
    const from = Math.min(column(node.from), room - 1);
    const bar = `${' '.repeat(from)}${BAR.repeat(Math.max(1, column(node.to) - from))}`;
    const style = node.state === 'complete' ? 'green' : 'yellow';
    screen.lines.push(`  ${padded(name, nameWidth)}  ${screen.paint(style, padded(bar, room))}  ${note}`);
  }
}

function deepestThatFits(nodes: readonly TimedNode[], deepest: number, most: number): number {
  for (let depth = deepest; depth > 0; depth--) {
    if (nodes.filter((node) => node.depth <= depth).length <= most) return depth;
  }
  return 0;
}

/** Each node before its children, siblings in the order of their start. */
function inTreeOrder(nodes: readonly TimedNode[]): TimedNode[] {
  const children = Map.groupBy(nodes, ({ path }) => parentOf(path));
  const under = (path: string): TimedNode[] =>
    (children.get(path) ?? []).flatMap((node) => [node, ...under(node.path)]);
  return under('');
}
