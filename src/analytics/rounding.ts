/** Numbers as a finding carries them and as its sentence says them. */

export const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/** Rounds half away from zero, so that rounding and negating commute. */
export const roundTo = (value: number, decimals: number): number => {
  const scale = 10 ** decimals;
  return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale + 0;
};

export const significant = (value: number, digits: number): number => Number(value.toPrecision(digits)) + 0;

/** A number's text with a typographic minus, as briefs have it everywhere. */
export const withMinus = (text: string): string => text.replace('-', '\u2212');

/** For a sentence: three significant digits, whole numbers from 100 on. */
export const figure = (value: number): string =>
  withMinus(String(Math.abs(value) >= 100 ? roundTo(value, 0) : significant(value, 3)));

/** A share as percent with one decimal: 0.0234 → "2.3 %". Three months annualised can be a number nobody can read. */
export const percent = (share: number): string =>
  share > 100 ? 'over 10000 %' : withMinus(`${roundTo(100 * share, Math.abs(share) >= 1 ? 0 : 1)} %`);

/** A log move as the share it amounts to: ln 1.1 → 0.1. */
export const shareOf = (logMove: number): number => Math.expm1(logMove);
