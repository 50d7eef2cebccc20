/** Where a JSON text breaks, as an editor counts: line and column from 1. */
type Place = { readonly line: number; readonly column: number };

const NAMES_ITS_POSITION = /at position (\d+)/;
/** The one kind of fault that V8 reports without a position; a prefix that ends too early gets another message. */
const WITHOUT_POSITION = 'Unexpected token';

/** The place of the first fault, from the error that `JSON.parse` threw for this text. */
export function placeOfFault(text: string, error: unknown): Place {
  const before = text.slice(0, offsetOf(text, messageOf(error)));
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: before.length - lineStart + 1 };
}

function offsetOf(text: string, message: string): number {
  const position = NAMES_ITS_POSITION.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (!message.startsWith(WITHOUT_POSITION)) return text.length;
  // The shortest prefix with that fault ends with the character at fault.
  let intact = 0;
  let broken = text.length;
  while (broken - intact > 1) {
    const middle = (intact + broken) >>> 1;
    if (faultIn(text.slice(0, middle)).startsWith(WITHOUT_POSITION)) broken = middle;
    else intact = middle;
  }
  return intact;
}

function faultIn(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '');
