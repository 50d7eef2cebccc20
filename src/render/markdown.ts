/** The few Markdown constructs a brief is made of. Texts that come in are already escaped. */
import type { Finding } from '../protocol/finding.ts';
import { codeSpan, escapeMarkdown } from './escape-markdown.ts';
import type { Reading } from './reading.ts';

/** A table; without rows, nothing. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line), ''];
}

/** A heading with its body; a body of nothing leaves the heading out. */
export const section = (heading: string, body: readonly string[]): string[] =>
  body.length === 0 ? [] : [`## ${heading}`, '', ...body, ''];

/** `F7`, or the id itself when this report does not hold the finding. No brackets: beside hostile text they could link. */
export function reference(reading: Reading, id: string): string {
  const number = reading.numberOf(id);
  return number === undefined ? codeSpan(id) : `F${number}`;
}

export const references = (reading: Reading, ids: readonly string[]): string =>
  ids.map((id) => reference(reading, id)).join(', ');

/** A finding's statement, verbatim, with its number. */
export function quoted(reading: Reading, id: string): string {
  const finding = reading.findingOf(id);
  return finding ? `${escapeMarkdown(finding.statement)} (${reference(reading, id)})` : reference(reading, id);
}

/** Ends escaped text as a sentence. A number alone must not become the marker of a list. */
export function sentence(text: string): string {
  if (/[.!?…]$/u.test(text)) return text;
  return /^\d+$/.test(text) ? `${text}\\.` : `${text}.`;
}

/** Where a finding comes from: the series or document, and the bytes when they are known. */
export function sourceOf(finding: Finding): string {
  const { kind, ref, sha256 } = finding.source;
  const bytes = sha256 === undefined ? '' : `, sha256 ${codeSpan(sha256.slice(0, 12))}`;
  return `${escapeMarkdown(kind)} ${codeSpan(ref)}${bytes}`;
}
