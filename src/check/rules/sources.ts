/** Declared sources against those that are read. */
import { literalsRead, mayRead } from '../function-text.ts';
import { quoted, type Rule, type Sighting } from '../remark.ts';
import { AS_OBSERVED, AS_SHOWN, codeOf } from './reading.ts';

export const unreadSource: Rule = {
  id: 'unread-source',
  severity: 'warning',
  when: 'A leaf declares a source that it never reads.',
  remedy: 'Remove it from `sources`, or read it.',
  look: ({ nodes, observed }) =>
    nodes.flatMap(({ path, definition, sources }): Sighting[] => {
      if (definition.kind !== 'leaf' || sources.length === 0) return [];
      const reads = observed.get(path);
      const unread = reads?.isWhole
        ? sources.filter((id) => !reads.sources.has(id))
        : mayRead(definition.run, 'sources')
          ? []
          : sources;
      if (unread.length === 0) return [];
      const how = reads?.isWhole ? AS_OBSERVED : AS_SHOWN;
      return [
        {
          path,
          message: `Declares ${quoted(unread)}, which it never reads, ${how}. Remove it from sources, or read it.`,
        },
      ];
    }),
};

export const undeclaredSource: Rule = {
  id: 'undeclared-source',
  severity: 'error',
  when: 'A node reads a source that neither it nor a child of it declares: the read is refused.',
  remedy: 'Add it to `sources`, or correct the id.',
  look: ({ nodes, observed }) =>
    nodes.flatMap(({ path, definition, sources }): Sighting[] => {
      const declared = new Set(sources);
      const found = new Map([...(observed.get(path)?.sources ?? [])].map((id) => [id, AS_OBSERVED]));
      for (const id of codeOf(definition).flatMap((code) => literalsRead(code, 'sources'))) {
        if (!found.has(id)) found.set(id, AS_SHOWN);
      }
      return Array.from(found)
        .filter(([id]) => !declared.has(id))
        .map(([id, how]) => ({
          path,
          message: `Reads "${id}", ${how}, without declaring it: the read is refused. Add "${id}" to ${definition.kind === 'leaf' ? 'its sources' : 'the sources of a child'}.`,
        }));
    }),
};
