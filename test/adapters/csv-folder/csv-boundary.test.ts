import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { csvFolder } from '../../../src/adapters/sources/csv-folder.ts';
import type { SeriesRecord } from '../../../src/protocol/series.ts';
import { entry, manifestOf, monthly, writtenFolder } from './written-folder.ts';

/** What happens between a check and the opening that follows it, and between that and the check after it. */
const meanwhile = vi.hoisted(() => ({ beforeOpen: (): void => {}, afterOpen: (): void => {} }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const open: typeof real.open = async (...args) => {
    meanwhile.beforeOpen();
    const handle = await real.open(...args);
    meanwhile.afterOpen();
    return handle;
  };
  return { ...real, open };
});
beforeEach(() => {
  meanwhile.beforeOpen = meanwhile.afterOpen = () => {};
});

const FILE = 'deep/jobs.csv';
const SECRET = monthly([7, 7, 7]);

async function opened() {
  const outside = writtenFolder({ 'jobs.csv': SECRET });
  const folder = writtenFolder({ 'manifest.json': manifestOf(entry({ file: FILE })), [FILE]: monthly([1, 2, 3]) });
  const { adapter } = await csvFolder(folder);
  const load = (): Promise<SeriesRecord> => adapter.load('jobs', { abortSignal: new AbortController().signal });
  const file = join(folder, FILE);
  return { outside, folder, file, load };
}
type Opened = Awaited<ReturnType<typeof opened>>;

const linkFile = ({ file, outside }: Opened): void => {
  rmSync(file);
  symlinkSync(join(outside, 'jobs.csv'), file);
};
const linkFolder = ({ folder, outside }: Opened): void => {
  renameSync(join(folder, 'deep'), join(folder, 'aside'));
  symlinkSync(outside, join(folder, 'deep'));
};
const restoreFolder = ({ folder }: Opened): void => {
  rmSync(join(folder, 'deep'));
  renameSync(join(folder, 'aside'), join(folder, 'deep'));
};
const pipe = ({ file }: Opened): void => {
  rmSync(file);
  execFileSync('mkfifo', [file]);
};
const remove = ({ file }: Opened): void => rmSync(file);
const makeFolder = ({ file }: Opened): void => {
  rmSync(file);
  mkdirSync(file);
};

async function expectRefused({ load }: Opened, what: string): Promise<void> {
  const message = expect.stringMatching(
    new RegExp(`manifest\\.json: series "jobs" names the file "${FILE}", which ${what}`),
  );
  await expect(load()).rejects.toMatchObject({ code: 'invalid-data', message });
}

describe.skipIf(process.platform === 'win32')('a file that is replaced after the folder was opened', () => {
  test.each([
    ['by a link to the outside', linkFile, 'lies outside of the folder'],
    ['with its folder, by a link to the outside', linkFolder, 'lies outside of the folder'],
    ['by a pipe', pipe, 'is not a file'],
    ['by a folder', makeFolder, 'is not a file'],
    ['by nothing', remove, 'is not there'],
  ])('%s is refused', async (_, replace, what) => {
    const subject = await opened();
    replace(subject);
    await expectRefused(subject, what);
  });

  test.each([
    ['by a link to the outside', linkFile, 'cannot be opened \\(ELOOP\\)'],
    ['with its folder, by a link to the outside', linkFolder, 'lies outside of the folder'],
    ['by a pipe', pipe, 'is not a file'],
    ['by a folder', makeFolder, 'is not a file'],
    ['by nothing', remove, 'cannot be opened \\(ENOENT\\)'],
  ])('%s, between the check and the opening, too', async (_, replace, what) => {
    const subject = await opened();
    meanwhile.beforeOpen = () => replace(subject);
    await expectRefused(subject, what);
  });

  test('and put back at once is refused all the same', async () => {
    const subject = await opened();
    meanwhile.beforeOpen = () => linkFolder(subject);
    meanwhile.afterOpen = () => restoreFolder(subject);
    await expectRefused(subject, 'was replaced while it was opened');
  });

  test('by another file inside is read as it is then', async () => {
    const { file, load } = await opened();
    writeFileSync(file, monthly([4, 5]));
    expect((await load()).observations.map(({ value }) => value)).toEqual([4, 5]);
  });

  test('a manifest that becomes a link is refused as well', async () => {
    const { outside, folder } = await opened();
    meanwhile.beforeOpen = () => {
      rmSync(join(folder, 'manifest.json'));
      symlinkSync(join(outside, 'jobs.csv'), join(folder, 'manifest.json'));
    };
    await expect(csvFolder(folder)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('manifest.json cannot be opened (ELOOP)'),
    });
  });
});
