import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeSpan, escapeMarkdown } from '../../src/render/escape-markdown.ts';
import { codePointOf, escapeTerminal } from '../../src/render/escape-terminal.ts';
import { anyText } from './hostile-text.ts';

type Piece = { text: string; isCode: boolean };

/** Reads inline Markdown the way CommonMark does, as far as escapes and code spans go. */
function readInline(markdown: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  for (let i = 0; i < markdown.length; i++) {
    const character = markdown[i] ?? '';
    if (character === '\\') {
      const next = markdown[++i] ?? '';
      expect(next).toMatch(/[!-/:-@[-`{-~]/); // else the backslash would show
      plain += next;
    } else if (character === '`') {
      const end = markdown.indexOf('`', i + 1);
      expect(end).toBeGreaterThan(i + 1);
      pieces.push({ text: plain, isCode: false }, { text: markdown.slice(i + 1, end), isCode: true });
      plain = '';
      i = end;
    } else {
      expect(character).not.toMatch(/[*[\]<{}|~$#]/); // active, and not escaped
      plain += character;
    }
  }
  return [...pieces, { text: plain, isCode: false }];
}

const visible = (text: string): string =>
  escapeTerminal(text).replace(/^\s+|\s+$/gu, (space) => Array.from(space, codePointOf).join(''));

describe('escapeMarkdown', () => {
  it('leaves ordinary prose as it is', () => {
    const text = 'S&P 500 (2008-05): 12-1 momentum is -9.5 %, "high" of us_tech > 3; AT&T 2.1';
    expect(escapeMarkdown(text)).toBe(text);
  });

  it.each([
    ['emphasis', '*a* __b__ ~c~', '\\*a\\* \\_\\_b\\_\\_ \\~c\\~'],
    ['a link', '[click](javascript:x)', '\\[click\\](javascript:x)'],
    ['HTML', '<img onerror=x>', '\\<img onerror=x>'],
    ['an entity', '&lt;b&gt;', '\\&lt;b\\&gt;'],
    ['an address', 'see https://e.vil/x_y now', 'see `https://e.vil/x_y` now'],
    ['a mail address', 'a@b.co', '`a@b.co`'],
    ['a heading', '# a #', '\\# a \\#'],
    ['a list', '- a', '\\- a'],
    ['a numbered list', '12. a', '12\\. a'],
    ['a quote', '> a', '\\> a'],
    ['a table cell', 'a | b', 'a \\| b'],
    ['math', '$x$', '\\$x\\$'],
    ['several lines', 'a\n\n# b', 'a⟨U+000A⟩⟨U+000A⟩\\# b'],
    ['an indented block', '    a', '⟨U+0020⟩⟨U+0020⟩⟨U+0020⟩⟨U+0020⟩a'],
  ])('makes %s inert', (_, text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped);
  });

  it('shows what it was given and nothing active (invariant 1)', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const pieces = readInline(escapeMarkdown(text));
        expect(pieces.map((piece) => piece.text).join('')).toBe(visible(text));
        const active = pieces.filter((piece) => !piece.isCode).map((piece) => piece.text);
        for (const plain of active) expect(plain).not.toMatch(/\/\/|@|www\.|mailto:/i); // invariant 2
      }),
      { numRuns: 2_000 },
    );
  });

  it('is linear in the length of a text', () => {
    const started = performance.now();
    escapeMarkdown('a'.repeat(2_000_000));
    escapeMarkdown('&'.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('codeSpan', () => {
  it('sets ids in monospace', () => {
    expect(codeSpan('root/macro/gdp#k_1')).toBe('`root/macro/gdp#k_1`');
  });

  it('falls back to escaped text where a code span could not hold it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = readInline(codeSpan(text));
        expect(shown.map((piece) => piece.text).join('')).toBe(
          codeSpan(text) === escapeMarkdown(text) ? visible(text) : escapeTerminal(text),
        );
      }),
    );
  });
});
