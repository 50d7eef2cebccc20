/**
 * Makes untrusted text inert in Markdown, wherever in a line or table cell it is put: CommonMark, GFM, and the math,
 * attribute and linkify extensions of common viewers.
 *  1. Rendered, it shows exactly `escapeTerminal(text)`: no markup, HTML, entity, link or block comes from it.
 *  2. What a viewer would turn into a link stands in a code span, the one place where no viewer links.
 */
import { codePointOf, escapeTerminal } from './escape-terminal.ts';

// A bar would end a table cell even within code, a backslash or backtick the code span: all three stand alone, and
// since the runs between them are maximal, two code spans never touch.
const PARTS = /[^\s|`\\]+|[|`\\]/gu;
const LINKABLE = /\/\/|@|www\.|mailto:|xmpp:/i;
const ACTIVE = /[\\`*[\]<{}|~$#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|&(?=[#\w]+;)/gu;
const BLOCK_START = /^(?:[=>]|[-+](?=[\s\-+]|$)|\d{1,9}(?=[.)](?:\s|$)))/;
const EDGE_SPACE = /^\s+|\s+$/gu;

const escapePart = (part: string): string => (LINKABLE.test(part) ? `\`${part}\`` : part.replace(ACTIVE, '\\$&'));
const escapeStart = (start: string): string => (/\d/.test(start) ? `${start}\\` : `\\${start}`);

/** Text as inline Markdown, on one line. */
export const escapeMarkdown = (text: string): string =>
  escapeTerminal(text)
    .replace(EDGE_SPACE, (space) => Array.from(space, codePointOf).join(''))
    .replace(PARTS, escapePart)
    .replace(BLOCK_START, escapeStart);

/** An id, path or reference in monospace; as escaped text when a code span cannot hold it. */
export function codeSpan(text: string): string {
  const shown = escapeTerminal(text);
  return /[`|\\]|^\s|\s$|^$/u.test(shown) ? escapeMarkdown(text) : `\`${shown}\``;
}
