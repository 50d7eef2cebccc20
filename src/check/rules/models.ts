/** Models that are stronger than their work. */
import type { Work } from '../../ports/model.ts';
import type { NodeFacts } from '../facts.ts';
import type { Rule, Sighting } from '../remark.ts';

/** Reading off, and going by rules: a weak model does it as well, and a strong one costs many times as much. */
const MECHANICAL: ReadonlySet<Work | undefined> = new Set<Work>(['extraction', 'rules']);
const ASKS = /\bmodel\s*\.\s*ask\b/;

const asksMechanically = ({ definition }: NodeFacts): Work | undefined => {
  if (definition.kind !== 'leaf' || !MECHANICAL.has(definition.work)) return undefined;
  return definition.asks || ASKS.test(String(definition.run)) ? definition.work : undefined;
};

export const strongestModel: Rule = {
  id: 'strongest-model',
  severity: 'warning',
  when: 'A leaf whose work is `extraction` or `rules` asks a model, and the policy has the strongest one for it.',
  remedy: 'Let the policy have `fast` or `balanced` for that work, or say that the work is another.',
  look: ({ nodes, models }) =>
    nodes.flatMap((node): Sighting[] => {
      const work = asksMechanically(node);
      const chosen = work && models?.choiceFor(work);
      if (!models || !chosen || (chosen.class !== 'deep' && chosen.model !== models.strongest)) return [];
      const message = `Its work is ${work}, and the policy has ${chosen.model} for it, the strongest model. Let the policy have a weaker class: work: { ${work}: 'fast' }.`;
      return [{ path: node.path, message }];
    }),
};
