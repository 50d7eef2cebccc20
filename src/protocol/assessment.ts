import { z } from 'zod';

/** Critical findings against the thesis that say the same thing, ranked by weight. Every one is among the escalations too. */
export const KeyRisk = z.object({
  findings: z.array(z.string()).min(1),
  /** The id of the finding that speaks for the cluster. */
  lead: z.string(),
  nodes: z.array(z.string()),
  rank: z.int().min(1),
  rule: z.string(),
  weight: z.number(),
});
export type KeyRisk = z.infer<typeof KeyRisk>;

/** One measure that points the same way in several nodes. */
export const Pattern = z.object({
  direction: z.enum(['supports', 'against']),
  findings: z.array(z.string()).min(2),
  measure: z.string(),
  nodes: z.array(z.string()).min(2),
});
export type Pattern = z.infer<typeof Pattern>;

const Votes = z.object({ against: z.int(), context: z.int(), neutral: z.int(), supports: z.int() });

/** The sums that a pool of findings is made of: two pools are one by adding these. */
export const Evidence = z.object({
  /** Of the findings that speak against the thesis: the sum of their weights. */
  against: z.number().min(0),
  /** Over the findings that vote. */
  confidence: z.number().min(0),
  /** How many leaves said something. */
  leaves: z.int().min(0),
  /** Over the findings that vote, weighted by confidence. */
  stance: z.number(),
  supports: z.number().min(0),
  votes: Votes,
});
export type Evidence = z.infer<typeof Evidence>;

const Conviction = z.number().min(-100).max(100);
const Share = z.number().min(0).max(1);
const Verdict = z.enum(['supported', 'contradicted', 'not established']);

/**
 * The balance of the evidence as of a date. It says how the evidence leans, not what will happen: `label` says so in
 * words. `conviction` (−100 … +100) and `verdict` are the root's alone, and absent when nothing voted.
 */
export const Assessment = z.object({
  /**
   * Set when the scenario's own synthesizer made this assessment, and not the rules: what these make of the same
   * findings.
   */
  byRules: z
    .object({
      conviction: Conviction.exactOptional(),
      coverage: Share,
      logOdds: z.number(),
      verdict: Verdict.exactOptional(),
    })
    .exactOptional(),
  /** Set when opposing critical findings held conviction down. */
  capped: z.object({ by: z.array(z.string()), from: z.number() }).exactOptional(),
  conviction: Conviction.exactOptional(),
  /** Share of the children that could say something, 0 … 1. */
  coverage: Share,
  dissent: z.number().min(0).max(0.5),
  /** Of a domain: what its own leaves said. A node that has divided itself pools it as if it had not. */
  evidence: Evidence.exactOptional(),
  label: z.string(),
  logOdds: z.number(),
  patterns: z.array(Pattern),
  risks: z.array(KeyRisk),
  verdict: Verdict.exactOptional(),
  votes: Votes,
});
export type Assessment = z.infer<typeof Assessment>;
