/** Packs the package as from a clean checkout and installs it as a stranger would: nothing here touches `dist`. */
import { execFile, type ExecFileException } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const MODULES = join(REPOSITORY, 'node_modules');

const Entry = z.object({ 'espalier-source': z.string(), types: z.string(), default: z.string() });
const Manifest = z.object({
  bin: z.object({ espalier: z.string() }),
  exports: z.record(z.string(), z.union([Entry, z.string()])),
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean() })),
});
export const manifest = Manifest.parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));
/** What can be imported, without `./package.json`. */
export const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name: name.replace(/^\./, 'espalier'), target }],
);

export type Ended = { code: number; stdout: string; stderr: string };

/** What npm tells the scripts that it runs: a nested npm would take it for its own. */
const OF_THE_OUTER_NPM = /^(?:npm_(?:package|lifecycle)_|npm_config_local_prefix$|INIT_CWD$)/;
/** Everything runs on the Node that runs the tests, whichever comes first on the path otherwise. */
const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_THE_OUTER_NPM.test(name))),
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  NO_COLOR: '1',
});

/** Runs a command to its end, whatever its exit code. */
export const execute = (cwd: string, command: string, ...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    execFile(command, args, { cwd, env: environment(), maxBuffer: 64 * 2 ** 20, timeout: 60_000 }, done);
  });

async function succeed(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await execute(cwd, command, ...args);
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${stderr}\n${stdout}`);
  return stdout;
}

const Packed = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })).length(1);
const SOURCES = [
  'src',
  'docs/schema',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
];

export type Package = { readonly tarball: string; readonly files: readonly string[] };

/** `npm pack` in a copy, which builds: others may be using this checkout's `dist` right now. */
export async function pack(place: string): Promise<Package> {
  const copy = join(place, 'checkout');
  for (const path of SOURCES) cpSync(join(REPOSITORY, path), join(copy, path), { recursive: true });
  symlinkSync(MODULES, join(copy, 'node_modules'));
  const [packed] = Packed.parse(JSON.parse(await succeed(copy, 'npm', 'pack', '--json', '--pack-destination', place)));
  if (!packed) throw new Error('npm packed nothing');
  return { tarball: join(place, packed.filename), files: packed.files.map(({ path }) => path) };
}

const NO_NETWORK =
  /\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)\b/;

/** What `espalier/restate` is made of: whoever imports it has these. */
const PEERS_OF_RESTATE = ['@restatedev/restate-sdk', '@restatedev/restate-sdk-clients'];

/** An empty project with the package in it. Without a registry its dependencies are this checkout's; `note` says so. */
export async function install(place: string, packed: Package): Promise<{ project: string; note?: string }> {
  const installed = await installAlone(place, packed);
  link(join(installed.project, 'node_modules'), PEERS_OF_RESTATE);
  return installed;
}

function link(modules: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(MODULES, name), join(modules, name));
  }
}

async function installAlone(place: string, { tarball }: Package): Promise<{ project: string; note?: string }> {
  const project = join(place, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }));
  const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0', '--fetch-timeout=10000'];
  const { code, stderr } = await execute(project, 'npm', 'install', ...quick, tarball);
  if (code === 0) return { project };
  if (!NO_NETWORK.test(stderr)) throw new Error(`The tarball cannot be installed:\n${stderr}`);
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'espalier');
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(installed);
  await succeed(place, 'tar', '-xzf', tarball, '-C', installed, '--strip-components=1');
  link(modules, Object.keys(manifest.dependencies));
  const bin = join(installed, manifest.bin.espalier);
  chmodSync(bin, 0o755);
  symlinkSync(bin, join(modules, '.bin/espalier'));
  return { project, note: 'No registry answered: the dependencies are linked from this checkout.' };
}

export function temporaryPlace(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'espalier-package-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
