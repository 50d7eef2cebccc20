/**
 * Makes text from data files, models and errors safe to print. What cannot be seen, or would steer a terminal, is
 * written as its code point in angle brackets: `⟨U+001B⟩`.
 *  1. The result holds no control, format, line-breaking or invisible character and no lone surrogate.
 *  2. It reads unambiguously: `⟨` itself is escaped, so no two texts are shown alike.
 */

// An emoji's variation selector is ordinary text; anywhere else it can smuggle bytes.
const HIDDEN =
  /(?<!\p{Extended_Pictographic})\uFE0F|(?!\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}⟨]/gu;

/** A character as its code point: `⟨U+000A⟩`. */
export const codePointOf = (character: string): string =>
  `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;

/** Text for a terminal: one line, without any escape sequence of its own. All that can be seen stays as it is. */
export const escapeTerminal = (text: string): string => text.replace(HIDDEN, codePointOf);
