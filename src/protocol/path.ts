/** Where a node stands: `root/macro/gdp-analyst`. Names hold no slash, no hash and no control character. */
import { z } from 'zod';

const NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\- ]{0,127}$/u;

export const NodeName = z.string().regex(NAME, 'a name is 1 to 128 letters, digits, "_", ".", "-" or spaces');
export const Path = z
  .string()
  .refine((path) => path.split('/').every((name) => NAME.test(name)), 'a path is names joined by "/"');

export const ROOT = 'root';
/** Also of what only claims to be a string: scenarios are run by type stripping, unchecked. */
export const isNodeName = (name: unknown): name is string => typeof name === 'string' && NAME.test(name);
/** The empty string is the parent of the root. */
export const childPath = (parent: string, name: string): string => (parent === '' ? name : `${parent}/${name}`);
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
/** The path without its last name; of the root, the empty string. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The root is at depth 0. */
export function depthOf(path: string): number {
  let depth = 0;
  for (let i = path.indexOf('/'); i !== -1; i = path.indexOf('/', i + 1)) depth++;
  return depth;
}

/** Whether `path` is `ancestor` or lies under it. */
export const isWithin = (path: string, ancestor: string): boolean =>
  path === ancestor || (path.startsWith(ancestor) && path[ancestor.length] === '/');
