/**
 * The synthesis that asks no model: deduplicate, classify, score. Default at every tier, and the fall-back when another
 * synthesis is rejected.
 *  1. Every finding that came in has exactly one disposition; critical ones are always kept.
 *  2. Of each side, and of each side of a conflict, the heaviest finding is kept, whatever the limit.
 *  3. The narrative cites only what came in, and holds no number that is not in a cited finding or in `derived`.
 *  4. The order in which children ended changes nothing.
 */
import type { Assessment } from '../protocol/assessment.ts';
import type { Conflict, Relation } from '../protocol/conflict.ts';
import { sideOf, type Finding, type Side } from '../protocol/finding.ts';
import { nameOf } from '../protocol/path.ts';
import type { Derived, Disposition, Merge, Synthesis } from '../protocol/synthesis.ts';
import { conflictAmong, LEAST_LEAN, relationsBetween } from './conflict.ts';
import { assessHearing, hear, type AssessmentInput, type Hearing } from './conviction.ts';
import { numbersIn } from './numbers.ts';
import { distinctEvidence, duplicatesIn, hasVoted, heavierFirst } from './pool.ts';

/** How many findings pass up when nobody says otherwise: a brief is for people, a domain's report for its parent. */
const KEPT_AT_ROOT = 20;
const KEPT_BELOW_ROOT = 24;
const LONGEST_QUOTE = 240;

export type SynthesisInput = AssessmentInput;
export type DeterministicSynthesisOptions = {
  /** How many findings to keep; critical ones and the heaviest of each side stay in any case. */
  readonly keep?: number;
  /** Whether a critical finding against the thesis holds conviction at +20. Default true. */
  readonly cap?: boolean;
};

/** Pools, ranks and words what the children of a node said, reports and the partials of failure tokens alike. */
export function deterministicSynthesis(input: SynthesisInput, options: DeterministicSynthesisOptions = {}): Synthesis {
  const { task } = input;
  const hearing = hear(input);
  const own = conflictAmong(task.path, hearing.direct);
  const conflicts = own ? [own, ...hearing.conflicts] : [...hearing.conflicts];
  const relations = relationsBetween(hearing.orchestrators);
  const assessment = assessHearing(task, hearing, options);
  const limit = options.keep ?? (task.tier === 'root' ? KEPT_AT_ROOT : KEPT_BELOW_ROOT);
  return {
    madeBy: 'deterministic',
    ...dispose(hearing.incoming, conflicts, limit),
    ...narrate({ hearing, assessment, conflicts, relations, path: task.path }),
    conflicts,
    relations,
    gaps: [],
    assessment,
  };
}

function dispose(
  incoming: readonly Finding[],
  conflicts: readonly Conflict[],
  limit: number,
): { dispositions: Disposition[]; merges: Merge[] } {
  const groups = duplicatesIn(incoming.filter((finding) => !finding.critical));
  const leadOf = new Map(groups.flatMap((group) => group.map((finding) => [finding.id, group[0]?.id] as const)));
  const ranked = incoming.filter((finding) => (leadOf.get(finding.id) ?? finding.id) === finding.id).sort(heavierFirst);
  const passing = new Set(ranked.slice(0, Math.max(0, limit)).map((finding) => finding.id));
  for (const side of ['supports', 'against'] as const) {
    const heaviest = ranked.find((finding) => sideOf(finding) === side);
    if (heaviest) passing.add(heaviest.id);
  }
  for (const { findings } of conflicts.flatMap((conflict) => [conflict.supports, conflict.against])) {
    const [heaviest] = findings;
    if (heaviest !== undefined) passing.add(leadOf.get(heaviest) ?? heaviest);
  }
  const merges = groups
    .flatMap(([lead]) => (lead && passing.has(lead.id) ? lead : []))
    .map((lead, i) => ({ key: `duplicate-${i + 1}`, lead: lead.id, statement: lead.statement }));
  const keyOf = new Map(merges.map((merge) => [merge.lead, merge.key]));
  const dispositions = incoming.map(({ id, critical }): Disposition => {
    const lead = leadOf.get(id) ?? id;
    const into = keyOf.get(lead);
    if (into !== undefined) return { id, as: 'merged', into };
    return critical || passing.has(lead)
      ? { id, as: 'kept' }
      : { id, as: 'dropped', why: `below the ${limit} heaviest` };
  });
  return { dispositions, merges };
}

type Story = {
  hearing: Hearing;
  assessment: Assessment;
  conflicts: readonly Conflict[];
  relations: readonly Relation[];
  path: string;
};

function narrate(story: Story): { narrative: string; derived: Derived[] } {
  const { hearing, assessment } = story;
  const { incoming } = hearing;
  if (incoming.length === 0) {
    return { narrative: 'No child reported a finding. The gaps say what is missing and why.', derived: [] };
  }
  const derived: Derived[] = [];
  const count: Count = (findings, one, many) => {
    derived.push({ value: findings.length, op: 'count', from: findings.map((finding) => finding.id) });
    return `${findings.length} ${findings.length === 1 ? one : many}`;
  };
  const distinct = distinctEvidence(incoming);
  const bySide = Map.groupBy(distinct.toSorted(heavierFirst), sideOf);
  const sentences = [
    opening(incoming, distinct, count),
    sides(bySide, count),
    balance(assessment),
    ...quotes(bySide),
    disagreement(story),
  ];
  return { narrative: sentences.filter((sentence) => sentence !== '').join(' '), derived };
}
/** Words a number of findings and declares it as derived. */
type Count = (findings: readonly Finding[], one: string, many: string) => string;
type BySide = ReadonlyMap<Side, readonly Finding[]>;

