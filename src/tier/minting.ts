/**
 * Turns what an author wrote into a finding with an identity. Pure.
 *  1. The same id never stands for two different bodies: other bytes under a taken id become `id~2`, and both are kept.
 *  2. A minted finding is frozen, so nobody it is shown to can alter it.
 *  3. A finding stands under the node that said it, whatever path it claims; a false claim is flagged.
 */
import { canonicalJson } from '../protocol/digest.ts';
import type { Finding, FindingDraft } from '../protocol/finding.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import { isWithin } from '../protocol/path.ts';
import type { z } from 'zod';

/** What a node and its subtree have said so far, by id. */
export type Said = Map<string, Finding>;
export type Minted = { finding: Finding; isNew: boolean };

export const MISATTRIBUTED = 'misattributed';
const NO_SOURCE = { kind: 'none', ref: 'unsourced' } as const;

type Draft = z.output<typeof FindingDraft>;

/** `ordinal` names a draft without a key: its place in what the attempt returned, or in what it has said live. */
export function mint(path: string, draft: Draft, ordinal: number, said: Said): Minted {
  const { key, path: claimed, flags } = draft;
  const isClaimed = claimed !== undefined && claimed !== path;
  return enter(
    findingOf(draft, `${path}#${key ?? ordinal}`, path, isClaimed ? [...flags, MISATTRIBUTED] : flags),
    said,
  );
}

/** Whether the same was said already, if only under another ordinal. */
export function isRepeat(path: string, draft: Draft, said: Said): boolean {
  const bytesOf = ({ id: _, ...body }: Finding): string => canonicalJson(body);
  const bytes = bytesOf(findingOf(draft, '', path, draft.flags));
  return [...said.values()].some((finding) => bytesOf(finding) === bytes);
}

/** Keys in alphabetical order: so the canonical JSON of a finding needs no sorting. */
function findingOf(draft: Draft, id: string, path: string, flags: string[]): Finding {
  const { confidence, critical, data, measure, source = NO_SOURCE, stance, statement, unit, value } = draft;
  return {
    confidence,
    ...(critical && { critical }),
    ...(data !== undefined && { data }),
    flags,
    id,
    ...(measure !== undefined && { measure }),
    path,
    source,
    stance,
    statement,
    ...(unit !== undefined && { unit }),
    ...(value !== undefined && { value }),
  };
}

/** Takes in a finding that another logic minted: under the path of the child it came from. */
export function adopt(from: string, finding: Finding, said: Said): Minted {
  const { path, id } = finding;
  if (isWithin(path, from) && id.startsWith(`${path}#`)) return enter({ ...finding }, said);
  const key = id.slice(id.lastIndexOf('#') + 1) || '0';
  return enter({ ...finding, id: `${from}#${key}`, path: from, flags: [...finding.flags, MISATTRIBUTED] }, said);
}

function enter(finding: Finding, said: Said): Minted {
  const { id } = finding;
  if (said.has(id)) {
    const bodies = bodiesUnder(id, said);
    const bytes = canonicalJson(finding);
    const known = bodies.get(bytes);
    if (known) return { finding: known, isNew: false };
    for (let n = bodies.size + 1; said.has(finding.id); n++) finding.id = `${id}~${n}`;
    bodies.set(bytes, finding);
  }
  said.set(finding.id, deepFreeze(finding));
  return { finding, isNew: true };
}

type Bodies = Map<string, Finding>;
const bodiesBySaid = new WeakMap<Said, Map<string, Bodies>>();
/** Every body that stands under `id`, `id~2` …, by the bytes it has under `id`: a thousand of them are not compared in pairs. */
function bodiesUnder(id: string, said: Said): Bodies {
  let byId = bodiesBySaid.get(said);
  if (!byId) bodiesBySaid.set(said, (byId = new Map()));
  let bodies = byId.get(id);
  if (!bodies) {
    byId.set(id, (bodies = new Map()));
    for (let n = 1, one = said.get(id); one; one = said.get(`${id}~${++n}`)) {
      bodies.set(canonicalJson({ ...one, id }), one);
    }
  }
  return bodies;
}
