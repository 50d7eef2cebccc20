import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import type { Leaf } from '../../src/define/spec.ts';
import { stagesOf } from '../../src/define/stages.ts';

const leafOf = (name: string, needs: readonly string[] = []): Leaf => defineLeaf({ name, needs, run: () => [] });
const namesOf = (children: readonly Leaf[]): string[][] =>
  stagesOf('Domain "d"', children).map((stage) => stage.map(({ name }) => name));

/** Siblings without a cycle: each may need those before it; then shuffled. */
const siblings = fc
  .array(fc.array(fc.nat(20), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((needs) =>
    needs.map((picks, i) => leafOf(`n${i}`, i === 0 ? [] : [...new Set(picks.map((pick) => `n${pick % i}`))])),
  )
  .chain((leaves) => fc.shuffledSubarray(leaves, { minLength: leaves.length }));

describe('stages', () => {
  it('hold every child once', () => {
    fc.assert(
      fc.property(siblings, (children) => {
        expect(namesOf(children).flat().sort()).toEqual(children.map(({ name }) => name).sort());
      }),
    );
  });
  it('put each child right after the last it needs, and one that needs none into the first', () => {
    fc.assert(
      fc.property(siblings, (children) => {
        const stages = namesOf(children);
        const stageOf = (name: string): number => stages.findIndex((stage) => stage.includes(name));
        for (const { name, needs = [] } of children) {
          expect(stageOf(name)).toBe(1 + Math.max(-1, ...needs.map(stageOf)));
        }
      }),
    );
  });
  it('are never empty, and keep the declared order', () => {
    fc.assert(
      fc.property(siblings, (children) => {
        const order = children.map(({ name }) => name);
        for (const stage of namesOf(children)) {
          expect(stage.length).toBeGreaterThan(0);
          expect(stage).toEqual(order.filter((name) => stage.includes(name)));
        }
      }),
    );
  });
  it('are one per link of a chain, declared in any order', () => {
    const chain = Array.from({ length: 1_000 }, (_, i) => leafOf(`n${i}`, i === 0 ? [] : [`n${i - 1}`]));
    expect(namesOf(chain.toReversed())).toEqual(chain.map(({ name }) => [name]));
  });
  it('of a chain are found however long it is', () => {
    const chain = Array.from({ length: 9_000 }, (_, i) => leafOf(`n${i}`, i === 0 ? [] : [`n${i - 1}`]));
    expect(namesOf(chain.toReversed())).toEqual(chain.map(({ name }) => [name]));
    const ring = [leafOf('n0', ['n8999']), ...chain.slice(1)];
    expect(() => namesOf(ring)).toThrow(/^Domain "d" has a cycle of needs: n0 → n8999 → .* → n1 → n0\. Remove/);
  });
  it('any cycle is found, wherever it hides', () => {
    fc.assert(
      fc.property(siblings, fc.nat(), fc.nat(), (children, from, length) => {
        const order = children.map(({ name }) => name);
        const ring = Array.from(
          { length: 1 + (length % order.length) },
          (_, i) => order[(from + i) % order.length] ?? '',
        );
        const cyclic = children.map((child) => {
          const at = ring.indexOf(child.name);
          return at === -1 ? child : leafOf(child.name, [...(child.needs ?? []), ring[(at + 1) % ring.length] ?? '']);
        });
        expect(() => namesOf(cyclic)).toThrow(/^Domain "d" has a cycle of needs: (\S+) → (?:\S+ → )*\1\. Remove/);
      }),
    );
  });
});
