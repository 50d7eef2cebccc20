import { EspalierError } from '../errors.ts';
import { checkAdaptive } from './adaptive.ts';
import { checkAsOf } from './as-of.ts';
import { ADAPTER, checkFields, checkSpec, MEMORY, METHOD, OBJECT, TEXT } from './check.ts';
import type { Hooks } from '../ports/hooks.ts';
import { budgetOf, wholeNumber } from './budget.ts';
import { checkedStages } from './define-domain.ts';
import { hedgeOf } from './hedge.ts';
import { parseDuration } from './duration.ts';
import { checkModels } from './models.ts';
import { checkPoolsAreKnown, poolsOf } from './pools.ts';
import type { Limits, LimitsSpec, Scenario, ScenarioSpec } from './spec.ts';
import { checkName } from './stages.ts';
import { checkToolsAreKnown, checkToolServers } from './tools.ts';
import { debounceOf } from './synthesis-mode.ts';

const DEPENDENCIES = {
  isMet: (value: unknown) => value === 'refuse' || value === 'observe',
  remedy: 'Give "refuse" or "observe".',
};
const FIELDS = {
  description: TEXT,
  join: OBJECT,
  limits: OBJECT,
  dependencies: DEPENDENCIES,
  hooks: OBJECT,
  memory: MEMORY,
  sources: ADAPTER,
  tools: OBJECT,
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
  checkModels(owner, spec.models);
  checkHooks(owner, spec.hooks);
  debounceOf(owner, spec.synthesis);
  const limits = limitsOf(spec.limits ?? {});
  const stages = checkedStages(owner, spec.domains, spec.join);
  checkAdaptive(owner, spec, spec.domains);
  checkPoolsAreKnown(spec.domains, limits.pools);
  checkToolServers(owner, spec.tools);
  checkToolsAreKnown([...spec.domains, ...(spec.reinvestigate?.leaves ?? [])], spec.tools);
  return { ...spec, kind: 'scenario', limits, stages };
}

/** @throws EspalierError `invalid-input` */
export function limitsOf(limits: LimitsSpec): Limits {
  const hedge = hedgeOf(limits.hedge);
  return {
    maxDepth: wholeNumber('The limit maxDepth', limits.maxDepth ?? 2, 0),
    deadlineMs: parseDuration(limits.deadline ?? '8m', 'deadline'),
    concurrency: wholeNumber('The limit concurrency', limits.concurrency ?? 10, 1),
    pools: poolsOf(limits.pools),
    maxChildren: wholeNumber('The limit maxChildren', limits.maxChildren ?? 10_000, 1),
    ...(hedge && { hedge }),
    budget: budgetOf(limits.budget ?? {}),
  };
}

function checkHooks(owner: string, hooks: Hooks | undefined): void {
  if (!hooks) return;
  const { idleAfter } = hooks;
  checkFields(`${owner} with its hooks`, hooks, {
    beforeSpawn: METHOD,
    taskCompleted: METHOD,
    nodeIdle: METHOD,
    onEscalation: METHOD,
  });
  if (idleAfter !== undefined) parseDuration(idleAfter, 'idleAfter of the hooks');
}
