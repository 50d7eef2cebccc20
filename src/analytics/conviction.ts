/**
 * Combines what the children of a node say into its assessment. One function serves root, domain and sub-domain:
 *  1. Leaf children speak together, as one pool of findings; an orchestrator child speaks with its own log-odds.
 *  2. A child that said nothing lowers coverage and nothing else.
 *  3. Conviction and verdict are the root's alone, and only when something voted.
 *  4. Sub-domains that a decision made have no voice of their own: their node pools as if it had not divided itself.
 */
import { sum } from 'simple-statistics';
import type { Assessment, Evidence } from '../protocol/assessment.ts';
import type { Conflict } from '../protocol/conflict.ts';
import type { ChildSpec, Decision } from '../protocol/decision.ts';
import type { Finding } from '../protocol/finding.ts';
import { childPath } from '../protocol/path.ts';
import type { Outcome, UnsealedReport } from '../protocol/report.ts';
import type { Task } from '../protocol/task.ts';
import { passOn } from './conflict.ts';
import {
  addEvidence,
  addVotes,
  compareText,
  dissentOf,
  distinctEvidence,
  evidenceIn,
  hasVoted,
  pool,
  poolOf,
  type Pool,
} from './pool.ts';
import { patternsAcross } from './patterns.ts';
import { keyRisks, opposingCriticals } from './risks.ts';

/** Voices share a world: D of them count as √max(1, 0.6·D) towards certainty. */
const VOICES = 0.6;
/** Where conviction stops as long as a critical finding speaks against the thesis. */
const CAP = 20;
/** From this conviction on, the evidence supports or contradicts the thesis. */
const VERDICT = 25;
/** Keeps a foreign assessment's log-odds finite in sums. Beyond 40, conviction is 100 to the last bit anyway. */
const MOST_LOG_ODDS = 1e6;

/** What one child, or all leaf children together, have to say. */
export type Voice = Pool & { readonly path: string; readonly coverage: number };
export type Hearing = {
  /** Every finding that came in, once, in order of id. */
  readonly incoming: readonly Finding[];
  /** The findings of leaf children, with every piece of evidence counted once. */
  readonly direct: readonly Finding[];
  /** Orchestrator children that said something, in order of path. */
  readonly orchestrators: readonly Voice[];
  /** The same, and the leaf children together, under the node's own path; sub-domains that a decision made looked through. */
  readonly voices: readonly Voice[];
  /** Of the leaf children together. */
  readonly evidence: Evidence;
  /** The conflicts of orchestrator children, with the findings of theirs that came up. */
  readonly conflicts: readonly Conflict[];
  /** Share of the activated children that could say something. */
  readonly coverage: number;
};
export type AssessmentInput = {
  readonly task: Task;
  readonly decision: Decision;
  readonly ended: readonly { readonly name: string; readonly outcome: Outcome }[];
};

/** The report of a child, or what it left behind. */
const saidBy = (outcome: Outcome): UnsealedReport | undefined =>
  outcome.kind === 'report' ? outcome : outcome.partial;

/**
 * Sorts what the children said into voices. Children that were skipped by decision are not missing; children that
 * were activated and cut off are, also when a quorum was reached without them: what they would have said is unknown.
 */
