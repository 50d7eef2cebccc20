/** Statistics and synthesis without a model: the analysts, and what becomes of their findings on the way up. */
export * from './analysts.ts';
export { conflictAmong, relationsBetween, type Leaning } from './conflict.ts';
export { assess, combine, convictionOf, type AssessmentInput, type Conviction, type Voice } from './conviction.ts';
export { recomputes } from './derived.ts';
export {
  deterministicSynthesis,
  type DeterministicSynthesisOptions,
  type SynthesisInput,
} from './deterministic-synthesis.ts';
export { knownNumbers, numbersIn, splitCitations, type NumberInText } from './numbers.ts';
export { patternsAcross } from './patterns.ts';
export { distinctEvidence, dissentOf, pool, type Pool, type Votes } from './pool.ts';
export { keyRisks } from './risks.ts';
