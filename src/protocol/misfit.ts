/** What is wrong with a value that a schema refused, in words for whoever wrote the value. */
import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a finite number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const LONGEST = 60;

/** The first fault: `stance is 1.4; it must be −1 to 1`. `given` is what was refused. */
export function misfitOf({ issues: [issue] }: z.ZodError, given: unknown): string {
  if (!issue) return 'it has the wrong shape';
  const where = issue.path.map(String).join('.');
  const demand = demandOf(issue);
  if (demand === undefined) return where === '' ? issue.message : `${where}: ${issue.message}`;
  return `${where === '' ? 'it' : where} is ${shown(valueAt(given, issue.path))}; it must be ${demand}`;
}

/** What a schema says by default, and a message of ours that names both ends: `−1 to 1`. Others say all by themselves. */
const BY_DEFAULT = /^(?:Invalid|Too) /;
const BOTH_ENDS = /^[−\d.]+ to [−\d.]+$/;

/** What would have been right; undefined where the message already says it all. */
function demandOf(issue: z.core.$ZodIssue): string | undefined {
  const { message } = issue;
  if (!BY_DEFAULT.test(message)) return BOTH_ENDS.test(message) ? message : undefined;
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected];
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return sized(issue.origin, `at least ${issue.minimum}`);
    case 'too_big':
      return sized(issue.origin, `at most ${issue.maximum}`);
    case 'invalid_format':
      return issue.format === 'date' ? 'a calendar date such as 2008-06-01' : undefined;
    default:
      return undefined;
  }
}

function sized(origin: string, bound: string): string {
  if (origin === 'string') return `${bound} characters long`;
  return origin === 'array' ? `${bound} items long` : bound;
}

const valueAt = (given: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], given);

function shown(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'string':
      return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}