export function hear({ task, decision, ended }: AssessmentInput): Hearing {
  const bodies = ended
    .flatMap(({ outcome }) => saidBy(outcome) ?? [])
    .filter((body) => body.findings.length > 0 || body.assessment)
    .sort((a, b) => compareText(a.path, b.path));
  const planned = decision.stages.flat();
  const specs = new Map(planned.map((child) => [childPath(task.path, child.name), child]));
  const names = new Set([...planned, ...ended].map((child) => child.name));
  const activated = sum([...names].map((name) => widthOf(specs.get(childPath(task.path, name)))));
  const leaves = bodies.filter(isLeaf);
  const direct = distinctEvidence(unique(leaves));
  const others = bodies.filter((body) => !isLeaf(body));
  const orchestrators = others.map((body) => voiceOf(body, specs.get(body.path)?.leaves));
  const within = others.map((body, i) => lookedInto(body, specs.get(body.path), orchestrators[i] as Voice));
  const evidence = addEvidence([evidenceIn(direct, leaves.length), ...within.flatMap((one) => one.evidence ?? [])]);
  const leafChildren = planned.filter((child) => child.role === 'leaf').length;
  const plannedLeaves = sum([leafChildren, ...within.map((one) => one.leaves)]);
  const together = {
    path: task.path,
    coverage: evidence.leaves / Math.max(1, evidence.leaves, plannedLeaves),
    ...poolOf(evidence),
  };
  const heard = leaves.length + sum(orchestrators.map(({ path, coverage }) => coverage * widthOf(specs.get(path))));
  const incoming = unique(bodies);
  const ids = new Set(incoming.map((finding) => finding.id));
  const voices = within.flatMap((one) => one.voices).sort((a, b) => compareText(a.path, b.path));
  return {
    incoming,
    direct,
    conflicts: bodies.flatMap((body) => body.conflicts.map((conflict) => passOn(conflict, ids))),
    orchestrators,
    voices: evidence.leaves > 0 ? [...voices, together] : voices,
    evidence,
    coverage: activated > 0 ? Math.min(1, heard / activated) : 0,
  };
}

/** For how many children it stands: a sub-domain that a decision made for its members. */
const widthOf = (spec: ChildSpec | undefined): number => spec?.members?.length ?? 1;

type Within = { readonly voices: readonly Voice[]; readonly evidence?: Evidence; readonly leaves: number };
/** An orchestrator child as its node hears it: with its own voice, or, one that a decision made, as what is in it. */
function lookedInto(body: UnsealedReport, spec: ChildSpec | undefined, voice: Voice): Within {
  const { path, assessment, children, decision, findings } = body;
  const { members } = spec ?? {};
  if (!members) return { voices: [voice], leaves: 0 };
  if (assessment) {
    const { evidence } = assessment;
    if (!evidence) return { voices: [voice], leaves: 0 }; // another synthesis assessed it
    const planned = decision?.stages.flat().filter(({ role }) => role === 'leaf').length ?? 0;
    const voices = children.flatMap((child) => (child.assessment ? [{ path: child.path, ...child.assessment }] : []));
    return { voices, evidence, leaves: planned };
  }
  // It died: what its members were heard to say is theirs.
  const own = new Set(members.map((member) => childPath(path, member)));
  const [said, deeper] = [findings.filter((one) => own.has(one.path)), findings.filter((one) => !own.has(one.path))];
  const evidence = evidenceIn(distinctEvidence(said), new Set(said.map((one) => one.path)).size);
  return { voices: deeper.length > 0 ? [{ ...voice, ...pool(deeper) }] : [], evidence, leaves: members.length };
}

/** An orchestrator that executed in place of its children keeps its own tier, and so its own voice. */
const isLeaf = (body: UnsealedReport): boolean => body.tier === 'leaf' && !body.assessment;

function voiceOf(body: UnsealedReport, leaves: number | undefined): Voice {
  const { path, assessment, findings } = body;
  if (assessment) {
    const { coverage, dissent, votes } = assessment;
    const logOdds = Math.max(-MOST_LOG_ODDS, Math.min(MOST_LOG_ODDS, assessment.logOdds));
    return { path, logOdds, coverage, dissent, votes };
  }
  return { path, coverage: coverageOf(body, leaves), ...pool(distinctEvidence(findings)) };
}

/** How complete a node is that did not assess itself: `leaves` is how many its parent's decision expected under it. */
function coverageOf({ children, decision, findings, gaps }: UnsealedReport, leaves: number | undefined): number {
  if (children.length > 0) {
    return children.filter(({ status }) => status === 'complete' || status === 'partial').length / children.length;
  }
  // It executed in place of its children: each of its readings gave a finding or a gap.
  if (decision?.mode === 'execute') {
    const unread = gaps.filter(({ kind }) => kind === 'stale' || kind === 'insufficient' || kind === 'undone').length;
    return findings.length / Math.max(1, findings.length + unread);
  }
  // It died: of its leaves those speak that were heard. Of unknown many, none can be said to be all.
  const heard = new Set(findings.map((finding) => finding.path)).size;
  return leaves === undefined ? 0 : Math.min(1, heard / leaves);
}

