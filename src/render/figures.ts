/** Numbers, shares and times as people read them. Exact values are in the JSON. */
import { formatAmount } from '../protocol/amount.ts';
import type { Budget } from '../protocol/grant.ts';

const MINUS = '\u2212';
/** In place of a figure where there is nothing to measure: not 0, and not 100 %. */
export const NO_FIGURE = '–';
const withMinus = (text: string): string => text.replace('-', MINUS);

/** Four significant digits, integers in full: `1,234,567`, `−0.08213`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return withMinus(value.toExponential(3));
  const whole = Number.isInteger(value) || size >= 10_000;
  const digits: Intl.NumberFormatOptions = whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return withMinus(value.toLocaleString('en-US', digits));
}

/** A number with its sign and fixed decimals: `+0.40`, `−54`, `0`. */
export function formatSigned(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return (0).toFixed(decimals);
  return `${value < 0 ? MINUS : '+'}${text}`;
}

/** A weight, strength or the like, to two decimals. */
export const formatWeight = (weight: number): string => withMinus(weight.toFixed(2));

/** A share of 1 in per cent. What is not quite all never reads as 100 %, what is not quite nothing never as 0 %. */
export function formatShare(share: number): string {
  const rounded = Math.round(share * 100);
  if (rounded >= 100 && share < 1) return `${Math.floor(share * 1000) / 10} %`;
  if (rounded <= 0 && share > 0) return 'below 1 %';
  return `${rounded} %`;
}

/** `412 ms`, `1.4 s`, `12 s`, `8 min`, `1 h 5 min`. */
export function formatDuration(ms: number): string {
  if (!(ms > 0)) return '0 s';
  if (ms < 999.5) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Epoch milliseconds as UTC: `2026-11-20 10:12:03 UTC`. */
export function formatInstant(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** US dollars: `$12.50`, `$0.0042`. */
export const formatUsd = (usd: number): string => {
  if (usd === 0 || usd >= 1) return `$${usd.toFixed(usd === 0 ? 0 : 2)}`;
  return `$${usd.toLocaleString('en-US', { minimumSignificantDigits: 2, maximumSignificantDigits: 2 })}`;
};

/** `1 finding`, `3 findings`; give the plural where it is not the singular and an "s". */
export const counted = (count: number, singular: string, plural = `${singular}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? singular : plural}`;

/** `$0.5, 1,200 tokens and 3 leaves`. */
export const formatBudget = ({ usd, tokens, leaves }: Budget): string =>
  enumerated([
    ...(usd === undefined ? [] : [formatAmount('usd', usd)]),
    ...(tokens === undefined ? [] : [formatAmount('tokens', tokens)]),
    ...(leaves === undefined ? [] : [formatAmount('leaves', leaves)]),
  ]);

/** `a`, `a and b`, `a, b and c`; past `most`, `a, b and 7 more`. */
export function enumerated(items: readonly string[], most = Number.POSITIVE_INFINITY): string {
  const shown = items.length > most ? [...items.slice(0, most), `${items.length - most} more`] : items;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
