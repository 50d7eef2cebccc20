/**
 * Which critical findings of a run stand: all that were said, but for those of nodes that were taken back since. A node
 * that is taken back takes its own with it, not those of the nodes below: each of them is asked for itself.
 */
import { canonicalJson, sha256 } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { parentOf } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';

type Standing = { readonly finding: Finding; readonly sha256: string };
export type StandingCriticals = {
  note(finding: Finding): void;
  /** Takes in the next event. Returns what it took back. */
  apply(event: RunEventBody): Finding[];
  /** Those that were said at this path or below it. */
  under(path: string): Iterable<Standing>;
  all(): Iterable<Standing>;
  readonly size: number;
};

export const findingHash = (finding: Finding): string => sha256(canonicalJson(finding));

export function standingCriticals(): StandingCriticals {
  const standing = new Map<string, Standing>();
  /** By each node that they have to pass. */
  const idsUnder = new Map<string, Set<string>>();

  const note = (finding: Finding): void => {
    const { id, path, critical } = finding;
    if (!critical) return;
    standing.set(id, { finding, sha256: findingHash(finding) });
    for (let at = path; at !== ''; at = parentOf(at)) {
      const ids = idsUnder.get(at);
      if (ids) ids.add(id);
      else idsUnder.set(at, new Set([id]));
    }
  };
  function* under(path: string): Iterable<Standing> {
    for (const id of idsUnder.get(path) ?? []) {
      const one = standing.get(id);
      if (one) yield one;
    }
  }
  const takeBack = (path: string): Finding[] => {
    const own = Array.from(under(path), ({ finding }) => finding).filter((finding) => finding.path === path);
    for (const { id } of own) {
      standing.delete(id);
      for (let at = path; at !== ''; at = parentOf(at)) idsUnder.get(at)?.delete(id);
    }
    return own;
  };
  return {
    note,
    under,
    all: () => standing.values(),
    get size() {
      return standing.size;
    },
    apply(event) {
      if (event.type === 'finding.reported') note(event.finding);
      return event.type === 'node.invalidated' ? takeBack(event.path) : [];
    },
  };
}
