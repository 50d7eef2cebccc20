/** What `doctor` says of Node, the terminal, optional packages, the environment and the folder of runs. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { enumerated } from '../render/figures.ts';
import type { Check } from './doctor.ts';
import { reasonOf } from './misuse.ts';
import { sizeOf } from './screen.ts';

const Manifest = z.object({
  version: z.string().default('0'),
  engines: z.object({ node: z.string() }).default({ node: '>=0' }),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});
const manifestIn = (file: string | URL): z.infer<typeof Manifest> =>
  Manifest.parse(JSON.parse(readFileSync(file, 'utf8')));

export function checkEnvironment(): Check[] {
  const { engines, peerDependencies } = manifestIn(new URL('../../package.json', import.meta.url));
  return [node(engines.node), terminal(), folder('runs'), ...peers(peerDependencies), telemetry()];
}

function node(range: string): Check {
  const { node } = process.versions;
  if (satisfies(node, range)) return { what: 'Node', verdict: 'ok', says: `${node}, and ${range} is needed` };
  return { what: 'Node', verdict: 'problem', says: `${node} is too old: ${range} is needed. Install a newer one.` };
}

function terminal(): Check {
  const { stdout, env } = process;
  if (!stdout.isTTY)
    return { what: 'Terminal', verdict: 'note', says: 'none on stdout, so text is plain, and 80 columns wide' };
  const colours = stdout.hasColors() ? 'colours' : 'no colours';
  const { columns } = sizeOf(stdout);
  const says = `${columns} columns, ${colours}${env['NO_COLOR'] ? ' (NO_COLOR is set)' : ''}`;
  if (columns >= 60) return { what: 'Terminal', verdict: 'ok', says };
  return { what: 'Terminal', verdict: 'note', says: `${says}; tables are easier to read from 80 on` };
}

/** The folder, or the one that it would be made in. */
export function nearestFolder(folder: string): string {
  let at = resolve(folder);
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

function folder(name: string): Check {
  const what = `Folder ${name}/`;
  const at = nearestFolder(name);
  const why = whyReadOnly(at);
  if (why !== undefined) {
    const says = `${at} cannot be written: ${why}. Go elsewhere, or give --out and --store.`;
    return { what, verdict: 'problem', says };
  }
  return {
    what,
    verdict: 'ok',
    says: at === resolve(name) ? 'it can be written' : 'it is not there yet and can be made',
  };
}

/** Why nothing can be made in this folder; undefined when something can. */
export function whyReadOnly(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function peers(wanted: Readonly<Record<string, string>>): Check[] {
  const found = Object.entries(wanted).map(([name, range]) => ({ name, range, version: versionOf(name) }));
  const installed = found.filter(({ version }) => version !== undefined);
  const missing = found.filter(({ version }) => version === undefined);
  const odd = installed.filter(({ version = '', range }) => !satisfies(version, range));
  const named = (list: typeof found): string =>
    list.map(({ name, version }) => `${name} ${version ?? ''}`.trim()).join(', ');
  const checks: Check[] = odd.map(({ name, version, range }) => ({
    what: 'Optional package',
    verdict: 'problem',
    says: `${name} is ${version}, and ${range} is needed. Install that: npm install "${name}@${range}"`,
  }));
  const good = installed.filter((one) => !odd.includes(one));
  if (good.length > 0) checks.push({ what: 'Optional packages', verdict: 'ok', says: named(good) });
  if (missing.length > 0) {
    const says = `not installed: ${named(missing)}. Where you want what they do: npm install ${missing.map(({ name }) => name).join(' ')}`;
    checks.push({ what: 'Optional packages', verdict: 'note', says });
  }
  return checks;
}

function versionOf(name: string): string | undefined {
  try {
    const file = findPackageJSON(name, import.meta.url);
    return file === undefined ? undefined : manifestIn(file).version;
  } catch {
    return undefined;
  }
}

/** Of the ranges that our own manifest uses: `>=1.2` and `^1.2.3`. */
function satisfies(version: string, range: string): boolean {
  const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const [have, need] = [numbers(version), numbers(range)];
  if (range.startsWith('^') && have[0] !== need[0]) return false;
  const at = need.findIndex((number, index) => number !== (have[index] ?? 0));
  return at === -1 || (have[at] ?? 0) > (need[at] ?? 0);
}

/** Names only: a value may be a secret. */
function telemetry(): Check {
  const set = Object.keys(process.env)
    .filter((name) => name.startsWith('OTEL_'))
    .sort();
  if (set.length === 0)
    return { what: 'Telemetry', verdict: 'ok', says: 'no OTEL_* variable is set; --otel sends to localhost:4318' };
  return {
    what: 'Telemetry',
    verdict: 'note',
    says: `${enumerated(set)} ${set.length === 1 ? 'says' : 'say'} where --otel sends to, and how`,
  };
}
