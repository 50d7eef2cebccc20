import { EspalierError } from '../errors.ts';
import type { Budget } from '../protocol/grant.ts';
import { OBJECT, shown } from './check.ts';

/** Up to here all sums are exact. */
export const MOST_USD = 1_000_000;

/** @throws EspalierError `invalid-input` */
export function budgetOf(budget: Budget): Budget {
  if (!OBJECT.isMet(budget)) {
    throw new EspalierError('invalid-input', `The limit budget is ${shown(budget)}. Give { usd, tokens, leaves }.`);
  }
  const unknown = Object.keys(budget).find((name) => !['usd', 'tokens', 'leaves'].includes(name));
  if (unknown !== undefined) {
    throw new EspalierError('invalid-input', `The limit budget has "${unknown}". Give any of usd, tokens and leaves.`);
  }
  const { usd, tokens, leaves } = budget;
  if (usd !== undefined && !(typeof usd === 'number' && usd >= 0 && usd <= MOST_USD)) {
    throw new EspalierError(
      'invalid-input',
      `The limit budget.usd is ${shown(usd)}. Give a number from 0 to ${MOST_USD}, in US dollars.`,
    );
  }
  return {
    ...(usd !== undefined && { usd }),
    ...(tokens !== undefined && { tokens: wholeNumber('budget.tokens', tokens, 0) }),
    ...(leaves !== undefined && { leaves: wholeNumber('budget.leaves', leaves, 0) }),
  };
}

/** @throws EspalierError `invalid-input` */
export function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new EspalierError(
    'invalid-input',
    `The limit ${name} is ${shown(value)}. Give a whole number of at least ${least}.`,
  );
}
