import { EspalierError } from '../errors.ts';
import { checkAdaptive } from './adaptive.ts';
import { checkAsOf } from './as-of.ts';
import { ADAPTER, checkFields, checkSpec, METHOD, OBJECT, shown, TEXT } from './check.ts';
import { checkedStages } from './define-domain.ts';
import { parseDuration } from './duration.ts';
import type { Limits, LimitsSpec, Scenario, ScenarioSpec } from './spec.ts';
import { checkName } from './stages.ts';

const FIELDS = {
  description: TEXT,
  join: OBJECT,
  limits: OBJECT,
  sources: ADAPTER,
  synthesize: METHOD,
  execute: METHOD,
  decide: METHOD,
};

/**
 * Defines a whole run: the thesis, the domains under the root, and the limits nothing below may exceed.
 * @throws EspalierError `invalid-definition` or `invalid-input`, with what to change
 */
export function defineScenario(spec: ScenarioSpec): Scenario {
  checkSpec('defineScenario', spec);
  checkName('Scenario', spec.name);
  const owner = `Scenario "${spec.name}"`;
  if (typeof spec.thesis !== 'string' || spec.thesis.trim() === '') {
    throw new EspalierError('invalid-definition', `${owner} has no thesis. Say in a sentence what is to be examined.`);
  }
  checkFields(owner, spec, FIELDS);
  if (spec.asOf !== undefined) checkAsOf(spec.asOf);
  const stages = checkedStages(owner, spec.domains, spec.join);
  checkAdaptive(owner, spec, spec.domains);
  return {
    ...spec,
    kind: 'scenario',
    limits: limitsOf(spec.limits ?? {}),
    stages,
  };
}

/** @throws EspalierError `invalid-input` */
export function limitsOf(limits: LimitsSpec): Limits {
  return {
    maxDepth: wholeNumber('maxDepth', limits.maxDepth ?? 2, 0),
    deadlineMs: parseDuration(limits.deadline ?? '8m', 'deadline'),
    concurrency: wholeNumber('concurrency', limits.concurrency ?? 10, 1),
    maxChildren: wholeNumber('maxChildren', limits.maxChildren ?? 10_000, 1),
  };
}

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new EspalierError(
    'invalid-input',
    `The limit ${name} is ${shown(value)}. Give a whole number of at least ${least}.`,
  );
}
