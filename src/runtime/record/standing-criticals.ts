/** Which critical findings of a run stand: those that were said, but for what was said under a path that was taken back. */
import { canonicalJson, sha256 } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { parentOf } from '../../protocol/path.ts';
import type { RunEvent } from '../../protocol/run-event.ts';

type Standing = { readonly path: string; readonly sha256: string };
export type StandingCriticals = {
  note(finding: Finding): void;
  apply(event: RunEvent): void;
  /** The id and SHA-256 of each that was said at this path or below it. */
  under(path: string): Iterable<readonly [id: string, sha256: string]>;
  all(): ReadonlyMap<string, Standing>;
};

export const findingHash = (finding: Finding): string => sha256(canonicalJson(finding));

export function standingCriticals(): StandingCriticals {
  const standing = new Map<string, Standing>();
  /** Their ids, by each node that they have to pass. */
  const idsUnder = new Map<string, Set<string>>();

  const note = (finding: Finding): void => {
    const { id, path, critical } = finding;
    if (!critical) return;
    standing.set(id, { path, sha256: findingHash(finding) });
    for (let at = path; at !== ''; at = parentOf(at)) {
      const ids = idsUnder.get(at);
      if (ids) ids.add(id);
      else idsUnder.set(at, new Set([id]));
    }
  };
  const takeBack = (path: string): void => {
    for (const id of [...(idsUnder.get(path) ?? [])]) {
      for (let at = standing.get(id)?.path ?? ''; at !== ''; at = parentOf(at)) idsUnder.get(at)?.delete(id);
      standing.delete(id);
    }
  };
  return {
    note,
    apply(event) {
      if (event.type === 'finding.reported') note(event.finding);
      else if (event.type === 'node.invalidated') takeBack(event.path);
    },
    *under(path) {
      for (const id of idsUnder.get(path) ?? []) yield [id, standing.get(id)?.sha256 ?? ''];
    },
    all: () => standing,
  };
}
