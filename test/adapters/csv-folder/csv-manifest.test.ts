import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { csvFolder, type CsvFolder } from '../../../src/adapters/sources/csv-folder.ts';
import { EspalierError } from '../../../src/errors.ts';
import { entry, manifestOf, monthly, writtenFolder } from './written-folder.ts';

const FILE = { 'jobs.csv': monthly([1, 2, 3]) };
const open = (manifest: string, files: Readonly<Record<string, string>> = FILE): Promise<CsvFolder> =>
  csvFolder(writtenFolder({ 'manifest.json': manifest, ...files }));

/** The one line that a person reads. */
async function faultOf(opening: Promise<CsvFolder>): Promise<string> {
  const error = await opening.catch((error: unknown) => error);
  if (!EspalierError.isInstance(error)) throw new Error('no EspalierError came');
  expect(error.code).toBe('invalid-data');
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('what a manifest says', () => {
  test('id, domain, title and file are enough; the rest has defaults', async () => {
    const { manifest } = await open(manifestOf(entry()));
    expect(manifest).toEqual({
      thesis: 'Hold shares',
      series: [{ ...entry(), unit: '', analyst: 'growth', polarity: 0, seasonallyAdjusted: true }],
    });
  });

  test('annual is yearly, keys that are not known are left alone, a byte order mark too', async () => {
    const more = { frequency: 'annual', polarity: -1, licence: 'CC0', source: { repo: 'x' }, span: ['1959', '2024'] };
    const { manifest } = await open(`\uFEFF${manifestOf(entry(more))}`);
    expect(manifest.series).toEqual([expect.objectContaining({ frequency: 'yearly', polarity: -1 })]);
  });

  test('texts pass through as they are: who shows them escapes them', async () => {
    const title = '\u001B[31m<b>[x](y)</b>\n# z';
    const { manifest } = await open(manifestOf(entry({ title, unit: title })));
    expect(manifest.series[0]).toMatchObject({ title, unit: title });
  });
});

describe('a manifest that cannot be used', () => {
  const broken: readonly (readonly [what: string, manifest: string, message: string])[] = [
    ['nothing in it', '', 'manifest.json, line 1, column 1: is empty'],
    ['a comma too many', '{"thesis": "x",\n "series": [1,],\n}', 'line 2, column 15: is no JSON'],
    ['a word out of place', '{"series": [\r\n  {"id": oops}\r\n]}', 'line 2, column 10: is no JSON'],
    ['a literal cut short', '{"series": [nul]}', 'line 1, column 16: is no JSON'],
    ['no end', '{"thesis": "x",\n "series": [', 'line 2, column 13: is no JSON'],
    ['a line break in a string', '{"thesis": "a\nb"}', 'line 1, column 14: is no JSON'],
    ['a list', '[]', 'expected object'],
    ['no series', manifestOf(), '"series": list at least one series'],
    [
      'no title',
      manifestOf(entry(), { ...entry({ id: 'b' }), title: undefined }),
      'series 2 ("b"), "title": is missing',
    ],
    ['several faults', manifestOf({ id: 'a' }), 'series 1 ("a"), "domain": is missing (and 2 more)'],
    ['a polarity of 2', manifestOf(entry({ polarity: 2 })), '"polarity": Invalid option: expected one of -1|0|1'],
    ['an unknown analyst', manifestOf(entry({ analyst: 'magic' })), '"growth"|"labour"|"price"|"spread"|"yield-curve"'],
    ['half a month', manifestOf(entry({ availableAfterMonths: 1.5 })), '"availableAfterMonths"'],
    ['an id twice', manifestOf(entry(), entry({ id: 'b' }), entry()), 'series 1 and series 3 have the same id "jobs"'],
  ];
  test.each(broken)('%s', async (_, manifest, message) => {
    expect(await faultOf(open(manifest))).toContain(message);
  });

  test.each(['', 'a/b', '../b', 'a\\b', '..', 'a..b', 'a\u001B[31m', 'a\nb', 'a\u202Eb', 'a\u0000', 'x'.repeat(129)])(
    'the id %j',
    async (id) => {
      expect(await faultOf(open(manifestOf(entry({ id }))))).toContain('"id": ');
      expect(await faultOf(open(manifestOf(entry({ domain: id }))))).toContain('"domain": ');
    },
  );

  test('no folder, an empty one, one without a manifest', async () => {
    const empty = writtenFolder({});
    expect(await faultOf(csvFolder(join(empty, 'none')))).toContain('is no folder');
    expect(await faultOf(csvFolder(empty))).toMatch(/^The folder .* is empty\. Put a manifest\.json/);
    expect(await faultOf(csvFolder(writtenFolder(FILE)))).toMatch(/^The folder .* has no manifest\.json\./);
    expect(await faultOf(csvFolder(join(writtenFolder(FILE), 'jobs.csv')))).toContain('is no folder');
  });
});

describe('a file of a manifest', () => {
  test('that is not there is named with its series', async () => {
    const message = await faultOf(open(manifestOf(entry(), entry({ id: 'b', file: 'deep/b.csv' }))));
    expect(message).toContain('series "b" names the file "deep/b.csv", which is not there');
  });

  test.each([
    '../x.csv',
    'a/../../x.csv',
    '..\\x.csv',
    '..',
    '/etc/hosts',
    'C:\\x.csv',
    '\\\\host\\x.csv',
    'a\u001B.csv',
    'a\u0000',
  ])('named %j is refused before anything is read', async (file) => {
    expect(await faultOf(open(manifestOf(entry({ file }))))).toContain('"file": ');
  });

  test('that a link takes out of the folder is refused, one that stays inside is read', async () => {
    const outside = writtenFolder({ 'secret.csv': monthly([1]) });
    const folder = writtenFolder({
      'manifest.json': manifestOf(entry({ file: 'deep/a.csv' })),
      'real/a.csv': monthly([1]),
    });
    symlinkSync(join(folder, 'real'), join(folder, 'deep'));
    await expect(csvFolder(folder)).resolves.toBeDefined();

    for (const [file, target] of [
      ['link.csv', 'secret.csv'],
      ['dir/secret.csv', '.'],
    ] as const) {
      const trap = writtenFolder({ 'manifest.json': manifestOf(entry({ file })) });
      symlinkSync(join(outside, target), join(trap, file.split('/')[0] ?? ''));
      expect(await faultOf(csvFolder(trap))).toContain('lies outside of the folder');
    }
    const foreign = writtenFolder(FILE);
    symlinkSync(join(folder, 'manifest.json'), join(foreign, 'manifest.json'));
    expect(await faultOf(csvFolder(foreign))).toContain('manifest.json lies outside of the folder');
  });

  test('that is a folder is no file', async () => {
    expect(await faultOf(open(manifestOf(entry({ file: 'deep' })), { 'deep/a.csv': '' }))).toContain('is not a file');
  });

  test('whose name begins with two dots is inside all the same', async () => {
    await expect(open(manifestOf(entry({ file: '..a.csv' })), { '..a.csv': monthly([1]) })).resolves.toBeDefined();
  });
});
