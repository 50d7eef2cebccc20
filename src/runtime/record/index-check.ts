/** Whether the index of a record says of each node what its events say: made anew from the log, and compared. */
import type { Store, StoredNode } from '../../ports/store.ts';
import { canonicalJson } from '../../protocol/digest.ts';
import { parentOf } from '../../protocol/path.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { createNodeIndex } from './node-index.ts';
import type { Problems } from './problems.ts';
import { GONE } from './recall.ts';
import { readingOf } from './reading.ts';

export type IndexCheck = {
  apply(event: RunEvent): void;
  /** Compares, at the end of the log. `name` is told where each node says that its events stand. */
  conclude(name: (path: string, seq: number) => void): void;
};

export function createIndexCheck(
  store: Store,
  runId: string,
  problems: Problems,
  inDoubt: ReadonlySet<string>,
): IndexCheck {
  const nodes = new Map<string, StoredNode>();
  let index = createNodeIndex('');

  const apply = (event: RunEvent): void => {
    if (event.type === 'run.started') index = createNodeIndex(''); // a resumed run knows only what it starts itself
    if (event.type === 'node.invalidated' && event.why === GONE) {
      const node = nodes.get(event.path);
      if (node) nodes.set(event.path, { ...node, state: 'invalidated' });
    }
    index.apply(event);
    for (const node of index.take().nodes) nodes.set(node.path, node);
  };
  const compare = (own: StoredNode): void => {
    const { path, seq } = own;
    const wrong = (what: string): unknown => problems.add(path, what, seq.started);
    const stored = readingOf(() => store.node(runId, path));
    if ('fault' in stored) wrong(`its entry in the index cannot be read (${stored.fault})`);
    else if (!stored.value) wrong('its entry in the index is missing');
    else {
      const field = differing(own, stored.value);
      if (field !== undefined) wrong(`its entry in the index says other than its events: ${field}`);
    }
  };
  /** What looks up one node, or the children of one, must find the same as what goes through all. */
  const compareListing = (): void => {
    const childrenOf = Map.groupBy(
      [...nodes.values()].filter((node) => !inDoubt.has(node.path)),
      ({ path }) => parentOf(path),
    );
    const listings = [undefined, ...childrenOf.keys()];
    for (const parent of listings) {
      const listed = readingOf(() => {
        const filter = parent === undefined ? {} : { parent };
        return new Set(Array.from(store.nodes(runId, filter), ({ path }) => String(path)));
      });
      if ('fault' in listed) {
        problems.add('', `its index cannot be read (${listed.fault})`);
        continue;
      }
      const own = parent === undefined ? [...childrenOf.values()].flat() : (childrenOf.get(parent) ?? []);
      for (const { path, seq } of own) {
        if (!listed.value.has(path)) problems.add(path, 'its entry in the index is out of its place', seq.started);
      }
      for (const path of listed.value) {
        const node = nodes.get(path);
        if (!node && !inDoubt.has(path)) problems.add(path, 'it is in the index, and the log has no such node');
        else if (parent !== undefined && parentOf(path) !== parent) {
          problems.add(path, 'its entry in the index is out of its place', node?.seq.started);
        }
      }
    }
  };

  return {
    apply,
    conclude(name) {
      // What cannot be read is said below.
      readingOf(() => {
        for (const { path, seq } of store.nodes(runId)) for (const at of Object.values(seq ?? {})) name(path, at);
      });
      for (const node of nodes.values()) if (!inDoubt.has(node.path)) compare(node);
      compareListing();
    },
  };
}

/** The first field that is not the same in both. */
function differing(own: StoredNode, stored: StoredNode): string | undefined {
  const fields = new Set([...Object.keys(own), ...Object.keys(stored)]) as Set<keyof StoredNode>;
  return [...fields].find((field) => canonicalJson(own[field]) !== canonicalJson(stored[field]));
}
