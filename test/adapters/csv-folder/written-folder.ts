import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder with these files, gone when the test is: among concurrent ones, say by its own `atEnd` which it is. */
export function writtenFolder(files: Readonly<Record<string, string>>, atEnd = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'csv-folder-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** As little as an entry may hold, and what a test adds or breaks. */
export const entry = (over: Readonly<Record<string, unknown>> = {}) => ({
  id: 'jobs',
  domain: 'macro',
  title: 'Jobs',
  file: 'jobs.csv',
  ...over,
});

export const manifestOf = (...series: readonly unknown[]): string => JSON.stringify({ thesis: 'Hold shares', series });

/** Monthly values from January 2000 on. */
export const monthly = (values: readonly number[]): string =>
  ['date,value', ...values.map((value, i) => `${2000 + Math.floor(i / 12)}-${pad((i % 12) + 1)}-01,${value}`), ''].join(
    '\n',
  );
const pad = (month: number): string => String(month).padStart(2, '0');
