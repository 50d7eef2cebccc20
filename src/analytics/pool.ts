/**
 * Pools findings into one balance of evidence.
 *  1. The order in which findings are given changes nothing, to the last bit: sums run in order of id.
 *  2. Turning every stance around turns the sign of the log-odds and nothing else.
 */
import { sum } from 'simple-statistics';
import { sideOf, votes, weightOf, type Finding, type Side } from '../protocol/finding.ts';
import type { Assessment, Evidence } from '../protocol/assessment.ts';

/** Log-odds of one finding that speaks fully for the thesis: odds of about 5 to 1. */
const LOG_ODDS_PER_STANCE = 1.6;
/** Findings of one node share sources and methods: n of them count as n / (1 + (n − 1)·ρ) independent ones. */
const CORRELATION = 0.5;

export type Votes = Assessment['votes'];
export type Pool = {
  /** Above 0 the evidence leans towards the thesis. 0 when nothing votes. */
  readonly logOdds: number;
  /** min(w⁺, w⁻) / (w⁺ + w⁻), 0 … 0.5. */
  readonly dissent: number;
  readonly votes: Votes;
};

/** Whether anything voted, neutral votes included. */
export const hasVoted = (votes: Votes): boolean => votes.supports + votes.against + votes.neutral > 0;

/** How evenly two weights oppose each other: 0 when one is empty, 0.5 when they are equal. */
export const dissentOf = (supports: number, against: number): number =>
  supports + against > 0 ? Math.min(supports, against) / (supports + against) : 0;

/**
 * Confidence-weighted pool of the voting findings: ℓ = Σc·1.6·s / Σc · √n_eff with n_eff = n / (1 + (n − 1)·0.5).
 *
 * A logarithmic opinion pool (Genest and Zidek 1986), its extremizing factor the root of the effective sample size
 * under equal correlation (Kish's design effect).
 */
export const pool = (findings: readonly Finding[]): Pool => poolOf(evidenceIn(findings));

/** What a pool of these findings is made of. */
export function evidenceIn(findings: readonly Finding[], leaves = 0): Evidence {
  const bySide: Record<Side, Finding[]> = { supports: [], against: [], neutral: [], context: [] };
  for (const finding of findings.toSorted(byId)) bySide[sideOf(finding)].push(finding);
  const { supports, against, neutral, context } = bySide;
  const voting = [...supports, ...against, ...neutral].sort(byId);
  return {
    against: sum(against.map(weightOf)),
    confidence: sum(voting.map((finding) => finding.confidence)),
    leaves,
    // + 0 turns −0, which has no place in a report, into 0
    stance: sum(voting.map((finding) => finding.confidence * finding.stance)) + 0,
    supports: sum(supports.map(weightOf)),
    votes: {
      against: against.length,
      context: context.length,
      neutral: neutral.length,
      supports: supports.length,
    },
  };
}

/** Of several groups of findings as of one. Evidence that stands in two of them counts twice. */
export const addEvidence = (all: readonly Evidence[]): Evidence => ({
  against: sum(all.map((one) => one.against)),
  confidence: sum(all.map((one) => one.confidence)),
  leaves: sum(all.map((one) => one.leaves)),
  stance: sum(all.map((one) => one.stance)) + 0,
  supports: sum(all.map((one) => one.supports)),
  votes: addVotes(all.map((one) => one.votes)),
});

export function poolOf({ against, confidence, stance, supports, votes }: Evidence): Pool {
  const voting = votes.supports + votes.against + votes.neutral;
  const effective = voting / (1 + (voting - 1) * CORRELATION);
  return {
    logOdds: confidence > 0 ? (LOG_ODDS_PER_STANCE * stance * Math.sqrt(effective)) / confidence + 0 : 0,
    dissent: dissentOf(supports, against),
    votes,
  };
}

export function addVotes(all: readonly Votes[]): Votes {
  const total = { against: 0, context: 0, neutral: 0, supports: 0 };
  for (const votes of all) {
    total.supports += votes.supports;
    total.against += votes.against;
    total.neutral += votes.neutral;
    total.context += votes.context;
  }
  return total;
}

/**
 * Groups of findings that are one piece of evidence, said by several nodes: same source, date, measure, value, unit
 * and direction. Heaviest first within a group, groups in order of their first id. A node that says the same figure
 * twice means two things by it, so such a group is left alone.
 */
export function duplicatesIn(findings: readonly Finding[]): Finding[][] {
  const groups = Map.groupBy(findings, (finding) => {
    const { measure, value, unit, source, stance } = finding;
    if (measure === undefined || value === undefined) return undefined;
    return JSON.stringify([source.ref, source.asOf, measure, value, unit, Math.sign(stance), votes(finding)]);
  });
  groups.delete(undefined);
  return [...groups.values()]
    .filter((group) => group.length > 1 && new Set(group.map((finding) => finding.path)).size === group.length)
    .map((group) => group.sort(heavierFirst))
    .sort(([a], [b]) => (a && b ? byId(a, b) : 0));
}

/** The findings with every piece of evidence counted once. */
export function distinctEvidence(findings: readonly Finding[]): Finding[] {
  const repeats = new Set(duplicatesIn(findings).flatMap((group) => group.slice(1)));
  return findings.filter((finding) => !repeats.has(finding));
}

/** Compares by code units, so that the order is the same in every locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byId = (a: Finding, b: Finding): number => compareText(a.id, b.id);
/** By weight, then confidence (findings without a stance weigh nothing), then id. */
export const heavierFirst = (a: Finding, b: Finding): number =>
  weightOf(b) - weightOf(a) || b.confidence - a.confidence || byId(a, b);
