import { describe, expect, it } from 'vitest';
import { alternatives, nearest } from '../../src/cli/nearest.ts';

const PATHS = ['root', 'root/macro', 'root/macro/jobs', 'root/company', 'root/company/ibm'];

describe('nearest', () => {
  it.each([
    ['root/marco', 'root/macro'],
    ['macro', 'root/macro'],
    ['JOBS', 'root/macro/jobs'],
    ['macro/jobs', 'root/macro/jobs'],
    ['root/compny/ibm', 'root/company/ibm'],
  ])('finds what %s was meant to be', (typed, meant) => {
    expect(nearest(typed, PATHS)[0]).toBe(meant);
  });

  it('offers what there is', () => {
    expect(alternatives(nearest('x', ['a', 'b', 'c', 'd']))).toBe('"a", "b" or "c"');
    expect(alternatives(['a'])).toBe('"a"');
  });
});
