import { EspalierError } from '../errors.ts';
import { parseDuration } from './duration.ts';
import type { Child, Domain, DomainSpec, JoinSpec } from './spec.ts';
import { checkName, stagesOf } from './stages.ts';

/**
 * Defines an orchestrator below the root. Its children are leaves or further domains, to any depth.
 * @throws EspalierError `invalid-definition` or `invalid-input`, with what to change
 */
export function defineDomain(spec: DomainSpec): Domain {
  checkName('Domain', spec.name);
  const owner = `Domain "${spec.name}"`;
  checkChildren(owner, spec.children, spec.join);
  if (spec.estimate !== undefined) parseDuration(spec.estimate, `estimate of domain "${spec.name}"`);
  return { ...spec, kind: 'domain', stages: stagesOf(owner, spec.children) };
}

export function checkChildren(owner: string, children: readonly Child[], join: JoinSpec | undefined): void {
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
  const quorum = join?.quorum;
  if (quorum === undefined) return;
  if (!Number.isInteger(quorum) || quorum < 1) {
    throw new EspalierError('invalid-definition', `${owner} has quorum ${quorum}. Give a whole number of at least 1.`);
  }
  if (quorum > children.length) {
    throw new EspalierError(
      'invalid-definition',
      `${owner} needs quorum ${quorum} but has ${children.length} ${children.length === 1 ? 'child' : 'children'}. Lower join.quorum or add a child.`,
    );
  }
}
