import { max, mean, median, min, sum } from 'simple-statistics';
import type { Finding } from '../protocol/finding.ts';
import type { Derived } from '../protocol/synthesis.ts';
import { numberOf, roundingOf } from './numbers.ts';

/**
 * Whether a declared number is what its operation gives on the values of the findings it names, rounded at most to
 * its own decimals; a count must be exact, and of distinct findings. False when a finding is unknown or has no value,
 * when there is nothing to operate on, or when a difference or ratio does not name two. A map of the findings by id
 * spares a scan per call.
 */
export function recomputes(derived: Derived, findings: readonly Finding[] | ReadonlyMap<string, Finding>): boolean {
  const known = 'get' in findings ? findings : mapById(findings);
  const named = derived.from.map((id) => known.get(id));
  if (named.includes(undefined)) return false;
  if (derived.op === 'count') return derived.value === named.length && new Set(derived.from).size === named.length;
  const values = named.flatMap((finding) => finding?.value ?? []);
  if (values.length === 0 || values.length < named.length) return false;
  const value = OPERATIONS[derived.op](values);
  if (value === undefined || !Number.isFinite(value)) return false;
  const printed = numberOf(derived.value);
  const decimals = printed.kind === 'number' ? printed.decimals : 0;
  return Math.abs(value - derived.value) <= roundingOf(derived.value, decimals);
}

const pairOf = (values: number[], combine: (a: number, b: number) => number): number | undefined => {
  const [a, b] = values;
  return a === undefined || b === undefined || values.length > 2 ? undefined : combine(a, b);
};
const OPERATIONS: Record<Exclude<Derived['op'], 'count'>, (values: number[]) => number | undefined> = {
  sum,
  mean,
  median,
  min,
  max,
  difference: (values) => pairOf(values, (a, b) => a - b),
  ratio: (values) => pairOf(values, (a, b) => a / b),
};

const mapById = (findings: readonly Finding[]): ReadonlyMap<string, Finding> =>
  new Map(findings.map((finding) => [finding.id, finding]));
