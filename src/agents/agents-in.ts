/** The agents of a folder: one leaf for each Markdown file in it. */
import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { cwd } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Leaf } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import { defineAgent, type AgentOptions } from './define-agent.ts';

/**
 * Reads every `*.md` of a folder, in order of their names, `README.md` aside. `options` are by the name of the file,
 * without its ending.
 * @throws EspalierError `invalid-definition`
 * @example defineDomain({ …, children: agentsIn(new URL('./agents/', import.meta.url), { forensic: { needs: ['earnings'] } }) })
 */
export function agentsIn(folder: string | URL, options: Readonly<Record<string, AgentOptions<unknown>>> = {}): Leaf[] {
  const path = folder instanceof URL ? fileURLToPath(folder) : folder;
  const where = relative(cwd(), path) || '.';
  const files = namesIn(path, where).filter((name) => name.endsWith('.md') && name.toLowerCase() !== 'readme.md');
  if (files.length === 0)
    throw invalid(`The folder ${where} holds no agent. Add a Markdown file, or name another folder.`);
  const names = files.map((name) => basename(name, '.md'));
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalid(`There is no agent ${unknown}.md in ${where} (there are ${names.join(', ')}). Correct its options.`);
  }
  return names.map((name): Leaf => defineAgent<unknown>(join(path, `${name}.md`), options[name]));
}

function namesIn(path: string, where: string): string[] {
  try {
    return readdirSync(path).sort((a, b) => (a < b ? -1 : 1));
  } catch (cause) {
    throw invalid(`The folder ${where} cannot be read. Name a folder of Markdown files.`, cause);
  }
}

const invalid = (message: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-definition', message, { cause });
