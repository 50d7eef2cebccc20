/** What properties have looked at, in a line each, for `npm run properties` to print. */
import { appendFileSync } from 'node:fs';

const file = process.env['FIGURES'];

export function figure(line: string): void {
  if (file) appendFileSync(file, `${line}\n`);
}
/** How long one property may take. */
export const PATIENCE_MS = file ? 3_600_000 : 60_000;
export const count = (n: number): string => n.toLocaleString('en-US');
