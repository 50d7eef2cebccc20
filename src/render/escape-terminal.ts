/**
 * Makes text from data files, models and errors safe to print. What cannot be seen, or would steer a terminal, is
 * written as its code point in angle brackets: `⟨U+001B⟩`.
 *  1. The result holds no control, format, line-breaking or invisible character and no lone surrogate.
 *  2. It reads unambiguously: `⟨` itself is escaped, so `revealHidden` is undone exactly by `restoreHidden`.
 */

// An emoji's variation selector is ordinary text; anywhere else it can smuggle bytes.
const HIDDEN =
  /(?<!\p{Extended_Pictographic})\uFE0F|(?!\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}⟨]/gu;
const SHOWN = /⟨U\+([0-9A-F]{4,6})⟩/g;

/** A character as its code point: `⟨U+000A⟩`. */
export const codePointOf = (character: string): string =>
  `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;

/** Shows every hidden character; all other text stays as it is. */
export const revealHidden = (text: string): string => text.replace(HIDDEN, codePointOf);

/** The text that `revealHidden` was given. */
export const restoreHidden = (shown: string): string =>
  shown.replace(SHOWN, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));

/** Text for a terminal: one line, without any escape sequence of its own. */
export const escapeTerminal = revealHidden;
