import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeTerminal } from '../../src/render/escape-terminal.ts';
import { anyText } from './hostile-text.ts';

const unescape = (shown: string): string =>
  shown.replace(/⟨U\+([0-9A-F]{4,6})⟩/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));

describe('escapeTerminal', () => {
  it('leaves ordinary text of any script as it is', () => {
    const text = 'MSFT: −27 % (“high”), naïve 漢字 👍 ⚠️ عربى';
    expect(escapeTerminal(text)).toBe(text);
  });

  it.each([
    ['a colour', '\u001b[31mred', '⟨U+001B⟩[31mred'],
    ['a link', '\u001b]8;;http://e.vil\u0007', '⟨U+001B⟩]8;;http://e.vil⟨U+0007⟩'],
    ['an 8-bit sequence', '\u009b2J', '⟨U+009B⟩2J'],
    ['line breaks', 'a\r\nb\u2028c', 'a⟨U+000D⟩⟨U+000A⟩b⟨U+2028⟩c'],
    ['a change of direction', 'abc\u202edef', 'abc⟨U+202E⟩def'],
    ['nothing to see', 'a\u200bb\u{e0041}', 'a⟨U+200B⟩b⟨U+E0041⟩'],
    ['bytes hidden in variation selectors', 'a\ufe0f\ufe01', 'a⟨U+FE0F⟩⟨U+FE01⟩'],
    ['half a character', 'a\ud800b', 'a⟨U+D800⟩b'],
    ['its own notation', '⟨U+001B⟩', '⟨U+27E8⟩U+001B⟩'],
  ])('shows %s', (_, text, shown) => {
    expect(escapeTerminal(text)).toBe(shown);
  });

  it('lets nothing hidden through (invariant 1)', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(escapeTerminal(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('reads unambiguously (invariant 2)', () => {
    fc.assert(fc.property(anyText, (text) => unescape(escapeTerminal(text)) === text));
  });
});
