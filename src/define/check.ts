/** Checks of what was written: a scenario may be JavaScript, or TypeScript that nobody has checked. */
import { EspalierError } from '../errors.ts';

type Rule = { readonly isMet: (value: unknown) => boolean; readonly remedy: string };

const hasMethod = (value: unknown, method: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function';
export const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

export const TEXT: Rule = { isMet: (value) => typeof value === 'string', remedy: 'Give a text.' };
export const NAMES: Rule = { isMet: isNames, remedy: 'Give a list of names: ["a", "b"].' };
export const METHOD: Rule = { isMet: (value) => typeof value === 'function', remedy: 'Give a function.' };
export const OBJECT: Rule = {
  isMet: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  remedy: 'Give an object.',
};
export const ADAPTER: Rule = {
  isMet: (value) => hasMethod(value, 'load'),
  remedy: 'Give a source adapter, such as inMemorySources([ … ]).',
};
export const MEMORY: Rule = {
  isMet: (value) => hasMethod(value, 'read') && hasMethod(value, 'append'),
  remedy: 'Give what memoryFolder returns.',
};
export const STORE: Rule = {
  isMet: (value) => hasMethod(value, 'begin'),
  remedy: 'Give what memoryStore or sqliteStore returns.',
};
export const FLAG: Rule = { isMet: (value) => typeof value === 'boolean', remedy: 'Give true or false.' };
export const SCHEMA: Rule = {
  isMet: (value) => hasMethod(value, 'safeParse'),
  remedy: 'Give a zod schema, such as z.object({ … }).',
};

/**
 * Checks the fields that are there.
 * @throws EspalierError `invalid-definition`
 */
export function checkFields(owner: string, spec: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [field, { isMet, remedy }] of Object.entries(rules)) {
    const value: unknown = (spec as Record<string, unknown>)[field];
    if (value === undefined || isMet(value)) continue;
    throw new EspalierError('invalid-definition', `${owner} has ${field}: ${shown(value)}. ${remedy}`);
  }
}

/** @throws EspalierError `invalid-definition` */
export function checkWeight(owner: string, weight: unknown): void {
  if (weight === undefined || (typeof weight === 'number' && weight > 0 && weight < Infinity)) return;
  throw new EspalierError('invalid-definition', `${owner} has weight: ${shown(weight)}. Give a number above 0.`);
}

/** @throws EspalierError `invalid-definition` */
export function checkSpec(call: string, spec: unknown): void {
  if (OBJECT.isMet(spec)) return;
  throw new EspalierError(
    'invalid-definition',
    `${call} was given ${shown(spec)}. Give an object: ${call}({ name: "…", … }).`,
  );
}

const LONGEST = 60;

/** A value as a message names it: with its type, where that is not plain. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `the text ${JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value)}`;
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}
