import { EspalierError } from '../errors.ts';
import { checkAdaptive } from './adaptive.ts';
import { budgetOf } from './budget.ts';
import { checkFields, checkSpec, checkWeight, METHOD, NAMES, OBJECT, TEXT } from './check.ts';
import { parseDuration } from './duration.ts';
import { checkJoin } from './join.ts';
import { debounceOf } from './synthesis-mode.ts';
import type { Child, Domain, DomainSpec, JoinSpec } from './spec.ts';
import { checkName, stagesOf } from './stages.ts';

const FIELDS = {
  charter: TEXT,
  description: TEXT,
  question: TEXT,
  needs: NAMES,
  aliases: NAMES,
  join: OBJECT,
  synthesize: METHOD,
  execute: METHOD,
  decide: METHOD,
};

/**
 * Defines an orchestrator below the root. Its children are leaves or further domains, to any depth.
 * @throws EspalierError `invalid-definition` or `invalid-input`, with what to change
 */
export function defineDomain(spec: DomainSpec): Domain {
  checkSpec('defineDomain', spec);
  checkName('Domain', spec.name);
  const owner = `Domain "${spec.name}"`;
  checkFields(owner, spec, FIELDS);
  if (spec.charter === undefined) {
    throw new EspalierError(
      'invalid-definition',
      `${owner} has no charter. Say in a sentence what it is to look into.`,
    );
  }
  if (spec.estimate !== undefined) parseDuration(spec.estimate, `estimate of domain "${spec.name}"`);
  debounceOf(owner, spec.synthesis);
  checkWeight(owner, spec.weight);
  if (spec.budget !== undefined) budgetOf(spec.budget, `The budget of domain "${spec.name}"`);
  const stages = checkedStages(owner, spec.children, spec.join);
  checkAdaptive(owner, spec, spec.children);
  return { ...spec, kind: 'domain', stages };
}

/** @throws EspalierError `invalid-definition` */
export function checkedStages(owner: string, children: readonly Child[], join: JoinSpec | undefined): Child[][] {
  if (!Array.isArray(children) || children.length === 0) {
    throw new EspalierError('invalid-definition', `${owner} has no children. Add a leaf, or make it a leaf itself.`);
  }
  for (const child of children) {
    if (child?.kind !== 'leaf' && child?.kind !== 'domain') {
      throw new EspalierError(
        'invalid-definition',
        `${owner} has a child that is neither a leaf nor a domain. Make it with defineLeaf or defineDomain.`,
      );
    }
  }
  const stages = stagesOf(owner, children);
  checkJoin(owner, stages, join);
  return stages;
}
