import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byComplexity } from '../../src/define/by-complexity.ts';
import type { Candidate, DeciderContext, Shape } from '../../src/define/shape.ts';
import { isNodeName } from '../../src/protocol/path.ts';

const child = (name: string, over: Partial<Candidate> = {}): Candidate => ({
  name,
  kind: 'leaf',
  question: 'q',
  charter: 'c',
  sources: [],
  needs: [],
  leaves: 1,
  tiers: 1,
  estimateMs: 1,
  measured: 0,
  ...over,
});
const shapeOf = (children: readonly Candidate[], options = {}, over: Partial<DeciderContext> = {}): Shape =>
  byComplexity(options)({ children, depthLeft: 9, canExecute: true, ...over } as DeciderContext) as Shape;
const named = (...names: string[]): Candidate[] => names.map((name) => child(name));
const groupsOf = (shape: Shape) => (shape.shape === 'divide' ? shape.groups : []);

describe('byComplexity', () => {
  it.each([
    [2, {}, 'execute'],
    [2, { canExecute: false }, 'fan-out'],
    [3, {}, 'fan-out'],
    [4, {}, 'fan-out'],
    [5, {}, 'divide'],
    [5, { depthLeft: 1 }, 'fan-out'],
    [5, { depthLeft: 2 }, 'divide'],
  ] as const)('of %i children, with %j: %s', (count, over, shape) => {
    const children = named(...['a', 'b', 'c', 'd', 'e'].slice(0, count));
    const decided = shapeOf(children, { fewest: 2, most: 4 }, over);
    expect(decided).toMatchObject({ by: 'complexity', shape, reasons: [expect.stringContaining(`${count} `)] });
  });

  it('names groups after what their members share, else by from which to which', () => {
    const names = ['us-gdp', 'us-jobs', 'uk-gdp', 'uk-jobs', 'price', 'Yield', 'bond', 'corn', 'oil'];
    expect(groupsOf(shapeOf(named(...names), { most: 8 })).map(({ name, members }) => [name, members])).toEqual([
      ['b-o', ['bond', 'corn', 'oil']],
      ['p-u', ['price', 'uk-gdp', 'uk-jobs']],
      ['u-y', ['us-gdp', 'us-jobs', 'Yield']],
    ]);
    const regions = ['east_a', 'east_b', 'west_a', 'west_b'];
    expect(groupsOf(shapeOf(named(...regions), { most: 3 })).map(({ name }) => name)).toEqual(['east', 'west']);
  });

  it('is not swayed by the order in which the children are declared, and keeps who need each other together', () => {
    const children = [...named('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), child('i', { needs: ['a'] })];
    const groups = groupsOf(shapeOf(children, { most: 8 }));
    expect(groupsOf(shapeOf(children.toReversed(), { most: 8 }))).toEqual(groups);
    expect(groups.find(({ members }) => members.includes('a'))?.members).toContain('i');
    const chain = children.map(({ name }, i) => child(name, i > 0 ? { needs: [children[i - 1]?.name ?? ''] } : {}));
    expect(shapeOf(chain, { most: 8 })).toMatchObject({
      shape: 'fan-out',
      reasons: [expect.stringContaining('need each other')],
    });
  });

  it('of any names makes groups with names of their own, each child in one, about √n of them', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isNodeName), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(names, (given) => {
        const groups = groupsOf(shapeOf(named(...given), { fewest: 0, most: 1 }));
        expect(groups.flatMap(({ members }) => members).toSorted()).toEqual(given.toSorted());
        expect(groups.map(({ name }) => name).filter((name) => !isNodeName(name))).toEqual([]);
        expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
        expect(Math.abs(groups.length - Math.sqrt(given.length))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is known by its numbers, and refuses what is none', () => {
    expect(String(byComplexity({ most: 3 }))).not.toBe(String(byComplexity({ most: 4 })));
    expect(() => byComplexity({ most: -1 })).toThrow(/byComplexity has most: -1/);
    expect(() => byComplexity({ fewest: 'x' as never })).toThrow(/fewest/);
  });
});
