/** What the command line knows of the terminal it writes to. */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { Paint } from '../render/paint.ts';

/** Emphasis as far as the stream shows it: none when it is no terminal, is dumb, or NO_COLOR asks for none. */
export const paintFor =
  (stream: NodeJS.WritableStream): Paint =>
  (style, text) =>
    text === '' ? '' : styleText(style, text, { stream });

/** Whether lines can be redrawn in place. */
export const canRedraw = (stream: WriteStream): boolean => stream.isTTY && process.env['TERM'] !== 'dumb';

/** The size of a terminal. Some report 0 by 0: those are taken for the common one. */
export const sizeOf = (stream: WriteStream): { columns: number; rows: number } => ({
  columns: stream.columns || 80,
  rows: stream.rows || 24,
});

/** The width to wrap at. Very long lines are hard to read, however wide the window is. */
export const widthOf = (stream: WriteStream): number => Math.min(sizeOf(stream).columns, 100);