function opening(incoming: readonly Finding[], distinct: readonly Finding[], count: Count): string {
  const parts = [`${count(incoming, 'finding', 'findings')} came in`];
  const known = new Set(distinct);
  const repeats = incoming.filter((finding) => !known.has(finding));
  if (repeats.length > 0) parts.push(count(repeats, 'repeats another', 'repeat others'));
  const criticals = incoming.filter((finding) => finding.critical);
  if (criticals.length > 0) parts.push(count(criticals, 'is critical', 'are critical'));
  return `${parts.join(', ')}.`;
}

function sides(bySide: BySide, count: Count): string {
  const of = (side: Side): readonly Finding[] => bySide.get(side) ?? [];
  if (of('supports').length + of('against').length === 0) return 'None takes a side.';
  const parts: string[] = [];
  if (of('supports').length > 0) parts.push(count(of('supports'), 'speaks for the thesis', 'speak for the thesis'));
  if (of('against').length > 0)
    parts.push(count(of('against'), 'speaks against the thesis', 'speak against the thesis'));
  if (of('neutral').length > 0) parts.push(count(of('neutral'), 'is neutral', 'are neutral'));
  if (of('context').length > 0) parts.push(count(of('context'), 'gives context', 'give context'));
  return `${parts.join(', ')}.`;
}

function balance(assessment: Assessment): string {
  const { votes, coverage, verdict, capped } = assessment;
  const missing = coverage < 1 ? 'not every child could say something; the gaps say why' : '';
  if (!hasVoted(votes)) return missing && `However, ${missing}.`;
  const leaning = leaningOf(assessment);
  const settled = { supported: 'supports the thesis', contradicted: 'contradicts the thesis', 'not established': '' };
  const said = (verdict && settled[verdict]) || (verdict ? `does not settle the thesis and ${leaning}` : leaning);
  const held = capped ? ', held down by critical findings against it' : '';
  return `On balance the evidence ${said}${held}${missing && `, though ${missing}`}.`;
}

/** In words that agree with the figure beside them: only what shows as 0 leans neither way. */
function leaningOf({ logOdds, conviction, verdict }: Assessment): string {
  const isSlight = Math.abs(logOdds) <= LEAST_LEAN;
  const isNought = (conviction ?? Number(logOdds.toFixed(2))) === 0;
  if (isSlight && isNought) return 'leans neither way';
  const towards = `${logOdds > 0 ? 'for' : 'against'} ${verdict ? 'it' : 'the thesis'}`;
  if (isSlight) return `leans slightly ${towards}, too little to call`;
  return isNought ? `leans ${towards} only as far as it goes` : `leans ${towards}`;
}

/** The heaviest finding of either side; where nobody takes a side, the two most reliable ones. */
function quotes(bySide: BySide): string[] {
  const heaviest = (side: Side): Finding | undefined => bySide.get(side)?.find(isCitable);
  const quoted = [
    ['Heaviest for the thesis', heaviest('supports')],
    ['Heaviest against the thesis', heaviest('against')],
  ] as const;
  const sentences = quoted.flatMap(([intro, finding]) => (finding ? `${intro}: ${quote(finding)}.` : []));
  if (sentences.length > 0) return sentences;
  const [first, second] = [...bySide.values()].flat().filter(isCitable).sort(heavierFirst);
  return [first, second].flatMap((finding) => (finding ? `Reported: ${quote(finding)}.` : []));
}

/** An id with brackets of its own cannot be cited in brackets by every reader. */
const isCitable = ({ id }: { id: string }): boolean => !/[[\]]/.test(id);

/** What a finding states, cut between words, without brackets that would read as citations. */
function quote({ id, statement }: Finding): string {
  const flat = statement.replaceAll(/\s+/g, ' ').replaceAll('[', '(').replaceAll(']', ')').trim();
  const lastSpace = flat.lastIndexOf(' ', LONGEST_QUOTE);
  const end = lastSpace > 0 ? lastSpace : LONGEST_QUOTE; // a word longer than the quote is cut within
  const cut = flat.length > LONGEST_QUOTE ? `${flat.slice(0, end).trim()} …` : flat;
  return `${cut.replace(/[.,;:!?\s]{1,8}$/, '')} [${id}]`;
}

/** Children that contradict each other; else a conflict; else children that reinforce each other. */
function disagreement({ conflicts, relations, path }: Story): string {
  const [strongest] = relations;
  const [conflict] = conflicts;
  if (conflict && strongest?.kind !== 'contradicts') {
    const where = conflict.path === path ? 'among the findings' : `within ${named(conflict.path, 'one child')}`;
    const leads = [conflict.supports.findings[0], conflict.against.findings[0]].flatMap((id) =>
      id !== undefined && isCitable({ id }) ? `[${id}]` : [],
    );
    return `A conflict ${where} stays open${leads.length === 2 ? `: ${leads.join(' against ')}` : ''}.`;
  }
  if (!strongest) return '';
  const [a, b] = [named(strongest.between[0], 'one child'), named(strongest.between[1], 'another child')];
  return strongest.kind === 'contradicts'
    ? `Of the children, ${a} contradicts ${b}.`
    : `Of the children, ${a} and ${b} agree.`;
}

/** A node's name, unless it holds what would read as a number that no finding reported. */
const named = (path: string, otherwise: string): string =>
  numbersIn(nameOf(path)).length === 0 ? nameOf(path) : otherwise;
