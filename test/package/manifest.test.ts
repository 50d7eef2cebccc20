import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entries, manifest, REPOSITORY } from './packing.ts';

describe('exports', () => {
  test.each(entries)('$name: its source for this repository, then types, then the module', ({ target }) => {
    // Conditions are tried in order: types first, or TypeScript never sees them.
    expect(Object.keys(target)).toEqual(['espalier-source', 'types', 'default']);
    const built = target['espalier-source'].replace(/^\.\/src\//, './dist/');
    expect(target.types).toBe(built.replace(/\.ts$/, '.d.ts'));
    expect(target.default).toBe(built.replace(/\.ts$/, '.js'));
    expect(existsSync(join(REPOSITORY, target['espalier-source']))).toBe(true);
  });

  test('there is an entry for the core and for each of its rings', () => {
    const names = entries.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['espalier', 'espalier/xstate', 'espalier/testing', 'espalier/analytics']),
    );
    expect(manifest.exports['./package.json']).toBe('./package.json');
  });
});

const SOURCES = globSync('src/**/*.ts', { cwd: REPOSITORY }).map((path) => join(REPOSITORY, path));
/** `import` and `export … from`, also as a side effect or on demand; whatever is for types alone leaves no trace. */
const IMPORT = /^(?:import|export)\s(?!type\b)(?:[^'";]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm;
const specifiersIn = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(IMPORT)].flatMap(([, fixed, dynamic]) => fixed ?? dynamic ?? []);
const isPackage = (specifier: string): boolean => !specifier.startsWith('.') && !specifier.startsWith('node:');
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const packagesIn = (paths: Iterable<string>): string[] =>
  [...new Set([...paths].flatMap(specifiersIn).filter(isPackage).map(packageOf))].sort();

/** Every module that loading this one loads. */
function reachedFrom(path: string, reached = new Set<string>()): Set<string> {
  if (reached.has(path)) return reached;
  reached.add(path);
  for (const specifier of specifiersIn(path)) {
    if (specifier.startsWith('.')) reachedFrom(resolve(dirname(path), specifier), reached);
  }
  return reached;
}
const neededBy = (entry: string): string[] => {
  const target = entries.find(({ name }) => name === entry)?.target['espalier-source'] ?? entry;
  return packagesIn(reachedFrom(join(REPOSITORY, target)));
};

describe('dependencies', () => {
  test('each is imported, and what is imported is one', () => {
    const peers = Object.keys(manifest.peerDependencies);
    const imported = packagesIn(SOURCES).filter((name) => !peers.includes(name));
    expect(imported).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test('whatever else it uses is an optional peer: nobody gets it unasked', () => {
    const peers = Object.keys(manifest.peerDependencies);
    expect(peers.filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
  });

  test('the core loads those that it cannot do without, and no others', () => {
    const core = ['canonicalize', 'nanoid', 'simple-statistics', 'tinyqueue', 'xstate', 'zod'];
    expect(neededBy('espalier')).toEqual(core);
    expect(neededBy('espalier/xstate')).toEqual(core);
    expect(neededBy('espalier/testing')).toEqual(core);
    expect(neededBy('espalier/analytics')).toEqual(['simple-statistics', 'zod']);
    expect(neededBy('espalier/agents')).toEqual(['yaml', 'zod']);
    expect(neededBy('espalier/opentelemetry')).toContain('@opentelemetry/api');
  });
});
