/** Lines of a terminal as they are written. Every text is escaped, wrapped and bounded on its way in. */
import { escapeTerminal } from './escape-terminal.ts';
import type { Paint, Style } from './paint.ts';
import { displayWidth, padded, wrapText } from './text-layout.ts';

export type Screen = { readonly lines: string[]; readonly width: number; readonly paint: Paint };

/** How many lines one text may take: a statement of a megabyte must not push the rest off the screen. */
const MOST_LINES = 6;

/** Writes one paragraph, of at most `most` lines; its first line begins with `first`. */
export function write(screen: Screen, text: string, first = '', style?: Style, most = MOST_LINES): void {
  const room = screen.width * most;
  const lines = wrapText(
    escapeTerminal(text.length > room ? `${text.slice(0, room - 1)}…` : text),
    screen.width,
    first,
  );
  screen.lines.push(...(style ? lines.map((line) => screen.paint(style, line)) : lines));
}

/** A heading after an empty line. */
export function heading(screen: Screen, text: string): void {
  screen.lines.push('');
  write(screen, text, '', 'bold');
}

/**
 * A table whose first column is text and whose others are figures, under the heading of its first column. Where it is
 * too wide, each row becomes a sentence.
 */
export function figures(screen: Screen, header: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  const escaped = rows.map((row) => row.map(escapeTerminal));
  const all = [header, ...escaped];
  const widths = header.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ''))));
  const total = widths.reduce((sum, width) => sum + width + 2, 0);
  screen.lines.push('');
  if (total > screen.width) {
    write(screen, header[0] ?? '', '', 'bold');
    for (const [name = '', ...cells] of rows) {
      write(screen, `${name}: ${cells.map((cell, index) => `${header[index + 1]} ${cell}`).join(', ')}`, '  ');
    }
    return;
  }
  const line = (row: readonly string[], first: string): string =>
    row
      .map((cell, column) =>
        column === 0
          ? padded(`${first}${cell}`, (widths[0] ?? 0) + 2)
          : `  ${' '.repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell)))}${cell}`,
      )
      .join('');
  screen.lines.push(screen.paint('bold', line(header, '')), ...escaped.map((row) => line(row, '  ')));
}
