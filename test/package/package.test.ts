import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOST_VERSION } from '../../src/version.ts';
import { entries, execute, install, manifest, MODULES, pack, temporaryPlace, type Package } from './packing.ts';
import { strangersFiles } from './stranger.ts';

const place = temporaryPlace();
let packed: Package;
let project: string;

beforeAll(async () => {
  packed = await pack(place.path);
  const installed = await install(place.path, packed);
  project = installed.project;
  if (installed.note !== undefined) console.warn(installed.note);
  const files = strangersFiles(
    entries.map(({ name }) => name),
    join(MODULES, '@types'),
  );
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
}, 60_000);
afterAll(() => place.remove());

const bin = (name: string): string => join(MODULES, '.bin', name);
const installedText = (path: string): string => readFileSync(join(project, 'node_modules/espalier', path), 'utf8');

describe.concurrent('the tarball', () => {
  const BELONGS =
    /^(?:dist\/[\w/-]+\.(?:js|d\.ts)|docs\/schema\/[\w-]+\.schema\.json|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;

  test('holds the compiled modules with their types, the schemas, README, licence and changelog: nothing else', () => {
    expect(packed.files.filter((path) => !BELONGS.test(path))).toEqual([]);
    const modules = packed.files.filter((path) => path.endsWith('.js'));
    expect(modules.length).toBeGreaterThan(50);
    expect(packed.files).toEqual(expect.arrayContaining(modules.map((path) => path.replace(/js$/, 'd.ts'))));
    expect(packed.files).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'docs/schema/report.schema.json']),
    );
  });

  test('has every file that an export or the command names', () => {
    for (const { target } of entries) {
      expect(packed.files).toContain(target.types.slice(2));
      expect(packed.files).toContain(target.default.slice(2));
    }
    expect(packed.files).toContain(manifest.bin.espalier.slice(2));
    expect(installedText(manifest.bin.espalier)).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('points to no source map, no TypeScript source, and no place on this machine', () => {
    for (const path of packed.files.filter((path) => path.startsWith('dist/'))) {
      const text = installedText(path);
      expect(text).not.toContain('sourceMappingURL');
      // TypeScript reads `./x.ts` in a declaration as `./x.d.ts`; Node would not.
      if (path.endsWith('.js')) expect(text).not.toMatch(/(?:from |import\()['"]\.[^'"]*\.ts['"]/);
      expect(text).not.toContain(dirname(MODULES));
      expect(text).not.toContain(place.path);
    }
  });

  test('passes publint', async () => {
    const { code, stdout, stderr } = await execute(place.path, bin('publint'), packed.tarball, '--strict');
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
  });

  test('its types resolve for every kind of ES module consumer', async () => {
    const flags = ['--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii'];
    const { code, stdout, stderr } = await execute(place.path, bin('attw'), packed.tarball, ...flags);
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
  });
});

describe.concurrent('an empty TypeScript project with the package installed', () => {
  test('compiles as strictly as can be; what is wrong in declarations is of others', async () => {
    const { stdout } = await execute(project, bin('tsc'), '-p', '.', '--pretty', 'false');
    const places = stdout.split('\n').flatMap((line) => /^(\S+)\(\d+,\d+\): error/.exec(line)?.[1] ?? []);
    expect(stdout).not.toMatch(/^error/m);
    // Those of xstate 5 and of Restate do not compile so strictly: users need skipLibCheck, says the README.
    expect(places).not.toEqual([]);
    expect(places.filter((path) => !/node_modules\/(?:xstate|@restatedev)\//.test(path))).toEqual([]);
    const skipping = await execute(project, bin('tsc'), '-p', '.', '--pretty', 'false', '--skipLibCheck');
    expect(skipping).toMatchObject({ code: 0, stdout: '' });
  });

  test.each([
    [
      'scenario.ts',
      'complete contradicted root/macro/survey#mood # There is work for everybody\nthesis contradicted, conviction −36',
    ],
    ['embedded.ts', 'complete root/macro/survey#mood'],
    ['tested.ts', 'partial true'],
    ['traced.ts', 'complete'],
    ['own-data.ts', 'Jobs 2'],
    ['every-entry.ts', entries.map(() => 'true').join()],
  ])('%s runs', async (file, says) => {
    expect(await execute(project, process.execPath, file)).toEqual({ code: 0, stdout: `${says}\n`, stderr: '' });
  });

  test('a source whose package is not installed says what to install', async () => {
    const { stdout } = await execute(project, process.execPath, 'vega.ts');
    expect(stdout).toMatch(/^missing-peer .*"vega-datasets" is not installed\. Run: npm install vega-datasets/);
  });
});

describe.concurrent('the command', () => {
  const npx = (...args: readonly string[]) => execute(project, 'npx', 'espalier', ...args);

  test('says its version', async () => {
    expect(await npx('--version')).toMatchObject({ code: 0, stdout: `${HOST_VERSION}\n` });
  });

  test.each(['plain.mjs', 'scenario.ts'])('runs %s', async (file) => {
    const { code, stdout } = await npx('run', file, '--out', join('runs', file));
    expect(code).toBe(0);
    expect(stdout).toContain('No gaps.');
    expect(readFileSync(join(project, 'runs', file, 'brief.md'), 'utf8')).toMatch(/^# /);
  });

  test('asked for telemetry without an SDK it says what to install', async () => {
    const { code, stderr } = await npx('run', 'plain.mjs', '--otel');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^espalier: The packages that telemetry needs are not installed\. Run: npm install /m);
  });
});
