import type { Leaf, Scenario, Domain } from '../../define/spec.ts';
import type { Rule } from '../remark.ts';

/** The host checks the books of every synthesis, so a domain with a synthesize of its own has a check already. */
export const missingVerification: Rule = {
  id: 'missing-verification',
  severity: 'warning',
  when: 'A leaf whose work is `authoring` has no `verify`, or one whose work is `structured` neither `verify` nor `data`.',
  remedy: 'Give it a `verify` that says when its work is done, or the shape of its `data`.',
  look: ({ nodes }) =>
    nodes
      .filter(({ definition }) => isUnverified(definition))
      .map(({ path, definition }) => {
        const isAuthoring = definition.kind === 'leaf' && definition.work === 'authoring';
        const message = isAuthoring
          ? 'Its work is authoring, and nothing says when that is done well. Give it a verify.'
          : 'Its work is structured, and nothing checks the structure. Give it the shape of its data, or a verify.';
        return { path, message };
      }),
};

function isUnverified(definition: Leaf | Domain | Scenario): boolean {
  if (definition.kind !== 'leaf' || definition.verify) return false;
  return definition.work === 'authoring' || (definition.work === 'structured' && !definition.data);
}
