import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipped, displayWidth, padded, wrapText } from '../../src/render/text-layout.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-', '漢', '👍', 'é', '⚠️'), maxLength: 120 });

describe('text in columns', () => {
  it('counts columns, not characters', () => {
    expect(['abc', '漢字', '👍', 'e\u0301', '⚠️', '−'].map(displayWidth)).toEqual([3, 4, 2, 1, 2, 1]);
  });

  it('wraps within the width and loses nothing but spaces', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 14, max: 60 }), (each, width) => {
        const lines = wrapText(each, width, '  - ');
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        const joined = lines.map((line) => line.slice(4)).join('');
        expect(joined.replaceAll(' ', '')).toBe(each.replaceAll(' ', ''));
      }),
    );
  });

  it('breaks a word that no line could hold', () => {
    expect(wrapText(`${'x'.repeat(25)} y`, 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'xxxxx y']);
  });

  it('cuts and fills to a width', () => {
    expect(clipped('abcdef', 4)).toBe('abc…');
    expect(clipped('漢字漢字', 5)).toBe('漢字…');
    expect(padded('漢', 4)).toBe('漢  ');
  });
});
