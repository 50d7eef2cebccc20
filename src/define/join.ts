import { EspalierError } from '../errors.ts';
import { shown } from './check.ts';
import type { Child, JoinSpec } from './spec.ts';

type Stages = readonly (readonly Child[])[];

/**
 * A quorum counts within each stage: it must be within reach there. No join closes over a child that a later stage needs.
 * @throws EspalierError `invalid-definition`
 */
export function checkJoin(owner: string, stages: Stages, join: JoinSpec | undefined): void {
  const quorum = join?.quorum;
  if (quorum === undefined) return;
  if (!Number.isInteger(quorum) || quorum < 1) {
    throw new EspalierError(
      'invalid-definition',
      `${owner} has quorum ${shown(quorum)}. Give a whole number of at least 1.`,
    );
  }
  checkReach(owner, stages, quorum);
}

function checkReach(owner: string, stages: Stages, quorum: number): void {
  const widest = stages.reduce((most, { length }) => Math.max(most, length), 0);
  if (quorum <= widest) return;
  const children = `${widest} ${widest === 1 ? 'child' : 'children'}`;
  throw new EspalierError(
    'invalid-definition',
    stages.length === 1
      ? `${owner} needs quorum ${quorum} but has ${children}. Lower join.quorum or add a child.`
      : `${owner} needs quorum ${quorum} in each stage, but its widest of ${stages.length} stages has ${children}. Lower join.quorum to ${widest} or less.`,
  );
}
