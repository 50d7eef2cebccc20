import { EspalierError } from '../errors.ts';
import type { Budget } from '../protocol/grant.ts';
import { OBJECT, shown } from './check.ts';

/** Up to here all sums are exact. */
export const MOST_USD = 1_000_000;

/** `whose`: for messages. @throws EspalierError `invalid-input` */
export function budgetOf(budget: Budget, whose = 'The limit budget'): Budget {
  if (!OBJECT.isMet(budget)) {
    throw new EspalierError('invalid-input', `${whose} is ${shown(budget)}. Give { usd, tokens, leaves }.`);
  }
  const unknown = Object.keys(budget).find((name) => !['usd', 'tokens', 'leaves'].includes(name));
  if (unknown !== undefined) {
    throw new EspalierError('invalid-input', `${whose} has "${unknown}". Give any of usd, tokens and leaves.`);
  }
  const { usd, tokens, leaves } = budget;
  if (usd !== undefined && !(typeof usd === 'number' && usd >= 0 && usd <= MOST_USD)) {
    throw new EspalierError(
      'invalid-input',
      `${whose}.usd is ${shown(usd)}. Give a number from 0 to ${MOST_USD}, in US dollars.`,
    );
  }
  return {
    ...(usd !== undefined && { usd }),
    ...(tokens !== undefined && { tokens: wholeNumber(`${whose}.tokens`, tokens, 0) }),
    ...(leaves !== undefined && { leaves: wholeNumber(`${whose}.leaves`, leaves, 0) }),
  };
}

/** @throws EspalierError `invalid-input` */
export function wholeNumber(what: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new EspalierError('invalid-input', `${what} is ${shown(value)}. Give a whole number of at least ${least}.`);
}
