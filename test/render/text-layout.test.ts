import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipped, displayWidth, padded, wrappedWithin, wrapText } from '../../src/render/text-layout.ts';

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

  it('keeps a number and its per cent sign on one line', () => {
    expect(wrapText('it is 12.2 % below', 9)).toEqual(['it is', '12.2 %', 'below']);
    expect(wrapText('it is 12.2 %', 10)).toEqual(['it is', '12.2 %']);
  });

  it('leaves out what does not fit some lines from where a clause or a word ends, not within a number', () => {
    const within = (statement: string, width: number): string => wrappedWithin(statement, width, 2).join('\n');
    expect(within('It fell by 3 %', 40)).toBe('It fell by 3 %');
    expect(within('It fell by 3 %, more than in any year since 1982, and by 21.5 % in all', 40)).toBe(
      'It fell by 3 %, more than in any year\n  since 1982, and by 21.5 % in all',
    );
    expect(within('It fell by 3 %, more than in any year since 1982, at an annual -21.5 % in all', 40)).toBe(
      'It fell by 3 %, more than in any year\n  since 1982, at an annual -21.5 % in …',
    );
    expect(within('It fell by 3 %, less than before but since April 1982, at an annual -21.5 % in all', 40)).toBe(
      'It fell by 3 %, less than before but\n  since April 1982, …',
    );
    expect(within('It fell in some of the years that are known by as much as 123456789012345 at least', 40)).toBe(
      'It fell in some of the years that are\n  known by as much as …',
    );
  });

  it('fits the lines it may have, however long the text is', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 20, max: 60 }), fc.integer({ min: 1, max: 3 }), (each, width, most) => {
        const lines = wrappedWithin(each.repeat(3), width, most);
        expect(lines.length).toBeLessThanOrEqual(most);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
    expect(wrappedWithin('very '.repeat(200_000), 80, 2)).toHaveLength(2);
  });

  it('cuts and fills to a width', () => {
    expect(clipped('abcdef', 4)).toBe('abc…');
    expect(clipped('漢字漢字', 5)).toBe('漢字…');
    expect(padded('漢', 4)).toBe('漢  ');
  });
});
