/** Looks a scenario over by rules, before it costs anything. Pure: nothing of the scenario's own is run. */
import type { Scenario } from '../define/spec.ts';
import { checkScenario, limitsFor, modelsFor } from '../runtime/limits.ts';
import type { RunOptions } from '../runtime/run.ts';
import { factsOf, type Observed } from './facts.ts';
import { SEVERITIES, type Remark } from './remark.ts';
import { RULES } from './rules/index.ts';

export type CheckOptions = Pick<
  RunOptions,
  'deadline' | 'maxDepth' | 'concurrency' | 'budget' | 'domains' | 'models' | 'policy'
> & {
  /** What a rehearsal observed, from `observeReads` of `espalier/testing`. Default: functions are read, not run. */
  observed?: Observed;
};

/**
 * What is to be remarked on a scenario: the gravest first, and within a severity in the order of its nodes.
 * @throws EspalierError `invalid-input` on a scenario that is none, or an option that cannot be read
 * @example expect(check(scenario).filter(({ severity }) => severity !== 'note')).toEqual([]);
 */
export function check(scenario: Scenario, options: CheckOptions = {}): Remark[] {
  checkScenario(scenario, options);
  const { domains, observed } = options;
  const limits = limitsFor(scenario, options);
  const facts = factsOf(scenario, { limits, models: modelsFor(scenario, options), domains, observed });
  const order = new Map(facts.nodes.map(({ path }, index) => [path, index]));
  return RULES.flatMap(({ id: rule, severity, look }) =>
    look(facts).map(({ path, message }): Remark => ({ rule, severity, path, message })),
  ).sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0),
  );
}