/** ℓ = Σ cov·ℓ_d / Σ cov · √max(1, 0.6·D) over the D voices that voted. One voice alone is passed on as it is. */
export function combine(voices: readonly Voice[]): Pool {
  const votes = addVotes(voices.map((voice) => voice.votes));
  const voting = voices.filter((voice) => voice.coverage > 0 && hasVoted(voice.votes));
  const [only] = voting;
  if (!only) return { logOdds: 0, dissent: 0, votes };
  if (voting.length === 1) return { logOdds: only.logOdds, dissent: only.dissent, votes };
  const leanings = voting.map((voice) => voice.coverage * voice.logOdds);
  const coverage = sum(voting.map((voice) => voice.coverage));
  const certainty = Math.sqrt(Math.max(1, VOICES * voting.length));
  return {
    logOdds: (sum(leanings) / coverage) * certainty + 0,
    dissent: dissentOf(sum(leanings.filter((l) => l > 0)), sum(leanings.filter((l) => l < 0).map(Math.abs))),
    votes,
  };
}

export type Conviction = Required<Pick<Assessment, 'conviction' | 'verdict'>> & Pick<Assessment, 'capped'>;

/**
 * conviction = 100·(2σ(ℓ) − 1)·coverage, rounded half away from zero; at most +20 while any critical finding opposes
 * (`cap: false` lifts that: then turning every stance around turns the sign and nothing else). The verdict is read
 * off the rounded figure: supported from +25, contradicted from −25.
 */
export function convictionOf(
  { logOdds, coverage }: { logOdds: number; coverage: number },
  criticals: readonly Finding[],
  { cap = true }: { cap?: boolean } = {},
): Conviction {
  const exact = 100 * Math.tanh(logOdds / 2) * coverage; // 2σ(ℓ) − 1 = tanh(ℓ/2)
  const from = Math.sign(exact) * Math.round(Math.abs(exact)) + 0;
  const by = cap && from > CAP ? opposingCriticals(criticals).map((finding) => finding.id) : [];
  const conviction = by.length > 0 ? CAP : from;
  const verdict = conviction >= VERDICT ? 'supported' : conviction <= -VERDICT ? 'contradicted' : 'not established';
  return { conviction, verdict, ...(by.length > 0 && { capped: { from, by } }) };
}

/** What a reader must know before reading any of the figures. */
export const labelOf = (asOf: string | undefined): string =>
  `Balance of evidence as of ${asOf ?? 'the time of the run'}: not a forecast, and not a probability of return.`;

/** The assessment of a node from what its children said. `cap: false` lifts the cap on conviction. */
export const assess = (input: AssessmentInput, options: { cap?: boolean } = {}): Assessment =>
  assessHearing(input.task, hear(input), options);

export function assessHearing(task: Task, hearing: Hearing, options: { cap?: boolean } = {}): Assessment {
  const { incoming, coverage } = hearing;
  const combined = combine(hearing.voices);
  const concludes = task.tier === 'root' && hasVoted(combined.votes);
  return {
    label: labelOf(task.asOf),
    ...combined,
    coverage,
    ...(task.tier === 'domain' && { evidence: hearing.evidence }),
    ...(concludes && convictionOf({ logOdds: combined.logOdds, coverage }, incoming, options)),
    risks: keyRisks(incoming),
    patterns: patternsAcross(incoming),
  };
}

const unique = (bodies: readonly UnsealedReport[]): Finding[] =>
  [...new Map(bodies.flatMap((body) => body.findings).map((finding) => [finding.id, finding])).values()].sort((a, b) =>
    compareText(a.id, b.id),
  );
