import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { misfitOf } from '../../src/protocol/misfit.ts';

const told = (schema: z.ZodType, given: unknown): string => {
  const { error } = schema.safeParse(given);
  return error ? misfitOf(error, given) : '';
};

describe('what does not fit its schema', () => {
  test.each<[z.ZodType, unknown, string]>([
    [z.object({ n: z.int() }), { n: 1.5 }, 'n is 1.5; it must be a whole number'],
    [z.object({ n: z.number().min(1) }), { n: 0 }, 'n is 0; it must be at least 1'],
    [z.object({ n: z.number().max(1) }), { n: 2 }, 'n is 2; it must be at most 1'],
    [z.array(z.string()).max(1), ['a', 'b'], 'it is a list; it must be at most 1 items long'],
    [z.object({ s: z.array(z.string()) }), { s: ['a', {}] }, 's.1 is an object; it must be a text'],
    [z.literal(1), null, 'it is null; it must be 1'],
    [z.iso.date(), 'x'.repeat(99), `it is "${'x'.repeat(60)}…"; it must be a calendar date such as 2008-06-01`],
  ])('%# is said in plain words', (schema, given, words) => {
    expect(told(schema, given)).toBe(words);
  });

  it('is said in the words of its schema where that has some', () => {
    expect(told(z.object({ n: z.number().max(5, 'at most five towns') }), { n: 6 })).toBe('n: at most five towns');
    expect(told(z.string({ error: 'name it' }), undefined)).toBe('name it');
    expect(told(z.strictObject({}), { a: 1 })).toBe('Unrecognized key: "a"');
  });
});
