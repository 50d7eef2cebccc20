import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { findingOf } from '../tier/samples.ts';

const at = (path: string, data?: object) => findingOf(path, 'said', data === undefined ? {} : { data: data as never });
const found = [
  at('root/towns/census', { people: 7 }),
  at('root/towns/census-2', { people: 8 }),
  at('root/farms/census', { cows: 9 }),
  at('root/farms/census', { people: 10 }),
  at('root/towns/census'),
];

describe("a leaf's data", () => {
  it('is that of its own findings, where it has the declared shape', () => {
    const census = defineLeaf({ name: 'census', data: z.object({ people: z.int() }), run: () => [] });
    expect(census.dataOf(found)).toEqual([{ people: 7 }, { people: 10 }]);
  });
  it('without a declared shape is whatever its findings hold', () => {
    const census = defineLeaf({ name: 'census', run: () => [] });
    expect(census.dataOf(found)).toEqual([{ people: 7 }, { cows: 9 }, { people: 10 }]);
  });
});
