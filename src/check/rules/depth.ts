import { nameOf } from '../../protocol/path.ts';
import { quoted, type Rule } from '../remark.ts';

export const deeperThanLimit: Rule = {
  id: 'deeper-than-limit',
  severity: 'warning',
  when: 'An orchestrator stands at `maxDepth`: its children never run.',
  remedy: 'Raise `maxDepth`, or fold a tier; without an `execute` the children are gaps in every run.',
  look: ({ nodes, limits: { maxDepth } }) =>
    nodes
      .filter(({ depth, children }) => depth === maxDepth && children.length > 0)
      .map(({ path, definition, children }) => {
        const names = quoted(children.map((child) => nameOf(child.path)));
        const canExecute = definition.kind !== 'leaf' && definition.execute !== undefined;
        const instead = canExecute ? 'it executes in their place' : 'they are gaps, since it has no execute';
        return { path, message: `Stands at maxDepth ${maxDepth}, so ${names} never run: ${instead}. Raise maxDepth.` };
      }),
};
