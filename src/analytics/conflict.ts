/** Disagreement, kept open: both sides stand, nothing here settles it. */
import { sum } from 'simple-statistics';
import type { Conflict, Relation } from '../protocol/conflict.ts';
import { sideOf, weightOf, type Finding } from '../protocol/finding.ts';
import { nameOf } from '../protocol/path.ts';
import { compareText, dissentOf, heavierFirst } from './pool.ts';
import { withMinus } from './rounding.ts';

/** From this dissent on, the lighter side holds at least three tenths of the weight. */
const LEAST_DISSENT = 0.3;
/** Log-odds within ±0.25 (odds of about 5 to 4) lean too little to call. */
export const LEAST_LEAN = 0.25;
/** Relations are pairs: only the strongest children of either direction are compared, or 10,000 would give 50 million. */
const MOST_RELATED = 12;

/** The conflict among the findings of one node, heaviest first on both sides; undefined below a dissent of 0.3. */
export function conflictAmong(path: string, findings: readonly Finding[]): Conflict | undefined {
  const ranked = findings.toSorted(heavierFirst);
  const supports = ranked.filter((finding) => sideOf(finding) === 'supports');
  const against = ranked.filter((finding) => sideOf(finding) === 'against');
  const [w, v] = [sum(supports.map(weightOf)), sum(against.map(weightOf))];
  const dissent = dissentOf(w, v);
  if (dissent < LEAST_DISSENT) return undefined;
  return {
    path,
    dissent,
    supports: { findings: supports.map((finding) => finding.id), weight: w },
    against: { findings: against.map((finding) => finding.id), weight: v },
    resolution: 'open',
    statement: `${supports.length} for (weight ${w.toFixed(2)}) and ${against.length} against (weight ${v.toFixed(2)})`,
  };
}

/**
 * A child's conflict as its parent passes it on: dissent and weights as the child measured them, but only findings
 * that came up, since a report may cite no others.
 */
export function passOn(conflict: Conflict, incoming: ReadonlySet<string>): Conflict {
  const cameUp = (id: string): boolean => incoming.has(id);
  return {
    ...conflict,
    supports: { ...conflict.supports, findings: conflict.supports.findings.filter(cameUp) },
    against: { ...conflict.against, findings: conflict.against.findings.filter(cameUp) },
  };
}

export type Leaning = { readonly path: string; readonly logOdds: number };

/**
 * How the children of a node stand to each other: `contradicts` when their log-odds have opposite signs,
 * `reinforces` when they have the same, both beyond ±0.25. Contradictions first, then by strength.
 */
export function relationsBetween(children: readonly Leaning[]): Relation[] {
  const strongest = children
    .filter((child) => Math.abs(child.logOdds) > LEAST_LEAN)
    .sort((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds) || compareText(a.path, b.path));
  const related = [
    ...strongest.filter((child) => child.logOdds > 0).slice(0, MOST_RELATED),
    ...strongest.filter((child) => child.logOdds < 0).slice(0, MOST_RELATED),
  ].sort((a, b) => compareText(a.path, b.path));
  return related
    .flatMap((a, i) => related.slice(i + 1).map((b) => relate(a, b)))
    .sort(
      (a, b) =>
        compareText(a.kind, b.kind) ||
        b.strength - a.strength ||
        compareText(a.between.join('\n'), b.between.join('\n')),
    );
}

function relate(a: Leaning, b: Leaning): Relation {
  const kind = a.logOdds * b.logOdds < 0 ? 'contradicts' : 'reinforces';
  return {
    kind,
    between: [a.path, b.path],
    strength: Math.min(Math.abs(a.logOdds), Math.abs(b.logOdds)),
    statement: `${leaning(a)} ${kind} ${leaning(b)}`,
  };
}

const leaning = ({ path, logOdds }: Leaning): string =>
  `${nameOf(path)} (${logOdds > 0 ? '+' : ''}${withMinus(logOdds.toFixed(2))})`;
