/**
 * What a folder of series says of itself. Untrusted: ids and files are checked before anybody uses them, texts pass
 * through and are escaped by whoever shows them. Keys that are not known here are somebody else's business.
 */
import { isAbsolute, win32 } from 'node:path';
import { z } from 'zod';
import { EspalierError } from '../../errors.ts';
import { placeOfFault } from './json-place.ts';

export const MANIFEST = 'manifest.json';
const LATEST_LAG_MONTHS = 1_200;

const name = z
  .string()
  .regex(/^[^/\\\p{C}]{1,128}$/u, 'use 1 to 128 characters, without "/", "\\" or control characters')
  .refine((text) => !text.includes('..'), 'leave out ".."');

const file = z
  .string()
  .min(1, 'name a file')
  .regex(/^\P{Cc}*$/u, 'leave out control characters')
  .refine((path) => !isAbsolute(path) && !win32.isAbsolute(path), 'give a path relative to the folder')
  .refine((path) => !path.split(/[/\\]/).includes('..'), 'stay inside the folder: leave out ".."');

const CsvSeries = z.object({
  /** The id by which a leaf reads the series; unique in the manifest. */
  id: name,
  domain: name,
  title: z.string().min(1, 'say in words what is measured'),
  /** Relative to the folder, and inside it. */
  file,
  unit: z.string().default(''),
  /** Left out, it is told from the distances between dates, if they all agree. */
  frequency: z
    .enum(['daily', 'monthly', 'quarterly', 'annual', 'yearly'])
    .transform((word) => (word === 'annual' ? 'yearly' : word))
    .exactOptional(),
  /** Which question is put to the series. `spread`: a yield curve where the id says so, else a level. */
  analyst: z.enum(['growth', 'labour', 'price', 'spread', 'yield-curve']).default('growth'),
  /** +1: a rise supports the manifest's thesis · −1: it hurts · 0: context. */
  polarity: z.literal([-1, 0, 1]).default(0),
  /** Months from a date to the day on which its value was known. Left out, it follows from the frequency. */
  availableAfterMonths: z.int().min(0).max(LATEST_LAG_MONTHS).exactOptional(),
  seasonallyAdjusted: z.boolean().default(true),
});
/** One series of a manifest, with its defaults filled in. */
export type CsvSeries = z.infer<typeof CsvSeries>;

const CsvManifest = z.object({
  /** The thesis that the polarities serve. */
  thesis: z.string().trim().min(1, 'write the thesis, or leave the key out').exactOptional(),
  series: z.array(CsvSeries).min(1, 'list at least one series'),
});
export type CsvManifest = z.infer<typeof CsvManifest>;

/**
 * Reads a manifest's text. `at` is what the file is called in messages.
 * @throws EspalierError `invalid-data`, with the first fault and how many follow
 */
export function parseManifest(text: string, at: string): CsvManifest {
  const json = jsonOf(text.replace(/^\uFEFF/, ''), at);
  const parsed = CsvManifest.safeParse(json);
  if (!parsed.success) {
    const [first, ...others] = parsed.error.issues;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    throw invalid(at, `${first ? told(first, json) : 'is no manifest'}${more}`);
  }
  const places = new Map<string, number>();
  for (const [index, { id }] of parsed.data.series.entries()) {
    const earlier = places.get(id);
    if (earlier !== undefined) {
      throw invalid(at, `series ${earlier + 1} and series ${index + 1} have the same id ${JSON.stringify(id)}`);
    }
    places.set(id, index);
  }
  return parsed.data;
}

function jsonOf(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column } = placeOfFault(text, cause);
    throw invalid(`${at}, line ${line}, column ${column}`, text.trim() === '' ? 'is empty' : 'is no JSON', cause);
  }
}

const Identified = z.object({ id: z.string() });
const Listing = z.object({ series: z.array(z.unknown()) });

/** `series 4 ("RPI"), "title": is missing`. */
function told({ path, message, code }: z.core.$ZodIssue, json: unknown): string {
  const [top, index, ...inner] = path;
  const what = code === 'invalid_type' && message.endsWith('received undefined') ? 'is missing' : message;
  if (top !== 'series' || typeof index !== 'number') return [...path.map((key) => `"${String(key)}"`), what].join(': ');
  const listed = Listing.safeParse(json).data?.series[index];
  const id = Identified.safeParse(listed).data?.id;
  const entry = `series ${index + 1}${id === undefined ? '' : ` (${JSON.stringify(id)})`}`;
  return `${entry}${inner.map((key) => `, "${String(key)}"`).join('')}: ${what}`;
}

const invalid = (at: string, what: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-data', `${at}: ${what}. Correct the manifest.`, { cause });
