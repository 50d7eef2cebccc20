/** That a node asks a model, and about what that takes: for its pool, and for the estimate of a plan. */
import { EspalierError } from '../errors.ts';
import { OBJECT, shown } from './check.ts';

export type Asks = {
  /** Calls of one attempt or synthesis, a round of tools being one. Default 1. */
  readonly calls?: number;
  /** Of each call, in tokens. Default 4,000. */
  readonly inputTokens?: number;
  /** Of each call, in tokens, thinking included. Default 1,000. */
  readonly outputTokens?: number;
  /** In all calls. Default none. */
  readonly webSearches?: number;
};

const USUAL: Required<Asks> = { calls: 1, inputTokens: 4_000, outputTokens: 1_000, webSearches: 0 };

export const expectedAsks = (asks: true | Asks): Required<Asks> => (asks === true ? USUAL : { ...USUAL, ...asks });

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
