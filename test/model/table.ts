/** The walks as rows of a table, as they stand in `docs/model-check.md`. */
import type { Configuration } from './configurations.ts';
import type { Walked } from './interface.ts';
import type { Walk } from './walk.ts';

export const HEAD = [
  '| tree | a leaf | a domain | the root | states | edges |',
  '| --- | --- | --- | --- | --- | --- |',
];

export function rowOf({ name }: Configuration, { parts, states, edges }: Walk): string {
  const sizesOf = (kind: RegExp): string =>
    Object.entries(parts)
      .flatMap(([part, size]) => (kind.test(part) ? sizeOf(size) : []))
      .join(', ') || '–';
  const cells = [
    name,
    sizesOf(/^leaf$| executing$/),
    sizesOf(/^tier/),
    sizesOf(/^root$/),
    number(states),
    number(edges),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** `41 → 5`: so many states, of which others can tell so many apart. */
const sizeOf = ({ states, classes }: Walked): string => `${number(states)} → ${number(classes)}`;
const number = (of: number): string => of.toLocaleString('en-US');
