/** What a run's options make of a scenario's limits. */
import { limitsOf } from '../define/define-scenario.ts';
import type { Limits, Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { RunOptions } from './run.ts';

/** @throws EspalierError `invalid-input` */
export function limitsFor(scenario: Scenario, { deadline, maxDepth, concurrency }: RunOptions): Limits {
  return limitsOf({
    ...scenario.limits,
    deadline: deadline ?? scenario.limits.deadlineMs,
    ...(maxDepth !== undefined && { maxDepth }),
    ...(concurrency !== undefined && { concurrency }),
  });
}

/** @throws EspalierError `invalid-input` */
export function checkDomains(scenario: Scenario, domains: readonly string[] | undefined): void {
  if (!domains) return;
  const names = scenario.domains.map((domain) => domain.name);
  const known = `Scenario "${scenario.name}" has ${names.join(', ')}.`;
  if (domains.length === 0) throw new EspalierError('invalid-input', `No domain is chosen. ${known}`);
  const unknown = domains.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new EspalierError('invalid-input', `There is no domain "${unknown}". ${known}`);
}
