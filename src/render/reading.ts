/** What every rendering of a report says in the same words: reference numbers, sides, and the lines at its top. */
import type { Assessment } from '../protocol/assessment.ts';
import type { Finding } from '../protocol/finding.ts';
import { isHole, type Gap } from '../protocol/gap.ts';
import { isWithin, nameOf, parentOf } from '../protocol/path.ts';
import type { Report } from '../protocol/report.ts';
import { counted, enumerated, formatShare, formatSigned } from './figures.ts';

/** A report with its findings in the order in which a reader meets them, numbered from 1. */
export type Reading = {
  readonly report: Report;
  /** By child as the report lists them; criticals that the synthesis did not keep among the findings come last. */
  readonly findings: readonly Finding[];
  readonly findingOf: (id: string) => Finding | undefined;
  readonly numberOf: (id: string) => number | undefined;
};

export function readReport(report: Report): Reading {
  const placeOf = (finding: Finding): number => {
    const place = report.children.findIndex((child) => isWithin(finding.path, child.path));
    return place === -1 ? report.children.length : place;
  };
  const placed = report.findings.map((finding) => ({ finding, place: placeOf(finding) }));
  const findings = placed.sort((a, b) => a.place - b.place).map(({ finding }) => finding);
  const kept = new Set(findings.map((finding) => finding.id));
  findings.push(...report.escalations.filter((finding) => !kept.has(finding.id)));
  // Reversed, so that of two findings with one id the first one keeps it.
  const numbers = new Map(findings.map((finding, index) => [finding.id, index + 1] as const).toReversed());
  return {
    report,
    findings,
    findingOf: (id) => findings[(numbers.get(id) ?? 0) - 1],
    numberOf: (id) => numbers.get(id),
  };
}

/** The verdict in a few words, with conviction; undefined when nothing voted or the task is no thesis. */
export const verdictOf = ({ assessment }: Report): string | undefined => assessment && said(assessment);

/** Whose verdict it is, and on whose it rests, where the rules did not make them; with theirs. */
export function ownVerdictOf({ assessment, children }: Report): string | undefined {
  const { byRules } = assessment ?? {};
  const parts = children.flatMap((child) => (child.assessment?.byRules ? nameOf(child.path) : []));
  const says: string[] = [];
  if (byRules) {
    const rules = said(byRules) ?? 'no verdict, nothing voted';
    says.push(
      `Assessed by the scenario's own synthesizer. By rules it is: ${rules}, coverage ${formatShare(byRules.coverage)}.`,
    );
  }
  if (parts.length > 0) says.push(`Not by rules but by synthesizers of their own assessed: ${enumerated(parts, 5)}.`);
  return says.length === 0 ? undefined : says.join(' ');
}

function said({ verdict, conviction }: Pick<Assessment, 'verdict' | 'conviction'>): string | undefined {
  if (conviction === undefined) return verdict && `thesis ${verdict}`;
  const figure = `conviction ${formatSigned(conviction, 0)}`;
  return verdict === undefined ? figure : `thesis ${verdict}, ${figure}`;
}

/** Coverage, dissent and votes in plain words. */
export function balanceOf(report: Report): string | undefined {
  const { assessment } = report;
  if (!assessment) return undefined;
  const { supports, against, neutral, context } = assessment.votes;
  return (
    `Coverage ${formatShare(assessment.coverage)}: that share of the work could say something. ` +
    `Dissent ${formatShare(assessment.dissent)}, between 0 % (all parts lean one way) and 50 % (evenly split). ` +
    `${counted(supports, 'finding')} for, ${against} against, ${neutral} neutral, ${context} context only.`
  );
}

/** Below this share of the work, a verdict rests on too little to stand without a word about it. */
const LOW_COVERAGE = 0.5;

/** What a reader must hear first when most of the work could say nothing, though nothing that was due is missing. */
export function lowCoverageOf({ assessment, status }: Report): string | undefined {
  if (!assessment || status === 'failed' || assessment.coverage >= LOW_COVERAGE) return undefined;
  const share = formatShare(assessment.coverage);
  return `Low coverage: this brief rests on ${share} of the work; the rest could say nothing.`;
}

/** Whether anything voted, neutral votes included: only then is there a leaning to show. */
export const hasVoted = ({ supports, against, neutral }: Assessment['votes']): boolean =>
  supports + against + neutral > 0;

export const holesOf = (report: Report): readonly Gap[] => report.gaps.filter((gap) => isHole(gap));

/** Gaps that say the same of several children of one node, together. */
export type GapGroup = Omit<Gap, 'path'> & { readonly parent: string; readonly paths: readonly string[] };

/** What was due and did not come first; within that, in the order of the report. */
export function groupGaps(gaps: readonly Gap[]): readonly GapGroup[] {
  const holesFirst = [...gaps].sort((a, b) => Number(isHole(b)) - Number(isHole(a)));
  const groups = Map.groupBy(holesFirst, (gap) => JSON.stringify([parentOf(gap.path), gap.kind, whyMissing(gap)]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return [
      { parent: parentOf(first.path), kind: first.kind, why: whyMissing(first), paths: group.map((gap) => gap.path) },
    ];
  });
}

/** Why there is a gap, and whether trying again cannot close it. */
export const whyMissing = ({ why, needsHuman }: Gap): string => (needsHuman ? `${why} (needs a human)` : why);

/** `root/macro/a`, or for several `root/macro: a, b and 3 more`. */
export function placesOf(group: GapGroup, most: number): string {
  const [only] = group.paths;
  if (group.paths.length === 1 && only !== undefined) return only;
  return `${group.parent}: ${enumerated([...new Set(group.paths.map(nameOf))], most)}`;
}

/** What is missing, as part of a sentence: a node, or only its synthesis. */
export const missingOf = (group: GapGroup, most: number): string =>
  group.kind === 'synthesis' ? `the synthesis of ${placesOf(group, most)}` : placesOf(group, most);

/** `3 critical findings`, and how many of them oppose. */
export function criticalCount(report: Report): string {
  const against = report.escalations.filter((finding) => finding.stance < 0).length;
  const all = counted(report.escalations.length, 'critical finding');
  return report.assessment ? `${all}, ${against} against the thesis` : all;
}
