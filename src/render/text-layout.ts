/** Plain text in a given number of columns. */

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]|\uFE0F/u;
const ZERO = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;
const ASCII = /^[\x20-\x7E]*$/;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);
const graphemeWidth = (grapheme: string): number => (ZERO.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1);

/** How many columns of a terminal a text without escape sequences takes. */
export const displayWidth = (text: string): number =>
  ASCII.test(text) ? text.length : graphemes(text).reduce((width, grapheme) => width + graphemeWidth(grapheme), 0);

/** A word longer than a line, in pieces that fit. */
function broken(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const grapheme of graphemes(word)) {
    const wide = graphemeWidth(grapheme);
    if (used + wide > width && piece !== '') {
      pieces.push(piece);
      [piece, used] = ['', 0];
    }
    piece += grapheme;
    used += wide;
  }
  return [...pieces, piece];
}

/** A number keeps its per cent sign. */
const WORD_GAP = / (?!%(?:[\s,.;:)]|$))/;

/**
 * Wraps one paragraph to `width` columns. The first line begins with `first`, the others with as many spaces; a line
 * always takes at least 10 columns of text, however narrow the terminal is.
 */
export function wrapText(text: string, width: number, first = ''): string[] {
  const indent = displayWidth(first);
  const room = Math.max(10, width - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(WORD_GAP).flatMap((each) => broken(each, room))) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines.map((each, index) => `${index === 0 ? first : ' '.repeat(indent)}${each}`);
}

/**
 * Wraps to at most `most` lines, all but the first indented by two. What does not fit is left out from where a clause
 * ends, or else a word, with an ellipsis: a number is never cut in two.
 */
export function wrappedWithin(text: string, width: number, most: number): string[] {
  const room = width - 2;
  // More than can fit, but no more of it: a statement may be a megabyte.
  const flat = clipped(text, width * (most + 1))
    .replaceAll(/ +/g, ' ')
    .trim();
  const [first = ''] = wrapText(flat, width);
  if (first.length === flat.length) return [first];
  if (most === 1) return [cutShort(first, width - 2)];
  const rest = wrapText(flat.slice(first.length).trimStart(), room);
  const shown = rest.length < most ? rest : [...rest.slice(0, most - 2), cutShort(rest[most - 2] ?? '', room - 2)];
  return [first, ...shown.map((line) => `  ${line}`)];
}

function cutShort(line: string, room: number): string {
  const [kept = ''] = wrapText(line, room);
  const clause = Math.max(kept.lastIndexOf(', '), kept.lastIndexOf('; '));
  const whole = clause > kept.length / 2 ? kept.slice(0, clause + 1) : kept.replace(/ [-−+]?[\d.,]+$/, '');
  return `${whole} …`;
}

/** Fills up with spaces on the right. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)));

/** Cuts to `width` columns, with an ellipsis where something is missing. */
export function clipped(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const [head = ''] = broken(text, Math.max(1, width - 1));
  return `${head}…`;
}
