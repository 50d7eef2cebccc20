/** That a node asks a model, and about what that takes: for its pool, and for the estimate of a plan. */
import { EspalierError } from '../errors.ts';
import { OBJECT, shown } from './check.ts';

export type Asks = {
  /** Calls of one attempt or synthesis, a round of tools being one. Default 1. */
  readonly calls?: number;
  /** Of each call, in tokens. Default 4,000, and `TOKENS_PER_SEARCH` for each search. */
  readonly inputTokens?: number;
  /** Of each call, in tokens, thinking included. Default 1,000. */
  readonly outputTokens?: number;
  /** In all calls. Default none. */
  readonly webSearches?: number;
};

/** What the results of one search are taken for, in tokens of the prompt: an assumption, rather too much than too little. */
export const TOKENS_PER_SEARCH = 10_000;

const USUAL: Required<Asks> = { calls: 1, inputTokens: 4_000, outputTokens: 1_000, webSearches: 0 };

export function expectedAsks(asks: true | Asks): Required<Asks> {
  const said = asks === true ? USUAL : { ...USUAL, ...asks };
  if (asks === true || asks.inputTokens !== undefined || said.webSearches === 0) return said;
  const found = (said.webSearches * TOKENS_PER_SEARCH) / Math.max(1, said.calls);
  return { ...said, inputTokens: said.inputTokens + found };
}

/** @throws EspalierError `invalid-definition` */
export function checkAsks(owner: string, asks: unknown): void {
  if (asks === undefined || asks === true) return;
  if (!OBJECT.isMet(asks))
    throw invalid(`${owner} has asks: ${shown(asks)}. Give true, or { calls, inputTokens, outputTokens }.`);
  for (const [name, value] of Object.entries(asks as object)) {
    if (!Object.hasOwn(USUAL, name)) {
      throw invalid(`${owner} has asks with "${name}". Give any of ${Object.keys(USUAL).join(', ')}.`);
    }
    if (typeof value === 'number' && value >= 0 && value < Infinity) continue;
    throw invalid(`${owner} has asks.${name}: ${shown(value)}. Give a number of at least 0.`);
  }
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-definition', message);
