/** Loads a scenario file. Whatever is wrong with it ends in one sentence for whoever wrote it. */
import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import { misuse, oneLine } from './misuse.ts';
import type { ScenarioFlags } from './options.ts';

const EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);
const HOW = 'Export defineScenario({ … }), or a function of the options that returns it, as default.';

const isScenario = (value: unknown): value is Scenario =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  value.kind === 'scenario' &&
  'stages' in value &&
  Array.isArray(value.stages);

const isFactory = (value: unknown): value is (flags: ScenarioFlags) => unknown => typeof value === 'function';

function described(value: unknown): string {
  if (value === undefined) return 'it has no default export';
  if (typeof value === 'object' && value !== null && 'kind' in value) {
    return `its default export is a ${String(value.kind)}, not a scenario`;
  }
  return `its default export is ${value === null ? 'null' : `of type ${typeof value}`}, not a scenario`;
}

/** The line of the file that an error points at, as far as its stack says. */
function lineIn(url: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const place = stack.split(url).at(1) ?? '';
  const line = /^:(\d+)/.exec(place)?.[1];
  return line === undefined ? '' : ` at line ${line}`;
}

function loadFault(file: string, url: string, error: unknown): EspalierError {
  const where = `${file}${lineIn(url, error)}`;
  if (EspalierError.isInstance(error)) {
    return new EspalierError(error.code, `${oneLine(error)} (${where})`, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return misuse(`A module that ${file} imports is missing: ${oneLine(error)}. Install it, or correct the import.`, error);
  }
  const isSyntax = error instanceof SyntaxError;
  const what = isSyntax ? 'cannot be read' : 'failed while it was loaded';
  return misuse(`The scenario file ${where} ${what}: ${oneLine(error)}. Correct the file.`, error);
}

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    throw misuse(`There is no scenario file ${file}. Give the path of a .ts or .js file that exports a scenario.`, error);
  });
  if (!found.isFile()) throw misuse(`${file} is not a file. Give the path of a .ts or .js file that exports a scenario.`);
  if (!EXTENSIONS.has(extname(file))) {
    throw misuse(`${basename(file)} is no scenario file by its ending. Give a .ts, .mts, .js or .mjs file.`);
  }
}

/**
 * Imports a file's default export: a scenario, or a function of the options that returns one.
 * @throws EspalierError `invalid-input` when the file is missing, broken or no scenario; what the file's own
 * definitions throw keeps its code
 */
export async function loadScenario(file: string, flags: ScenarioFlags): Promise<Scenario> {
  await checkFile(file);
  const url = pathToFileURL(resolve(file)).href;
  let exported: unknown;
  try {
    const module: unknown = await import(url);
    exported = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
    if (isFactory(exported)) exported = await exported(flags);
  } catch (error) {
    throw loadFault(file, url, error);
  }
  if (!isScenario(exported)) throw misuse(`${file} is no scenario: ${described(exported)}. ${HOW}`);
  return exported;
}
