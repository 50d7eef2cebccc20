/** Loads a scenario file. Whatever is wrong with it ends in one sentence for whoever wrote it. */
import { stat } from 'node:fs/promises';
import { basename, extname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import { misuse, oneLine } from './misuse.ts';
import type { ScenarioFlags } from './options.ts';

const EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);
// Where a syntax error is stands alone on the stack's first line; other errors have it in their frames.
const SYNTAX_PLACE = /^(file:\/\/\/.+|\/.+|[A-Z]:\\.+):(\d+)$/m;
const FRAME = /(file:\/\/\/[^\s()]+):(\d+):\d+/g;
const NEVER = Symbol('never');
const HOW = 'Export defineScenario({ … }), or a function of the options that returns it, as default.';

type ToFunctions = readonly (keyof ScenarioFlags)[];

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

/** Where an error points, as far as its stack says: the scenario file itself if it is there, else the first file. */
function placeOf(path: string, error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const places = [SYNTAX_PLACE.exec(stack) ?? [], ...stack.matchAll(FRAME)].flatMap(([, file, line]) =>
    file === undefined ? [] : [{ file: file.startsWith('file:') ? fileURLToPath(file) : file, line }],
  );
  const place = places.find(({ file }) => file === path) ?? places[0];
  return place && `${relative(process.cwd(), place.file)}:${place.line}`;
}

function loadFault(file: string, error: unknown): EspalierError {
  const where = placeOf(resolve(file), error) ?? file;
  if (EspalierError.isInstance(error)) {
    // Where a scenario reads its data or options is not where they are wrong.
    if (error.code !== 'invalid-definition') return error;
    return new EspalierError(error.code, `${oneLine(error)} (${where})`, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return misuse(
      `A module that ${file} imports is missing: ${oneLine(error)}. Install it, or correct the import.`,
      error,
    );
  }
  const what = error instanceof SyntaxError ? 'cannot be read' : 'failed while it was loaded';
  return misuse(
    `The scenario file ${file} ${what}: ${oneLine(error).replace(/\.$/, '')} (${where}). Correct it.`,
    error,
  );
}

/** What a promise settles with, or `NEVER` when nothing is left that could settle it. */
async function orNever(promise: unknown): Promise<unknown> {
  const { promise: drained, resolve: drain } = Promise.withResolvers<typeof NEVER>();
  const listener = (): void => drain(NEVER);
  process.once('beforeExit', listener);
  try {
    return await Promise.race([promise, drained]);
  } finally {
    process.off('beforeExit', listener);
  }
}

async function defaultExportOf(file: string, flags: ScenarioFlags, toFunctions: ToFunctions): Promise<unknown> {
  const module = await orNever(import(pathToFileURL(resolve(file)).href));
  if (module === NEVER) return NEVER;
  const exported = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  if (isFactory(exported)) return orNever(exported(flags));
  const ignored = toFunctions.find((name) => flags[name] !== undefined);
  if (ignored !== undefined && isScenario(exported)) {
    const option = `--${ignored.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw misuse(`${file} is no function of the options, and ${option} is only for those. Leave it out.`);
  }
  return exported;
}

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    throw misuse(
      `There is no scenario file ${file}. Give the path of a .ts or .js file that exports a scenario.`,
      error,
    );
  });
  if (!found.isFile())
    throw misuse(`${file} is not a file. Give the path of a .ts or .js file that exports a scenario.`);
  if (!EXTENSIONS.has(extname(file))) {
    throw misuse(`${basename(file)} is no scenario file by its ending. Give a .ts, .mts, .js or .mjs file.`);
  }
}

/**
 * Imports a file's default export: a scenario, or a function of the options that returns one.
 * @throws EspalierError `invalid-input` when the file is missing, broken or no scenario; what the file's own
 * definitions throw keeps its code
 * @param toFunctions flags that do nothing to a scenario that is no function: refused then
 */
export async function loadScenario(
  file: string,
  flags: ScenarioFlags,
  toFunctions: ToFunctions = ['data'],
): Promise<Scenario> {
  await checkFile(file);
  const exported = await defaultExportOf(file, flags, toFunctions).catch((error: unknown) => {
    throw loadFault(file, error);
  });
  if (exported === NEVER) {
    throw misuse(`The scenario file ${file} waits for something that never comes. Look at what it awaits on loading.`);
  }
  if (!isScenario(exported)) throw misuse(`${file} is no scenario: ${described(exported)}. ${HOW}`);
  return exported;
}
